"""Tell a label map from a scan by its voxels: another tool's segmentation must not be predicted as an image."""

import numpy as np

MOST_LABELS = 256
"""Distinct values; a whole-brain parcellation has some hundred."""

AIR = 0.05
"""A label map is 0 outside what it labels: at least this share of its voxels."""

FLAT = 0.8
"""Share of the labelled voxels whose neighbour has the very same value. Measured along one axis: manual labels of whole
brains .84 to .88, masks .97; MRI in 8 bits at most .53, in 16 grey levels .77."""

SAMPLE = 4096
VOXELS = 2**20
"""About so many are looked at, in rows along the first axis."""


def is_label_map(values: np.ndarray, named: bool = False) -> bool:
    """Say whether a volume is a mask or a label map.

    Args:
        values: [x, y, z], finite.
        named: whether its name has a word for masks; then few distinct integers are enough.
    """
    flat = values.ravel(order="K")
    sample = flat[:: max(1, flat.size // SAMPLE)]
    # Most scans are sorted out here, at no cost.
    if not _are_labels(sample):
        return False
    step = max(1, round((values.size / VOXELS) ** 0.5))
    rows = values[:, ::step, ::step]
    if not _are_labels(rows) or np.count_nonzero(rows) > (1 - AIR) * rows.size or not rows.any():
        return False
    if named or len(np.unique(rows)) == 2:
        return True
    longest = int(np.argmax(rows.shape))
    rows = np.moveaxis(rows, longest, 0)
    labelled = rows[1:] != 0
    same = (rows[1:] == rows[:-1]) & labelled
    return bool(same.sum() > FLAT * max(1, int(labelled.sum())))


def _are_labels(values: np.ndarray) -> bool:
    whole = values.dtype.kind in "iu" or bool((values == np.rint(values)).all())
    return whole and len(np.unique(values)) <= MOST_LABELS
