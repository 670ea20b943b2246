"""Cases to be drawn, of one target."""

from typing import Any

import numpy as np

from headtohead.drawing.plate import SegmentedCase
from headtohead.readers.lgg import TASK


def segmented(
    caption: str, images: np.ndarray, truth: np.ndarray, prediction: np.ndarray, **more: Any
) -> SegmentedCase:
    """Give a case with one lesion: images [S, H, W, C], masks bool [S, H, W]."""
    return SegmentedCase(caption, images, truth[None], prediction[None], TASK.targets, **more)
