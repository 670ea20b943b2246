"""A task: what is segmented, from which sequences, and whose data taught it."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from headtohead.task.slicing import ACQUIRED, PLANES
from headtohead.task.targets import Targets

UNNAMED = "image"
"""The one sequence of a task on volumes of which nobody says what they are: any volume is taken for it."""


@dataclass(frozen=True)
class Task:
    """What is segmented from what.

    Attributes:
        name: of the data set or the task, such as `LGG MRI segmentation`.
        sequences: what the channels of a case are, by name, in order.
        primary: the sequence that lesions are outlined on: it is drawn in pictures, its slices before and after become
            further channels, its grid is the case's, and models of one channel take it.
        targets: what is segmented.
        stand_ins: sequence that may be missing -> the sequence that then takes its channel; those that are missing
            most often first.
        plane: in which a model is shown slices: `axial`, `coronal`, `sagittal`, or `acquired` (that of the scan).
        licence: under which the data may be used; empty where nobody says.
        citation: what a report on these data must cite; empty where nobody says.
    """

    name: str
    sequences: tuple[str, ...]
    primary: str
    targets: Targets
    stand_ins: dict[str, str] = field(default_factory=dict, hash=False)
    plane: str = ACQUIRED
    licence: str = ""
    citation: str = ""

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: sequences repeat, or one is named that is not among them, or one that stands in may be missing,
                or the plane is none.
        """
        if not self.sequences or len(set(self.sequences)) < len(self.sequences):
            raise ValueError(f"{self.name}: needs sequences of different names, not {', '.join(self.sequences)}")
        if self.primary not in self.sequences:
            raise ValueError(f"{self.name}: the primary sequence {self.primary} is not among {self.sequences}")
        if self.primary in self.stand_ins:
            raise ValueError(f"{self.name}: the primary sequence {self.primary} cannot be missing")
        if double := self.stand_ins.keys() & set(self.stand_ins.values()):
            raise ValueError(f"{self.name}: {min(double)} stands in for another, so it cannot be missing")
        for sequence in (*self.stand_ins, *self.stand_ins.values()):
            if sequence not in self.sequences:
                raise ValueError(f"{self.name}: {sequence} is not among the sequences {', '.join(self.sequences)}")
        if self.plane not in (*PLANES, ACQUIRED):
            raise ValueError(f"{self.name}: the plane is one of {', '.join(PLANES)} or {ACQUIRED}, not {self.plane}")

    @property
    def unnamed(self) -> bool:
        """Whether its volumes are of no particular sequence."""
        return self.sequences == (UNNAMED,)

    @property
    def primary_channel(self) -> int:
        """Which channel the primary sequence is."""
        return self.sequences.index(self.primary)

    def lost(self, there: Container[str]) -> list[str]:
        """List the sequences that are not there and that none stands in for."""
        return [one for one in self.sequences if one not in there and one not in self.stand_ins]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for run.json and model.json."""
        return {
            "name": self.name,
            "sequences": list(self.sequences),
            "primary": self.primary,
            "targets": self.targets.to_dict(),
            "stand_ins": dict(self.stand_ins),
            "plane": self.plane,
            "licence": self.licence,
            "citation": self.citation,
        }

    @classmethod
    def from_dict(cls, found: Any) -> "Task":
        """Make a task of plain data, which may come from anybody.

        Raises:
            ValueError: something is missing or of another kind than `to_dict` gives.
        """
        try:
            texts = {name: _text(found[name]) for name in ("name", "primary", "plane", "licence", "citation")}
            sequences = tuple(map(_text, found["sequences"]))
            stand_ins = {_text(missing): _text(other) for missing, other in found["stand_ins"].items()}
            return cls(sequences=sequences, targets=Targets.from_dict(found["targets"]), stand_ins=stand_ins, **texts)
        except (KeyError, TypeError, AttributeError) as fault:
            raise ValueError(f"not a task: {fault}") from fault


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
