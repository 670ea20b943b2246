"""Say whether a model has seen a case in its training: its Dice there is no test."""

import sys
from collections.abc import Sequence
from pathlib import Path

from headtohead.predicting.files.finding import Job
from headtohead.readers.file_names import stem
from headtohead.readers.sequence_names import sequence_in_name
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows
from headtohead.trained.candidates import lies_in_data
from headtohead.trained.choosing import Choice

SEEN = {"train": "trained on", "val": "chosen by validation on"}


def part_of_split(choice: Choice, image: Path, index: int) -> str:
    """Say whether a model was trained on a slice, whose place among those of its case is `index`, from 0.

    Returns:
        `train`, `val` or `test`; empty where the image is not of the data the run knows. Away from that data, and of a
        bundle, what model.json lists counts: `train` or `val`, by the name of the case's folder.
    """
    case = image.absolute().parent.name
    # Split by slices, a case has some in each part: only the run's own list knows which.
    return _split_of(choice, image, case).get(index + 1) or _listed_part(choice, case)


def part_of_case(choice: Choice, job: Job) -> str:
    """Say whether a model was trained on a case, which is known by the name of its folder of slices, or of its volume.

    Returns:
        `train`, `val` (it chose epoch, threshold or clean-up), or empty: neither, as far as is known.
    """
    image = job.files[0]
    names = [image.absolute().parent.name]
    if job.kind == "nifti":
        named = sequence_in_name(stem(image))
        names = [stem(image), *([named.case] if named and named.case else [])]
    elif not stem(image).startswith(f"{names[0]}_"):  # a picture that only happens to lie there
        return ""
    for case in names:
        parts = set(_split_of(choice, image, case).values()) or {_listed_part(choice, case)}
        if seen := next((part for part in SEEN if part in parts), ""):
            return seen
    return ""


def seen_before(choices: Sequence[Choice], job: Job) -> tuple[str, list[str]]:
    """Say whether any of several models has seen a case, which flatters its Dice.

    Returns:
        The part that says most, `train` before `val`, or empty; and warnings in words.
    """
    parts = [part_of_case(choice, job) for choice in choices]
    warnings = []
    for part, words in SEEN.items():
        if number := parts.count(part):
            several = f"{number} of {len(parts)} models {'was' if number == 1 else 'were'}"
            warnings.append(f"{several if len(parts) > 1 else 'the model was'} {words} this case")
    return next((part for part in SEEN if part in parts), ""), warnings


def _listed_part(choice: Choice, case: str) -> str:
    parts = choice.source.facts.data.get("parts") or {}
    return next((part for part in SEEN if case in parts.get(part, ())), "")


def _split_of(choice: Choice, image: Path, case: str) -> dict[int, str]:
    """Give the part of each slice of a case of the run's own data, by its number; none of other data."""
    if choice.run is None or not lies_in_data(image, choice.record) or not choice.run.split.is_file():
        return {}
    try:
        rows = read_rows(choice.run.split, ("case", "slice", "part"))
        return {int(row["slice"]): row["part"] for row in rows if row["case"] == case}
    except (UnreadableError, ValueError):
        print(
            f"warning: {choice.run.split}: damaged, so it is not known whether {case} was trained on", file=sys.stderr
        )
        return {}
