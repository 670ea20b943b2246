"""Grey values scaled by what the whole case measures, or by fixed numbers."""

from dataclasses import dataclass, field, replace
from typing import Self

import cv2
import numpy as np

from headtohead.preparing.head import head_mask, inner_head, intensity_statistics
from headtohead.preparing.intensities import to_eight_bits
from headtohead.preparing.step import Made, SliceStep
from headtohead.task import Case

CLIP = 8.0
"""Scaled values are kept within this many deviations: a far brighter scalp must not dominate a net."""

FIXED = {
    "unit": np.array([[0.0, 255.0]], np.float32),
    # Mean and deviation of ImageNet's colours (torchvision's published constants), times 255.
    "imagenet": np.array([[123.675, 58.395], [116.28, 57.12], [103.53, 57.375]], np.float32),
}
"""What scales every case by the same numbers: (centre, scale) per sequence, or one for all."""

MEASURED = ("inner", "zscore")
"""What measures each case, as `head.intensity_statistics` does."""


@dataclass(frozen=True)
class Scale(SliceStep):
    """Bring each channel to about 0 and 1.

    Attributes:
        by: `inner`, `zscore`, `unit` or `imagenet`.
        of: by the statistics of which sequence each channel is scaled.
        statistics: float32 [sequences, 2] of the case (centre, scale); settled by `fitted`.
    """

    kind = "scale"
    by: str
    of: tuple[int, ...]
    statistics: np.ndarray | None = field(default=None, compare=False, metadata={"saved": False})

    def fitted(self, case: Case) -> Self:
        """Measure a case whose grey levels are stored."""
        return replace(self, statistics=self.measure(case.images))

    def measure(self, volume: np.ndarray) -> np.ndarray:
        """Measure centre and scale of each sequence: float32 [sequences, 2], or [1, 2] for all, in uint8 units.

        Args:
            volume: uint8 or uint16 [slices, H, W, sequences]; where the numbers are fixed, anything.
        """
        if self.by in FIXED:
            return FIXED[self.by]
        head = head_mask(to_eight_bits(volume))
        return intensity_statistics(volume, inner_head(head) if self.by == "inner" else head, self.by)

    def by_channel(self, statistics: np.ndarray) -> np.ndarray:
        """Give each channel its statistics: float32 [sequences, 2], or [1, 2] for all of them, to [channels, 2]."""
        rows = [0 if len(statistics) == 1 else sequence for sequence in self.of]
        return statistics[rows]

    def over(self, slices: Made) -> Made:
        assert self.statistics is not None
        statistics = self.by_channel(self.statistics)
        greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], len(statistics), axis=1)
        tables = np.ascontiguousarray(scaled(greys, statistics).T)

        def planes(index: int) -> list[np.ndarray]:
            pairs = zip(slices.planes(index), tables, statistics, strict=True)
            # All 256 grey values were scaled once: looking them up is faster than scaling every pixel.
            return [
                cv2.LUT(plane, table) if plane.dtype == np.uint8 else scaled(plane[..., None], one[None])[..., 0]
                for plane, table, one in pairs
            ]

        return Made(slices.number, lambda index: np.dstack(planes(index)), all_planes=planes)


def scaled(image: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    """Scale [..., channels] with float32 [channels, 2] to float32 [..., channels]."""
    found = (image.astype(np.float32) - statistics[:, 0]) / statistics[:, 1]
    return np.clip(found, -CLIP, CLIP)
