"""What a test leaves besides counts: each case's prediction, whole, as soon as its last slice has come."""

from collections.abc import Callable

import numpy as np
import torch

Finish = Callable[[int, np.ndarray, np.ndarray], None]


class CaseRecorder:
    """Puts the slices of one case together and hands the case on; never holds more than one case.

    The slices must come case by case and in order, as the scoring loaders give them.
    """

    def __init__(self, finish: Finish) -> None:
        """Take what is called with a finished case: its index, and its prediction and probability [K, slices, H, W]."""
        self.finish = finish
        self.case = -1
        self.predictions: list[np.ndarray] = []
        self.probabilities: list[np.ndarray] = []

    def add(self, case: torch.Tensor, prediction: torch.Tensor, probability: torch.Tensor) -> None:
        """Add a batch of slices of one case: int64 [B], all the same.

        Prediction, bool, and probability, float, are [B, K, H, W] on the source grid.
        """
        if int(case[0]) != self.case:
            self.close()
            self.case = int(case[0])
        self.predictions.append(prediction.cpu().numpy().swapaxes(0, 1))
        self.probabilities.append(probability.float().cpu().numpy().swapaxes(0, 1))

    def close(self) -> None:
        """Hand on the last case."""
        if self.predictions:
            self.finish(self.case, np.concatenate(self.predictions, axis=1), np.concatenate(self.probabilities, axis=1))
        self.predictions, self.probabilities = [], []
