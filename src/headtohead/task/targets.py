"""Targets: what is segmented. On disk a case has one label map; what a model learns are channels, one a target.

A label map is kept as it is and encoded late: it is smaller than its channels, and what somebody else's program reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

REGIONS, CLASSES = "regions", "classes"
BACKGROUND = 0
LARGEST_LABEL = 2**16 - 1
COLOURS = ((214, 39, 40), (31, 119, 180), (44, 160, 44), (255, 127, 14), (148, 103, 189), (23, 190, 207))
"""Red, green and blue of targets that name no colour, in turn."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Target:
    """One structure to be segmented.

    Attributes:
        name: such as `whole tumour`.
        labels: the values of a label map that it unites, ascending, without 0.
        colour: red, green and blue in 0 to 255, in which it is drawn.
    """

    name: str
    labels: tuple[int, ...]
    colour: Colour = COLOURS[0]

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: its name cannot be written, or it has no labels, or one that no label map holds; or the colour
                is none.
        """
        if not self.name.strip():
            raise ValueError("a target needs a name")
        # It stands in tables, and in clean-ups between semicolons.
        if not self.name.isprintable() or ";" in self.name or self.name != self.name.strip():
            raise ValueError(f"a target's name is a line without a semicolon or outer spaces, not {self.name!r}")
        if not self.labels or not all(0 < label <= LARGEST_LABEL for label in self.labels):
            found = ", ".join(map(str, self.labels)) or "none"
            raise ValueError(f"{self.name}: labels must be whole numbers from 1 to {LARGEST_LABEL}, not {found}")
        if list(self.labels) != sorted(set(self.labels)):
            raise ValueError(f"{self.name}: labels must ascend, each once, not {self.labels}")
        if len(self.colour) != 3 or not all(0 <= part <= 255 for part in self.colour):
            raise ValueError(f"{self.name}: a colour is three numbers from 0 to 255, not {self.colour}")


@dataclass(frozen=True)
class Targets:
    """The targets of a task, in a declared order.

    Attributes:
        all: the targets. Of regions that lie within each other the outer one comes first.
        kind: `regions`: targets may overlap, and a model answers each by itself (sigmoid). `classes`: they exclude
            each other, and a model chooses one of them or the background (softmax).
        others: labels that belong to no target and count as background.
        written: the label that each target is written as: its first that no later target has.
        overlaps: which targets a voxel is, and the label that says so, where the later target's would say another.
    """

    all: tuple[Target, ...]
    kind: str = REGIONS
    others: tuple[int, ...] = ()
    written: tuple[int, ...] = field(init=False, repr=False, compare=False)
    overlaps: tuple[tuple[tuple[bool, ...], int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that a label map can be encoded and decoded.

        Raises:
            ValueError: there are no targets, two of one name, or classes that share a label; or a region has no label
                of its own to be written as; or a label is a target's and background.
        """
        if not self.all:
            raise ValueError("a task needs a target")
        if self.kind not in (REGIONS, CLASSES):
            raise ValueError(f"targets are {REGIONS} or {CLASSES}, not {self.kind}")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"two targets have the same name: {', '.join(self.names)}")
        if shared := set(self.labels) & set(self.others):
            raise ValueError(f"label {min(shared)} is a target's, so it cannot count as background")
        object.__setattr__(self, "written", tuple(self._own_label(place) for place in range(len(self.all))))
        object.__setattr__(self, "overlaps", tuple(self._labels_of_overlaps().items()))

    def _own_label(self, place: int) -> int:
        """Give the label that a target is written as: the first that no target after it has."""
        later = {label for target in self.all[place + 1 :] for label in target.labels}
        target = self.all[place]
        if self.kind == CLASSES and (shared := later & set(target.labels)):
            raise ValueError(
                f"label {min(shared)} belongs to two classes; classes exclude each other, regions need not"
            )
        same = [other.name for other in self.all[place + 1 :] if set(other.labels) == set(target.labels)]
        if same:
            raise ValueError(f"{target.name} and {same[0]} have the same labels; leave one of them out")
        own = [label for label in target.labels if label not in later]
        if not own:
            raise ValueError(
                f"{target.name}: all its labels belong to targets that come after it; name the outer regions first"
            )
        return own[0]

    def _labels_of_overlaps(self) -> dict[tuple[bool, ...], int]:
        """Find the labels that unite targets of which none lies within the other."""
        found: dict[tuple[bool, ...], int] = {}
        for label in self.labels:
            inside = self._inside(label)
            last = max(place for place, one in enumerate(inside) if one)
            if self._inside(self.written[last]) != inside:
                found.setdefault(inside, label)
        return found

    def _inside(self, label: int) -> tuple[bool, ...]:
        return tuple(label in target.labels for target in self.all)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(target.name for target in self.all)

    @property
    def thresholded(self) -> bool:
        """Whether a threshold decides; if not, the most probable target does."""
        return self.kind == REGIONS or len(self.all) == 1

    @property
    def labels(self) -> tuple[int, ...]:
        """All labels that belong to a target, ascending."""
        return tuple(sorted({label for target in self.all for label in target.labels}))

    @property
    def logits(self) -> int:
        """Channels of a model's answer: one a target, and of classes one more, the first, for the background."""
        return len(self.all) + (self.kind == CLASSES)

    def strays(self, labels: NDArray[np.integer]) -> tuple[int, ...]:
        """Give the values of a label map that are neither background, nor a target's, nor among `others`, ascending."""
        known = {BACKGROUND, *self.labels, *self.others}
        return tuple(int(value) for value in np.unique(labels) if int(value) not in known)

    def encode(self, labels: NDArray[np.unsignedinteger]) -> NDArray[np.bool_]:
        """Encode a label map as channels.

        Args:
            labels: uint8 or uint16, any shape. Labels of no target are background.

        Returns:
            bool [K, ...], one channel a target.

        Raises:
            ValueError: the labels are not uint8 or uint16.
        """
        if labels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"a label map is uint8 or uint16, not {labels.dtype}")
        channels = np.zeros((len(self.all), *labels.shape), bool)
        for channel, target in zip(channels, self.all, strict=True):
            for label in target.labels:
                if label <= np.iinfo(labels.dtype).max:
                    channel |= labels == label
        return channels

    def decode(self, channels: NDArray[np.bool_]) -> NDArray[np.unsignedinteger]:
        """Write channels as a label map, one target over the other in their order.

        Of a target that unites several labels, the first is written that no later target has; where targets overlap
        and a label says so, that label. So `decode(encode(labels))` is of the same targets as the label map, and the
        label map itself where no two labels are of the same targets.

        Args:
            channels: bool [K, ...].

        Returns:
            uint8 [...], or uint16 where a label needs it.

        Raises:
            ValueError: there is not one channel a target.
        """
        if len(channels) != len(self.all) or channels.dtype != np.bool_:
            raise ValueError(f"needs bool channels of {len(self.all)} targets, not {channels.dtype} {channels.shape}")
        largest = max(*self.written, *(label for _, label in self.overlaps), 0)
        labels = np.zeros(channels.shape[1:], np.uint8 if largest < 256 else np.uint16)
        for channel, label in zip(channels, self.written, strict=True):
            labels[channel] = label
        for inside, label in self.overlaps:
            labels[np.logical_and.reduce([one == there for one, there in zip(channels, inside, strict=True)])] = label
        return labels

    def decide(self, probability: NDArray[np.floating], threshold: float) -> NDArray[np.unsignedinteger]:
        """Decide what each voxel is: the only place, but for its equal on a device, where probabilities become labels.

        A prediction is `encode(decide(probability, threshold))`, so that what is scored is what is written.

        Args:
            probability: float [K, ...], one channel a target; of classes, the rest up to 1 is the background's.
            threshold: a voxel is a region from this probability on. Of two classes or more the most probable one is
                taken, or the background where that is more probable than each; the threshold then has no effect.

        Returns:
            The label map, uint8 or uint16 [...], as `decode` writes it.

        Raises:
            ValueError: there is not one channel a target.
        """
        if self.thresholded:
            return self.decode(probability >= threshold)
        # One sum after the other: it then rounds alike on every machine and device.
        background = 1 - reduce(np.add, probability)
        chosen = np.where(probability.max(axis=0) >= background, probability.argmax(axis=0), -1)
        return self.decode(np.stack([chosen == place for place in range(len(probability))]))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for run.json and model.json."""
        return {
            "kind": self.kind,
            "labels": {target.name: list(target.labels) for target in self.all},
            "colours": {target.name: list(target.colour) for target in self.all},
            "others": list(self.others),
        }

    @property
    def labelling(self) -> dict[str, Any]:
        """Of the plain data, what must be equal for scores to be of the same: all but the colours."""
        return {fact: value for fact, value in self.to_dict().items() if fact != "colours"}

    @classmethod
    def from_dict(cls, found: Any) -> "Targets":
        """Make targets of plain data, which may come from anybody.

        Raises:
            ValueError: something is missing or of another kind than `to_dict` gives.
        """
        try:
            colours = found["colours"]
            targets = tuple(
                Target(str(name), _whole(labels), _colour(colours[name])) for name, labels in found["labels"].items()
            )
            return cls(targets, str(found["kind"]), _whole(found["others"]))
        except (KeyError, TypeError, AttributeError) as fault:
            raise ValueError(f"not targets: {fault}") from fault


def _whole(values: Iterable[Any]) -> tuple[int, ...]:
    found = tuple(values)
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in found):
        raise TypeError("labels must be whole numbers")
    return found


def _colour(values: Iterable[Any]) -> Colour:
    red, green, blue = _whole(values)
    return red, green, blue
