"""What losses are made of once more, in NumPy and float64, written from the formulas and not from the code."""

import numpy as np

Array = np.ndarray


def probability_of(logits: Array, mask: Array) -> Array:
    """[B, K, H, W] of the targets: a sigmoid each; with a channel for the background, a softmax without it."""
    if logits.shape[1] == mask.shape[1]:
        return 1 / (1 + np.exp(-logits))
    return softmax(logits)[:, 1:]


def softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def with_background(mask: Array) -> Array:
    return np.concatenate([1 - mask.max(axis=1, keepdims=True), mask], axis=1)


def entropy_of_pixels(logits: Array, mask: Array, weight: Array | None = None) -> Array:
    """Cross-entropy of each pixel, the terms of the pixels of each target times its weight."""
    weight = np.ones(mask.shape[1]) if weight is None else weight
    if logits.shape[1] == mask.shape[1]:
        p = probability_of(logits, mask)
        return -(weight[:, None, None] * mask * np.log(p) + (1 - mask) * np.log(1 - p))
    each = with_background(mask) * np.concatenate([[1], weight])[:, None, None]
    return -(each * np.log(softmax(logits))).sum(axis=1)


def pooled(mask: Array, probability: Array) -> list[tuple[float, float, float]]:
    """Soft true positives, false positives and false negatives of each target in the batch."""
    pairs = zip(probability.swapaxes(0, 1), mask.swapaxes(0, 1), strict=True)
    return [((p * y).sum(), (p * (1 - y)).sum(), ((1 - p) * y).sum()) for p, y in pairs]


def jaccard_of_sets(errors: Array, truth: Array) -> float:
    """Lovász extension from its definition: errors times the rise of |wrong| / |truth or wrong|, largest first."""
    there = set(np.flatnonzero(truth.ravel()))
    wrong: set[int] = set()
    value = before = 0.0
    for pixel in np.argsort(-errors.ravel()):
        wrong.add(int(pixel))
        now = len(wrong) / len(there | wrong)
        value += float(errors.ravel()[pixel]) * (now - before)
        before = now
    return value
