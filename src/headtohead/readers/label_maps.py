"""Tell a label map from a scan by its voxels: another tool's segmentation must not be predicted as an image.

Few whole numbers alone prove nothing: 8-bit scans have them as well. Neighbours do: a label goes on unchanged, a grey
level soon changes.
"""

import numpy as np

MOST_LABELS = 256
"""Distinct values besides 0; a whole-brain parcellation has some hundred."""

FEW_LABELS = 4
FEW_FLAT = 0.6
"""So few values besides 0 are tissues, lesions or the parts of a tumour, not grey levels, except in slices beyond the
head that hold only noise, where less than this share of neighbours is equal."""

NEARLY_EMPTY = 0.05
"""Below this share of voxels few values are small structures, whose neighbours mostly differ; or nothing at all."""

AIR = 0.05
"""A label map is 0 outside what it labels: at least this share of its voxels."""

FLAT = 0.45
"""Share of equal neighbours. Maps of a whole brain: .81 to .86 at 1 mm, .47 and more at 4 mm. Scans: at most .41 in 32
grey levels, .10 in 256; in fewer than 24 they may pass for maps."""

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
    few = np.count_nonzero(np.unique(part)) <= FEW_LABELS
    if named or (few and many < NEARLY_EMPTY * volume.size):
        return True
    return _equal_neighbours(part) > (FEW_FLAT if few else FLAT)


def _are_labels(values: np.ndarray) -> bool:
    whole = values.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    return whole and int(np.count_nonzero(np.unique(values))) <= MOST_LABELS


def _equal_neighbours(planes: np.ndarray) -> float:
    """Give the share of voxels that equal the next one along an axis of the planes, where neither is 0.

    It is the median over the values, since one of them, a grey background or white matter, may fill most.
    """
    levels, ranks = np.unique(planes, return_inverse=True)
    ranks = np.where(planes == 0, -1, ranks.reshape(planes.shape))
    sides = ((ranks[:, :-1], ranks[:, 1:]), (ranks[:, :, :-1], ranks[:, :, 1:]))
    own, other = (np.concatenate([side[place].ravel() for side in sides]) for place in (0, 1))
    both = (own >= 0) & (other >= 0)
    pairs, equal = (np.bincount(own[both], weights, len(levels)) for weights in (None, (own == other)[both]))
    return float(np.median(equal[pairs > 0] / pairs[pairs > 0])) if both.any() else 1.0
