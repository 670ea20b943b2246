"""Morphology of masks in 3-D with any structuring element, by OpenCV slice by slice.

Source: Serra, Image Analysis and Mathematical Morphology, 1982. Beyond its edges a volume goes on as it ends: with
zeros there, erosion would wear away what the edge cuts and no gap of a single slice would ever close in 3-D.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
"""[slices, H, W]."""

Element = NDArray[np.bool_]
"""A structuring element: odd along each axis, its origin in the middle."""

Spacing = tuple[float, float, float]
"""Millimetres between slices, rows and columns."""


def dilate(mask: Mask, element: Element) -> Mask:
    """Add every voxel from which the element, laid upon it, touches the mask."""
    pixels = mask.view(np.uint8) if mask.flags.c_contiguous else mask.astype(np.uint8)
    reach = len(element) // 2
    grown = np.zeros_like(pixels)
    for source, here in enumerate(pixels):
        if not here.any():
            continue
        for offset, kernel in enumerate(element.astype(np.uint8)):
            target = source + reach - offset
            if 0 <= target < len(pixels) and kernel.any():
                grown[target] |= cv2.dilate(here, kernel)
    return grown.astype(bool)


def erode(mask: Mask, element: Element) -> Mask:
    """Keep the voxels on which the element, turned about its origin, lies within the mask; beyond the edges it may."""
    return ~dilate(~mask, element[::-1, ::-1, ::-1])


def close_gaps(mask: Mask, element: Element) -> Mask:
    """Dilate, then erode: gaps and holes into which the element does not fit are filled, nothing is taken away."""
    reach = [side // 2 for side in element.shape]
    wide = np.pad(mask, [(one, one) for one in reach], mode="edge")
    wide = erode(dilate(wide, element), element)
    return wide[tuple(slice(one, size - one) for one, size in zip(reach, wide.shape, strict=True))]


def open_bridges(mask: Mask, element: Element) -> Mask:
    """Erode, then dilate: what the element does not fit into goes, nothing is added."""
    return ~close_gaps(~mask, element[::-1, ::-1, ::-1])


def fill_holes(mask: Mask) -> Mask:
    """Fill holes slice by slice: background that cannot get out to the edge of its slice without crossing the mask.

    Not in 3-D: between thick slices a hole is nearly always open above or below. What touches the edge is no hole.
    """
    filled = np.empty_like(mask)
    for here, out in zip(mask, filled, strict=True):
        background = np.pad(~here, 1, constant_values=True).astype(np.uint8)
        # Components of the mask hold together by corners, so background must not pass through them.
        _, labels = cv2.connectedComponents(background, connectivity=4)
        out[:] = labels[1:-1, 1:-1] != labels[0, 0]
    return filled
