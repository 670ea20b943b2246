"""Scores of one case, statistics over cases, and the baseline that learns no weights. Knows no torch."""

from headtohead.scoring.counts import FAILED_BELOW, count, dice, iou, mean_dice, precision, recall

__all__ = ["FAILED_BELOW", "count", "dice", "iou", "mean_dice", "precision", "recall"]
