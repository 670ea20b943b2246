"""Answers for whole volumes: those for all inputs of a case come together before they are brought onto its grid."""

from collections.abc import Callable

import numpy as np
import torch

Restore = Callable[[int, np.ndarray], np.ndarray]
"""Takes a case and float32 [K, inputs, S, S] to float32 [K, slices, H, W], as `cohort.cases.PreparedCases.restore`."""

Score = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], None]
"""Takes the probability of the slices of a case on its own grid, float32 [slices, K, H, W], its label map [slices, H,
W], and its index, int64 [slices]."""


class WholeCases:
    """Puts the answers of one case together and hands them on, restored; never holds more than one case.

    The inputs must come case by case and in order, as the scoring loaders give them.
    """

    def __init__(self, restore: Restore, labels: Callable[[int], np.ndarray], score: Score) -> None:
        """Take the inverse of the preparation, where the label map of a case is, and what is called with each case."""
        self.restore, self.labels, self.score = restore, labels, score
        self.case = -1
        self.answers: list[np.ndarray] = []

    def add(self, case: torch.Tensor, probability: torch.Tensor) -> None:
        """Add a batch of inputs of one case: int64 [B], all the same, and float [B, K, S, S]."""
        if int(case[0]) != self.case:
            self.close()
            self.case = int(case[0])
        self.answers.append(probability.float().cpu().numpy())

    def close(self) -> None:
        """Hand on the last case."""
        if self.answers:
            found = self.restore(self.case, np.concatenate(self.answers).swapaxes(0, 1))
            probability = torch.from_numpy(np.ascontiguousarray(found.swapaxes(0, 1)))
            labels = torch.from_numpy(self.labels(self.case).astype(np.int32))
            self.score(probability, labels, torch.full((len(labels),), self.case))
        self.answers = []
