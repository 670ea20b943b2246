"""Connected pieces of a mask and the holes in it, by OpenCV slice by slice: importing SciPy takes as long as a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.predicting.cleaning.shapes import Mask

Labels = NDArray[np.int32]
"""[slices, H, W]; more numbers would take a mask of 8 thousand million voxels."""

PART = 2**18
"""Voxels of neighbouring slices that are compared at once, so that a large volume takes no more than a small one."""


def label_pieces(mask: Mask) -> tuple[Labels, NDArray[np.int64]]:
    """Number the pieces of a mask; voxels are connected that share a face, an edge or a corner (26 neighbours).

    Beside the mask it takes 4 bytes a voxel, and up to 8 more where the pieces are single voxels.

    Args:
        mask: bool [slices, H, W].

    Returns:
        Labels of the same shape, 0 outside and 1, 2, ... in the order of each piece's first voxel; and the number of
        voxels of each piece.
    """
    labels, voxels = _label_slices(mask)
    parent = np.arange(len(voxels), dtype=np.int32)
    step = max(1, PART // max(1, labels[:1].size))
    for start in range(0, len(labels) - 1, step):
        _join(parent, _contacts(labels[start : start + step + 1]))
    root = _roots(parent, parent)
    # Of the pieces of slices that make up one piece the first has the lowest number, and the first voxel.
    is_first = root == np.arange(len(root), dtype=np.int32)
    is_first[0] = False  # outside
    number = np.cumsum(is_first, dtype=np.int32)[root]
    sizes = np.zeros(int(number.max()) + 1, np.int64)
    np.add.at(sizes, number, voxels)
    for here in labels:
        here[:] = number[here]
    return labels, sizes[1:]


def pieces_among(labels: Labels, wanted: NDArray[np.bool_]) -> Mask:
    """Keep some pieces.

    Args:
        labels: as `label_pieces` gives them.
        wanted: bool by label; that of 0 is False.
    """
    kept = np.empty(labels.shape, bool)
    for here, out in zip(labels, kept, strict=True):  # NumPy looks up in a copy of twice the size
        out[:] = wanted[here]
    return kept


def fill_holes(mask: Mask) -> Mask:
    """Fill holes slice by slice: background that cannot get out to the edge of its slice without crossing the mask.

    Not in 3-D: between thick slices a hole is nearly always open above or below. What touches the edge is no hole.

    Args:
        mask: bool [slices, H, W].
    """
    filled = np.empty_like(mask)
    for here, out in zip(mask, filled, strict=True):
        background = np.pad(~here, 1, constant_values=True).astype(np.uint8)
        # Pieces of the mask hold together by corners, so background must not pass through them.
        _, labels = cv2.connectedComponents(background, connectivity=4)
        out[:] = labels[1:-1, 1:-1] != labels[0, 0]
    return filled


def _label_slices(mask: Mask) -> tuple[Labels, NDArray[np.int32]]:
    """Number the pieces of each slice on its own, in the order of their first voxels, through the whole volume.

    Returns:
        The labels, from 1; and the number of voxels of each, that of 0 counted as none.
    """
    labels, number = np.zeros(mask.shape, np.int32), 0
    voxels = [np.zeros(1, np.int32)]
    for here, out in zip(mask, labels, strict=True):
        count, found = cv2.connectedComponents(np.ascontiguousarray(here).astype(np.uint8), connectivity=8)
        if count == 1:
            continue
        flat = found.ravel()
        places = np.flatnonzero(flat)[::-1]
        first = np.full(count, -1)
        first[flat[places]] = places  # of several places the last written stays: the first in memory
        order = np.argsort(first)  # outside, which has none, comes first
        renumbered = np.zeros(count, np.int32)
        renumbered[order[1:]] = np.arange(number + 1, number + count)
        out[:] = renumbered[found]
        voxels.append(np.bincount(flat, minlength=count)[order[1:]].astype(np.int32))
        number += count - 1
    return labels, np.concatenate(voxels)


def _contacts(labels: Labels) -> NDArray[np.int64]:
    """List which numbers touch across neighbouring slices: int64 [2, pairs]."""
    below, above = labels[:-1], np.pad(labels[1:], ((0, 0), (1, 1), (1, 1)))
    _, height, width = labels.shape
    base = int(labels.max(initial=0)) + 1  # a pair is told as one number: NumPy sorts those ten times as fast
    codes = [np.empty(0, np.int64)]
    for row in range(3):
        for column in range(3):
            over = above[:, row : row + height, column : column + width]
            touching = (below > 0) & (over > 0)
            code = below[touching] * np.int64(base) + over[touching]
            codes.append(code[np.flatnonzero(np.diff(code, prepend=-1))])  # along a row it is mostly the same pair
    return np.stack(np.divmod(np.unique(np.concatenate(codes)), base))


def _join(parent: NDArray[np.int32], pairs: NDArray[np.int64]) -> None:
    """Make each pair of numbers hang, by way of their parents, on the smallest number that they are connected with.

    Args:
        parent: of each number, a smaller one that it is connected with, or itself; changed in place.
        pairs: [2, pairs].
    """
    while pairs.size:
        roots = _roots(parent, pairs)
        parent[pairs] = roots  # shorter for the next ones
        low, high = roots.min(axis=0), roots.max(axis=0)
        pairs = np.stack([low, high])[:, low != high].astype(np.int64)
        np.minimum.at(parent, pairs[1], pairs[0].astype(np.int32))


def _roots(parent: NDArray[np.int32], numbers: NDArray[np.integer]) -> NDArray[np.int32]:
    """Follow the parents of some numbers up to those that are their own."""
    roots = parent[numbers]
    while not np.array_equal(above := parent[roots], roots):
        roots = above
    return roots
