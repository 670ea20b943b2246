"""Counts per case, kept on the device while slices stream by; `scoring` turns them into scores."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


class DeviceCounts(torch.nn.Module):
    """One row (tp, fp, fn, slices) per case and target; a module, so that it moves to the device with the net.

    Adding slices in any order and any batches gives the same counts; memory does not grow with the slices.
    """

    rows: torch.Tensor

    def __init__(self, cases: int, targets: int = 1) -> None:
        """Start at zero for this many cases and targets."""
        super().__init__()
        self.register_buffer("rows", torch.zeros(cases, targets, 4, dtype=torch.int64), persistent=False)

    def add(self, prediction: torch.Tensor, truth: torch.Tensor, case: torch.Tensor) -> None:
        """Add slices: bool prediction and truth [B, K, H, W], and whose they are, int64 [B]."""
        pairs = (prediction & truth, prediction & ~truth, ~prediction & truth)
        columns = [pair.sum(dim=(2, 3)) for pair in pairs]
        self.rows.index_add_(0, case, torch.stack([*columns, torch.ones_like(columns[0])], dim=2))

    def reset(self) -> None:
        """Start at zero again."""
        self.rows.zero_()

    def table(self) -> NDArray[np.int64]:
        """Hand the counts over to `scoring`: int64 [cases, K, 4], on the processor."""
        return self.rows.cpu().numpy()


def turned_back(probability: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
    """Undo `batches.turning.turn` on each slice of float [B, K, S, S]; `ways`, int64 [B], says how each was turned.

    It is as if the slices had been predicted as they lie; nothing is lost, whole pixels only move.
    """
    pairs = zip(probability, ways.tolist(), strict=True)
    return torch.stack([torch.rot90(one.mT if way >= 4 else one, -(way % 4), (1, 2)) for one, way in pairs])


def to_source_grid(probability: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Bring probabilities [B, K, S, S] from the model's square to [B, K, height, width], as `Resize.undone` does."""
    side = max(height, width)
    square = functional.interpolate(probability, (side, side), mode="bilinear", align_corners=False)
    return square[:, :, :height, :width]
