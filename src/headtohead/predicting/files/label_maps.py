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

TISSUES, VERY_FLAT = 8, 0.86
"""Maps of up to this many tissues, one around the other, are gradual, but flatter: .88. Scans: at most .85."""

SAMPLE, VOXELS = 4096, 2**20
"""Voxels that are looked at first, and then, in planes that hold anything."""


def is_label_map(values: np.ndarray, named: bool = False) -> bool:
    """Say whether a volume is a mask or a label map.

    Args:
        values: [x, y, z], finite.
        named: whether its name has a word for masks; then few distinct integers are enough.
    """
    volume = values.transpose(np.argsort(values.strides)[::-1])  # in the order of memory
    # Most scans are sorted out here, at no cost.
    if not _are_labels(volume.ravel()[:: max(1, volume.size // SAMPLE)]):
        return False
    many = np.count_nonzero(volume)
    if not 0 < many <= (1 - AIR) * volume.size:
        return False
    held = np.flatnonzero(volume.any(axis=(1, 2)))
    part = volume[held[:: -(-len(held) * volume[0].size // VOXELS)]]
    if not _are_labels(part):
        return False
    count = int(np.count_nonzero(np.unique(part)))
    few = count <= FEW_LABELS
    if named or (few and many < NEARLY_EMPTY * volume.size):
        return True
    equal, gradual = _neighbours(part)
    if few:
        return equal > FEW_FLAT
    return (equal > FLAT and gradual < GRADUAL) or (equal > VERY_FLAT and count <= TISSUES)


def _are_labels(values: np.ndarray) -> bool:
    whole = values.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    return whole and int(np.count_nonzero(np.unique(values))) <= MOST_LABELS


def _neighbours(planes: np.ndarray) -> tuple[float, float]:
    """Compare the voxels of planes with the next ones along both axes, where neither is 0.

    Returns:
        The share of pairs that are equal, and of the others the share that are next to each other in the order of the
        values: the median over the values, since one of them, a grey background or white matter, may fill most.
    """
    levels, ranks = np.unique(planes, return_inverse=True)
    ranks = np.where(planes == 0, -1, ranks.reshape(planes.shape))
    sides = ((ranks[:, :-1], ranks[:, 1:]), (ranks[:, :, :-1], ranks[:, :, 1:]))
    own, other = (np.concatenate([side[place].ravel() for side in sides]) for place in (0, 1))
    both = (own >= 0) & (other >= 0)
    own, apart = own[both], np.abs(own - other)[both]
    pairs, equal, nearest = (np.bincount(own, weights, len(levels)) for weights in (None, apart == 0, apart == 1))
    touching = pairs > 0
    if not touching.any():
        return 1.0, 0.0
    pairs, equal, nearest = pairs[touching], equal[touching], nearest[touching]
    return float(np.median(equal / pairs)), float(np.median(nearest / np.maximum(1, pairs - equal)))
