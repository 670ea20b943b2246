"""Counts per case, kept on the device while slices stream by; `scoring` turns them into scores."""

import torch
from torch.nn import functional

from headtohead.scoring.counts import CaseCounts


class DeviceCounts(torch.nn.Module):
    """One row (tp, fp, fn, slices) per case of the cohort; a module, so that it moves to the device with the net.

    Adding slices in any order and any batches gives the same counts; memory does not grow with the slices.
    """

    rows: torch.Tensor

    def __init__(self, cases: int) -> None:
        """Start at zero for this many cases."""
        super().__init__()
        self.register_buffer("rows", torch.zeros(cases, 4, dtype=torch.int64), persistent=False)

    def add(self, prediction: torch.Tensor, truth: torch.Tensor, case: torch.Tensor) -> None:
        """Add slices: bool prediction and truth [B, H, W], and whose they are, int64 [B]."""
        pairs = (prediction & truth, prediction & ~truth, ~prediction & truth)
        columns = [pair.sum(dim=(1, 2)) for pair in pairs]
        self.rows.index_add_(0, case, torch.stack([*columns, torch.ones_like(case)], dim=1))

    def reset(self) -> None:
        """Start at zero again."""
        self.rows.zero_()

    def scores(self) -> CaseCounts:
        """Hand the counts over to `scoring`, on the processor."""
        counts = CaseCounts(len(self.rows))
        counts.counts[:] = self.rows.cpu().numpy()
        return counts


def turned_back(probability: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
    """Undo `batches.turning.turn` on each slice.

    Args:
        probability: float [B, S, S].
        ways: int64 [B], how each was turned.

    Returns:
        float [B, S, S], as if the slices had been predicted as they lie; nothing is lost, whole pixels only move.
    """
    pairs = zip(probability, ways.tolist(), strict=True)
    return torch.stack([torch.rot90(one.T if way >= 4 else one, -(way % 4)) for one, way in pairs])


def to_source_grid(probability: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Bring probabilities from the model's square onto the source grid, as `InputRecipe.back` does.

    Args:
        probability: float [B, S, S].
        height: of the source grid.
        width: of the source grid.

    Returns:
        float [B, height, width].
    """
    side = max(height, width)
    square = functional.interpolate(probability[:, None], (side, side), mode="bilinear", align_corners=False)
    return square[:, 0, :height, :width]
