"""Connected pieces of a mask and the holes in it, by OpenCV slice by slice: importing SciPy takes as long as a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.predicting.cleaning.shapes import Mask


def label_pieces(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the pieces of a mask; voxels are connected that share a face, an edge or a corner (26 neighbours).

    Args:
        mask: bool [slices, H, W].

    Returns:
        Labels of the same shape, 0 outside and 1, 2, ... in the order of each piece's first voxel; and the number of
        voxels of each piece.
    """
    apart, number = _label_slices(mask)
    root = _join(number, _contacts(apart))
    places = np.flatnonzero(apart)
    first = np.full(number + 1, mask.size)
    first[apart.ravel()[places[::-1]]] = places[::-1]  # of several places the last written stays: the first in memory
    np.minimum.at(first, root, first.copy())
    pieces = np.unique(root[1:])
    renumbered = np.zeros(number + 1, np.int64)
    renumbered[pieces[np.argsort(first[pieces])]] = np.arange(1, len(pieces) + 1)
    labels = renumbered[root][apart]
    return labels, np.bincount(labels.ravel(), minlength=len(pieces) + 1)[1:]


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


def _label_slices(mask: Mask) -> tuple[NDArray[np.int64], int]:
    """Number the pieces of each slice on its own, 1, 2, ... through the whole volume; give also their number."""
    labels, number = np.zeros(mask.shape, np.int64), 0
    for here, out in zip(mask, labels, strict=True):
        count, found = cv2.connectedComponents(np.ascontiguousarray(here).astype(np.uint8), connectivity=8)
        out[:] = np.where(here, found + number, 0)
        number += count - 1
    return labels, number


def _contacts(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """List which numbers touch across neighbouring slices: int64 [pairs, 2]."""
    below, above = labels[:-1], np.pad(labels[1:], ((0, 0), (1, 1), (1, 1)))
    _, height, width = labels.shape
    base = int(labels.max(initial=0)) + 1  # a pair is told as one number: NumPy sorts those ten times as fast
    codes = [np.empty(0, np.int64)]
    for row in range(3):
        for column in range(3):
            over = above[:, row : row + height, column : column + width]
            touching = (below > 0) & (over > 0)
            code = below[touching] * base + over[touching]
            codes.append(code[np.flatnonzero(np.diff(code, prepend=-1))])  # along a row it is mostly the same pair
    return np.stack(np.divmod(np.unique(np.concatenate(codes)), base), axis=1)


def _join(number: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give for each number the smallest one that it is connected with: int64 [number + 1]."""
    parent = list(range(number + 1))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for one, other in pairs.tolist():
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return np.array([root(one) for one in range(number + 1)], np.int64)
