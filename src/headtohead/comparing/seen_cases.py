"""No patient of an external test may be one that the model was trained on, chosen by, or tested on before."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headtohead.batches.splits import PARTS
from headtohead.cohort import Cohort
from headtohead.cohort.pack import find_packed
from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.readers.reader import find_reader
from headtohead.readers.tasks import task_of
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows

WORDS = {"train": "trained on", "val": "chosen by", "test": "tested on before"}
SHOWN = 3
OTHER_PEOPLE = ", or, where they are other people of the same name, tell them apart with `patient_pattern`"


@dataclass(frozen=True)
class Known:
    """What is known of the cases that made a model.

    Attributes:
        parts: case -> `train`, `val` or `test`; empty where nobody knows.
        cohort: their data, where the packed copy is still there; it knows whose each case is, and its pixels.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    cohort: Cohort | None = None

    @property
    def certainty(self) -> str:
        """Say what was compared, for the record."""
        if not self.parts:
            return "not known: the model does not say which cases made it"
        return "patients and pixels" if self.cohort else "names of cases"

    def seen(self, cohort: Cohort) -> dict[str, str]:
        """Find the cases of a cohort that made the model: case -> part, the one that says most."""
        table, own = cohort.table, self.cohort
        if own is None:
            names = {case: (case, patient) for case, patient in zip(table["case"], table["patient"], strict=True)}
            return {case: part for case, both in names.items() for part in _first(self.parts, both)}
        patients: dict[str, str] = {}
        for case, patient in zip(own.table["case"], own.table["patient"], strict=True):
            _note(patients, patient, self.parts.get(case, "test"))
        found = {
            case: patients[who] for case, who in zip(table["case"], table["patient"], strict=True) if who in patients
        }
        for case, other in same_pixels(cohort, own).items():
            _note(found, case, self.parts.get(other, "test"))
        return found


def known_cases(record: Mapping[str, Any], data: Mapping[str, Any], split: Path | None, cache_dir: Path) -> Known:
    """Collect what a run's split.csv, or model.json of a bundle, says of the cases that made a model.

    Args:
        record: what run.json says of the data; empty of a bundle.
        data: what model.json says of it.
        split: split.csv of the run.
        cache_dir: where packed copies are.

    Raises:
        UserError: split.csv is damaged.
    """
    parts: dict[str, str] = {}
    for part in PARTS:
        for case in data.get("parts", {}).get(part, ()):
            _note(parts, case, part)
    if split and split.is_file():
        try:
            for row in read_rows(split, ("case", "slice", "part")):
                _note(parts, row["case"], row["part"])
        except (UnreadableError, ValueError) as fault:
            raise UserError(f"{split}: damaged ({fault}), so it is not known who was trained on; restore it") from None
    facts = {**data, **record}
    cohort = find_packed(cache_dir, str(facts.get("key", "")), task_of(dict(facts)))
    return Known(parts, cohort if cohort is None or set(parts) <= set(cohort.table["case"]) else None)


def refuse_seen(known: Known, cohort: Cohort, model: str, not_its_own: str = "") -> None:
    """Refuse a cohort that holds cases of patients the model has seen.

    Args:
        known: of the model.
        cohort: the cohort.
        model: its name.
        not_its_own: what to say first where the data may have been meant to be the model's own.

    Raises:
        UserError: names the cases.
    """
    seen = known.seen(cohort)
    if not seen:
        return
    others = "" if "patient_pattern" not in find_reader(cohort.data).takes else OTHER_PEOPLE
    said = [f"{', '.join(_some(cases))} ({WORDS[part]})" for part in PARTS if (cases := _of(seen, part))]
    raise UserError(
        f"`root_dir` {cohort.root}: {not_its_own}{count_of(len(seen), 'case')} of {len(cohort)} are of patients that "
        f"made {model}: {'; '.join(said)}; an external test is of others: leave these out of the "
        f"folder{others}"
    )


def same_pixels(cohort: Cohort, other: Cohort) -> dict[str, str]:
    """Find the cases of a cohort whose primary sequence is that of a case of another, to the last pixel."""
    shapes = {shape for _, shape in _shapes(other)}
    wanted = {shape for _, shape in _shapes(cohort)} & shapes
    prints = {_print(other, place): str(other.table["case"].iloc[place]) for place, s in _shapes(other) if s in wanted}
    found = {place: _print(cohort, place) for place, shape in _shapes(cohort) if shape in wanted}
    return {str(cohort.table["case"].iloc[place]): prints[one] for place, one in found.items() if one in prints}


def _shapes(cohort: Cohort) -> list[tuple[int, tuple[int, ...]]]:
    return list(enumerate(map(tuple, cohort.table[["slices", "height", "width"]].to_numpy().tolist())))


def _print(cohort: Cohort, place: int) -> bytes:
    pixels = cohort.primary(place)
    return hashlib.blake2b(str(pixels.shape).encode() + pixels.tobytes(), digest_size=16).digest()


def _note(parts: dict[str, str], name: str, part: str) -> None:
    """Keep the part that says most: training before validation before test."""
    known = [one for one in (part, parts.get(name)) if one in PARTS]
    if known:
        parts[name] = min(known, key=PARTS.index)


def _first(parts: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    return [parts[name] for name in names if name in parts][:1]


def _of(seen: Mapping[str, str], part: str) -> list[str]:
    return sorted(case for case, its in seen.items() if its == part)


def _some(cases: list[str]) -> list[str]:
    return cases[:SHOWN] + [f"and {len(cases) - SHOWN} more"] * (len(cases) > SHOWN)
