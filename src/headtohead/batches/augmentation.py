"""Augmentation policies, named in the config: plain lists of albumentations transforms.

A policy works on one uint8 view and its mask, before scaling. Sequence dropout is not an image transform (it
changes which statistics apply), so it has a place of its own here.
"""

from collections.abc import Sequence
from typing import Any

import albumentations as A
import numpy as np

from headtohead.errors import UserError
from headtohead.options.table import RunOptions
from headtohead.task import Task

OTHERS_TOO = 0.6
"""Of the LGG patients without post-contrast, six of ten lack pre-contrast too; dropout follows them."""


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


def _buda() -> list[Any]:
    """The policy of Buda, Saha, Mazurowski, Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002.

    There the seeds of the processes that drew it were fixed, so that each epoch repeated it; here it is drawn anew.
    """
    return [A.Affine(scale=(0.95, 1.05), keep_ratio=True, rotate=(-15, 15), p=1.0), A.HorizontalFlip(p=0.5)]


def _historical() -> list[Any]:
    """The policy of the field's LGG comparison; there it ran on validation and test slices as well."""
    return [
        A.HorizontalFlip(p=0.5),
        A.VerticalFlip(p=0.5),
        A.RandomRotate90(p=0.5),
        A.Transpose(p=0.5),
        A.Affine(scale=(0.96, 1.04), translate_percent=(-0.01, 0.01), p=0.25),
    ]


POLICIES = {
    "none": list,
    "flips": _flips,
    "standard": _standard,
    "turns": _turns,
    "buda": _buda,
    "historical": _historical,
}


def build_policy(name: str) -> A.Compose:
    """Build a policy by its name: a callable of `image` (uint8 [H, W, C]) and `mask` (uint8 [H, W, K])."""
    return A.Compose(POLICIES[name]())


def augment(policy: A.Compose, image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Apply a policy to an image, uint8 or float32 in units of 8 bits, and its mask."""
    if image.dtype == np.uint8:
        found = policy(image=image, mask=mask)
        return found["image"], found["mask"]
    found = policy(image=image / np.float32(WHITE), mask=mask)  # its floats run from 0 to 1
    return found["image"] * np.float32(WHITE), found["mask"]


def describe_policy(name: str) -> list[str]:
    """Name a policy's transforms in order, with their probability."""
    return [f"{type(step).__name__} p={step.p:g}" for step in POLICIES[name]()]


WHITE = 255

Droppable = tuple[tuple[int, int], ...]
"""Channels of sequences that may be missing, each with the channel that stands in for it."""


def droppable(task: Task, reverse: bool = False, shown: Sequence[int] = ()) -> Droppable:
    """List the sequences of a task that may be missing, those that are missing most often first.

    Reversed, the last sequence stands in the first channel. Where only some channels are shown, others cannot be lost.
    """
    own = [task.sequences[channel] for channel in shown] or list(task.sequences)
    order = own[::-1] if reverse else own
    pairs = [pair for pair in task.stand_ins.items() if set(pair) <= set(order)]
    return tuple((order.index(missing), order.index(other)) for missing, other in pairs)


def drop_sequences(
    view: np.ndarray, statistics: np.ndarray, chance: float, rng: np.random.Generator, lost: Droppable
) -> tuple[np.ndarray, np.ndarray]:
    """Replace a sequence that may be missing, and mostly the others too: of LGG one patient in ten comes like that.

    View uint8 [H, W, channels] and statistics float32 [channels, 2] are copied where they change; one channel alone is
    the primary sequence. `chance` is that of the first of the `lost`. Two numbers are always drawn, so that what
    follows does not depend on it.
    """
    first, others = rng.random(2)
    if first >= chance or not lost or view.shape[-1] == 1:
        return view, statistics
    view, statistics = view.copy(), statistics.copy()
    for channel, stand_in in lost if others < OTHERS_TOO else lost[:1]:
        view[..., channel] = view[..., stand_in]
        statistics[channel] = statistics[stand_in]
    return view, statistics


def refuse_by_task(options: RunOptions, task: Task) -> None:
    """Refuse flags that have no effect on data of these sequences.

    Raises:
        UserError: names the flag.
    """
    if "sequence_dropout" in options.given and options.training.sequence_dropout and not task.stand_ins:
        raise UserError(f"`sequence_dropout`: no sequence of {task.name} may be missing; leave it out")
    if "channel_order" in options.given and options.input.channel_order != "rgb" and len(task.sequences) != 3:
        raise UserError(f"`channel_order`: is of three sequences; {task.name} has {len(task.sequences)}: leave it out")
