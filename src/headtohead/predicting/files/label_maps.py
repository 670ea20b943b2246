"""Tell a label map from a scan by its voxels: another tool's segmentation must not be predicted as an image.

Few whole numbers alone prove nothing: 8-bit scans have them as well. Neighbours do: a label goes on unchanged, and
where it ends any other may follow; a grey level soon changes, mostly to the next one. The figures below are of T1, T2
and FLAIR in 6 to 256 grey levels, also smoothed or skull-stripped, and of whole-head and tumour maps at 1 to 4 mm.
"""

import numpy as np

MOST_LABELS = 256
"""Distinct values besides 0; a whole-brain parcellation has some hundred."""

FEW_LABELS = 4
FEW_FLAT = 0.6
"""So few values besides 0 are tissues, lesions or the parts of a tumour, not grey levels, except in slices beyond the
head that hold only noise: at most .60 of their neighbours are equal. Tissues: .59 at 4 mm, .66 at 3 mm, .88 at 1 mm."""

NEARLY_EMPTY = 0.05
"""Below this share of voxels few values are small structures, whose neighbours mostly differ; or nothing at all."""

AIR = 0.05
"""A label map is 0 outside what it labels: at least this share of its voxels."""

FLAT = 0.4
"""Share of equal neighbours. Maps: .50 to 1. Scans: up to .85 in 6 to 8 grey levels, at most .42 in 32, .09 in 256."""

GRADUAL = 0.25
"""Share of the unequal neighbours that are next to each other in order. Maps: at most .04. Scans that are flat:
from .47 on."""

LOCAL = 0.4
"""Spread of the voxels of one value relative to that of all. Parts of one structure, numbered along it, are gradual but
each in its place: .02. A grey level is everywhere: .83 or more."""

TISSUES = 8
VERY_FLAT = 0.86
"""Maps of up to this many tissues are gradual and everywhere, but flatter: .88. Scans in so few levels: at most .85."""

SAMPLE = 4096
VOXELS = 2**18
"""Number of voxels inside that are looked at, roughly."""

PART = 2**22
"""Voxels that are gone through at a time."""


def is_label_map(values: np.ndarray, named: bool = False) -> bool:
    """Say whether a volume is a mask or a label map.

    Args:
        values: [x, y, z], finite.
        named: whether its name has a word for masks; then few distinct integers are enough.
    """
    volume = values.transpose(np.argsort(values.strides)[::-1])  # in the order of memory
    flat = volume.ravel()
    # Most scans are sorted out here, at no cost.
    if not _are_labels(flat[:: max(1, flat.size // SAMPLE)]):
        return False
    many = int(np.count_nonzero(flat))  # all, since small structures slip through a coarser grid
    if not 0 < many <= (1 - AIR) * flat.size:
        return False
    nearly_empty = many < NEARLY_EMPTY * flat.size
    inside = _every(flat, max(1, many // VOXELS))
    if not _are_labels(flat[inside]):
        return False
    levels, ranks = np.unique(flat[inside], return_inverse=True)
    few = len(levels) <= FEW_LABELS
    if named or len(levels) == 1 or (few and nearly_empty):
        return True
    places = np.stack(np.unravel_index(inside, volume.shape))
    equal, gradual = _neighbours(flat, inside, places, volume.shape, levels, ranks)
    if (few and equal > FEW_FLAT) or (len(levels) <= TISSUES and equal > VERY_FLAT):
        return True
    return equal > FLAT and (gradual < GRADUAL or _spread(places, ranks) < LOCAL)


def _every(flat: np.ndarray, step: int) -> np.ndarray:
    """Give the places of every so many voxels that are not 0, in parts: all places take eight bytes a voxel."""
    found, seen = [], 0
    for start in range(0, flat.size, PART):
        places = np.flatnonzero(flat[start : start + PART])
        found.append(places[-seen % step :: step] + start)
        seen += len(places)
    return np.concatenate(found)


def _are_labels(values: np.ndarray) -> bool:
    whole = values.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    return whole and len(np.unique(values[values != 0])) <= MOST_LABELS


def _neighbours(
    flat: np.ndarray,
    inside: np.ndarray,
    places: np.ndarray,
    shape: tuple[int, ...],
    levels: np.ndarray,
    ranks: np.ndarray,
) -> tuple[float, float]:
    """Compare voxels inside with the next ones along each axis, if these are inside as well.

    Returns:
        The share of pairs that are equal, and of the others the share that are next to each other in `levels`: the
        median over the values, since one of them, a grey background or white matter, may fill most of a volume.
    """
    pairs, unequal, nearest = np.zeros((3, len(levels)))
    for axis, place in enumerate(places):
        step = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        whole = place < shape[axis] - 1
        own, other = ranks[whole], flat[inside[whole] + step]
        both = other != 0
        own = own[both]
        apart = np.abs(np.searchsorted(levels, other[both]) - own)
        pairs += np.bincount(own, minlength=len(levels))
        unequal += np.bincount(own, apart > 0, len(levels))
        nearest += np.bincount(own, apart == 1, len(levels))
    touching = pairs > 0
    if not touching.any():
        return 1.0, 0.0
    pairs, unequal, nearest = (counts[touching] for counts in (pairs, unequal, nearest))
    return float(np.median(1 - unequal / pairs)), float(np.median(nearest / np.maximum(1, unequal)))


def _spread(places: np.ndarray, ranks: np.ndarray) -> float:
    """Give the variance of places around the middle of their own value, relative to that around the middle of all."""
    voxels = np.bincount(ranks)
    within = total = 0.0
    for place in places.astype(np.float64):
        centred = place - place.mean()
        middles = np.bincount(ranks, centred) / voxels
        within += float(((centred - middles[ranks]) ** 2).sum())
        total += float((centred**2).sum())
    return within / total if total else 1.0
