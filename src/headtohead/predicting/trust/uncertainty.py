"""How sure a prediction is, voxel by voxel. The variance between models comes with it: `predictor.Estimate`."""

import numpy as np


def entropy(probability: np.ndarray) -> np.ndarray:
    """Binary entropy -p log2 p - (1 - p) log2 (1 - p), in bits: float32, 0 where it is sure, 1 where it is a coin's.

    Source: Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x; as a map of segmentation: Mehrtash et al. 2020,
    doi:10.1109/TMI.2020.3006437.
    """
    if probability.ndim > 2:  # plane by plane: float64 of a volume would be many times the result
        return np.stack([entropy(plane) for plane in probability])
    inside = probability.astype(np.float64)
    bits = np.zeros(inside.shape)
    for share in (inside, 1 - inside):
        # What is certain adds nothing; without `where`, 0 log 0 would be NaN.
        bits -= share * np.log2(share, where=share > 0, out=np.zeros(inside.shape))
    return np.clip(bits, 0, 1).astype(np.float32)
