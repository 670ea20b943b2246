"""No patient of an external test may be one that the model was trained on, chosen by, or tested on before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headtohead.batches.splits import PARTS
from headtohead.cohort import Cohort
from headtohead.cohort.known_slices import same_pixels
from headtohead.cohort.pack import find_packed
from headtohead.errors import UserError
from headtohead.options.data import DATA_SETS, LABEL_MAPS
from headtohead.plurals import count_of
from headtohead.readers.reader import find_reader
from headtohead.readers.tasks import task_of
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows
from headtohead.runs.external import CERTAIN
from headtohead.runs.folder import RunFolder

DATA = "data"
WORDS = {
    "train": "trained on",
    "val": "chosen by",
    "test": "tested on before",
    DATA: "of the data that it was made from",
}
NAMES = "names of cases and patients"
UNKNOWN = "not known: the model does not say which cases made it"
SHOWN = 3
OTHER_PEOPLE = ", or, where they are other people of the same name, tell them apart with `patient_pattern`"


@dataclass(frozen=True)
class Known:
    """What is known of the cases that made a model.

    Attributes:
        parts: case -> `train`, `val` or `test`; empty where nobody knows.
        patients: patient -> part, as far as they are known without the packed copy.
        cohort: their data, where the packed copy is still there; it knows whose each case is, and its pixels.
    """

    parts: Mapping[str, str] = field(default_factory=dict)
    patients: Mapping[str, str] = field(default_factory=dict)
    cohort: Cohort | None = None

    @property
    def certainty(self) -> str:
        """Say what was compared, for the record."""
        if self.cohort:
            return CERTAIN
        return NAMES if self.parts else UNKNOWN

    def seen(self, cohort: Cohort) -> dict[str, str]:
        """Find the cases of a cohort that made the model: case -> part, the one that says most."""
        table, own = cohort.table, self.cohort
        if own is None:
            names = {case: (case, patient) for case, patient in zip(table["case"], table["patient"], strict=True)}
            said = {**self.patients, **self.parts}
            return {case: part for case, both in names.items() for part in _first(said, both)}
        patients: dict[str, str] = {}
        unsaid = "test" if self.parts else DATA
        for case, patient in zip(own.table["case"], own.table["patient"], strict=True):
            _note(patients, patient, self.parts.get(case, unsaid))
        found = {
            case: patients[who] for case, who in zip(table["case"], table["patient"], strict=True) if who in patients
        }
        for case, other in same_pixels(cohort, own).items():
            _note(found, case, self.parts.get(other, unsaid))
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
    if cohort is not None and set(parts) <= set(cohort.table["case"]):
        return Known(parts, cohort=cohort)
    return Known(parts, _patients_of_test(split) | _patients_by_name(parts, facts))


def _patients_by_name(parts: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, str]:
    """Find whose the cases are by their names, as the reader of their data or its `patient_pattern` says."""
    kind, pattern = str(facts.get("kind", "")), str(facts.get("patient_pattern") or "")
    named = find_reader(kind).patient_of if kind in (*DATA_SETS, LABEL_MAPS) else str
    patients: dict[str, str] = {}
    for case, part in parts.items():
        try:
            match = re.search(pattern, case) if pattern else None
        except re.error:  # of a damaged record
            match = None
        # The pattern was written for paths; of a name without a match the name is all there is.
        patient = (match[1] if match.re.groups else match[0]) if match else named(case)
        _note(patients, patient or case, part)
    return patients


def _patients_of_test(split: Path | None) -> dict[str, str]:
    """Read the patients of the internal test, which its table of cases names."""
    try:
        rows = read_rows(RunFolder(split.parent).cases, ("patient",)) if split else []
        return {row["patient"]: "test" for row in rows if row["patient"]}
    except (OSError, UnreadableError, ValueError):  # an earlier version's, which has no patients; or none
        return {}


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
    said = [f"{', '.join(_some(cases))} ({word})" for part, word in WORDS.items() if (cases := _of(seen, part))]
    raise UserError(
        f"`root_dir` {cohort.root}: {not_its_own}{count_of(len(seen), 'case')} of {len(cohort)} are of patients that "
        f"made {model}: {'; '.join(said)}; an external test is of others: leave these out of the "
        f"folder{others}"
    )


def _note(parts: dict[str, str], name: str, part: str) -> None:
    """Keep the part that says most: training before validation before test."""
    order = list(WORDS)
    known = [one for one in (part, parts.get(name)) if one in order]
    if known:
        parts[name] = min(known, key=order.index)


def _first(parts: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    return [parts[name] for name in names if name in parts][:1]


def _of(seen: Mapping[str, str], part: str) -> list[str]:
    return sorted(case for case, its in seen.items() if its == part)


def _some(cases: list[str]) -> list[str]:
    return cases[:SHOWN] + [f"and {len(cases) - SHOWN} more"] * (len(cases) > SHOWN)
