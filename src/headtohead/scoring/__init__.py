"""Scores of one case, and the baseline that learns no weights. Knows no torch."""
