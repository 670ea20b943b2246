"""Correction of p values for their number."""

import numpy as np
from numpy.typing import NDArray


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p values for their number by Holm's step-down method, as statsmodels has it.

    Source: Holm 1979, doi:10.2307/4615733.

    Args:
        p: [K]; NaN where nothing could be tested, which then does not count as a test.

    Returns:
        Corrected p values, [K]; NaN where `p` is.
    """
    corrected = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        from statsmodels.stats.multitest import multipletests  # a second to import: only a comparison pays it

        corrected[tested] = multipletests(p[tested], method="holm")[1]
    return corrected
