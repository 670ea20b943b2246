"""Augmentation policies, named in the config: plain lists of albumentations transforms.

A policy works on one uint8 view and its mask, before scaling. Sequence dropout is not an image transform (it
changes which statistics apply), so it has a place of its own here.
"""

from typing import Any

import albumentations as A
import numpy as np

from headtohead.cohort.cohort import CHANNELS, FLAIR

PRE, POST = CHANNELS.index("pre"), CHANNELS.index("post")

ALSO_PRE = 0.6
"""Of the patients without post-contrast, six of ten lack pre-contrast too; dropout follows them."""


def _standard() -> list[Any]:
    return [
        A.HorizontalFlip(p=0.5),
        A.Affine(scale=(0.9, 1.1), translate_percent=(-0.05, 0.05), rotate=(-15, 15), p=0.8),
        A.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=0.2, p=0.5),
        A.RandomGamma(gamma_limit=(80, 125), p=0.3),
    ]


def _turns() -> list[Any]:
    """For scans that lie any way, as those of a foetus do."""
    return [A.VerticalFlip(p=0.5), A.RandomRotate90(p=1.0), *_standard()]


def _flips() -> list[Any]:
    return [A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)]


def _historical() -> list[Any]:
    """The policy of the field's LGG comparison; there it ran on validation and test slices as well."""
    return [
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.RandomRotate90(p=0.5),
        A.Transpose(p=0.5),
        A.Affine(scale=(0.96, 1.04), translate_percent=(-0.01, 0.01), p=0.25),
    ]


POLICIES = {"none": list, "flips": _flips, "standard": _standard, "turns": _turns, "historical": _historical}


def build_policy(name: str) -> A.Compose:
    """Build a policy by its name: a callable of `image` (uint8 [H, W, C]) and `mask` (uint8 [H, W])."""
    return A.Compose(POLICIES[name]())


def describe_policy(name: str) -> list[str]:
    """Name a policy's transforms in order, with their probability."""
    return [f"{type(step).__name__} p={step.p:g}" for step in POLICIES[name]()]


def drop_sequences(
    view: np.ndarray, statistics: np.ndarray, chance: float, rng: np.random.Generator, reverse: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Replace post-contrast, and mostly also pre-contrast, by FLAIR: one patient in ten comes like that.

    Args:
        view: uint8 [H, W, channels]; one channel alone is FLAIR already.
        statistics: float32 [channels, 2] of those channels.
        chance: probability that post-contrast is dropped.
        rng: always drawn from twice, so that what follows does not depend on `chance`.
        reverse: whether post-contrast stands first, and pre-contrast third.

    Returns:
        The view and statistics, copied where they change.
    """
    lost, also_pre = rng.random(2)
    if lost >= chance or view.shape[-1] < len(CHANNELS):
        return view, statistics
    post, pre = (PRE, POST) if reverse else (POST, PRE)
    channels = [post, pre] if also_pre < ALSO_PRE else [post]
    view, statistics = view.copy(), statistics.copy()
    for channel in channels:
        view[..., channel] = view[..., FLAIR]
        statistics[channel] = statistics[FLAIR]
    return view, statistics
