"""Say whether a model has seen a case in its training: its Dice there is no test."""

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from headtohead.predicting.files.finding import Job
from headtohead.readers.file_names import is_volume, stem
from headtohead.readers.other_layouts import CHANNEL, IMAGES
from headtohead.readers.sequence_names import sequence_in_name
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows
from headtohead.trained.candidates import lies_in_data
from headtohead.trained.choosing import Choice
from headtohead.trained.start import BEFORE

SEEN = {"train": "trained on", "val": "chosen by validation on", BEFORE: "started from weights trained on"}

DEPTH = 5
"""Parts of a path, from its end, that may be in the name of a case."""


def part_of_split(choice: Choice, image: Path, index: int) -> str:
    """Say whether a model was trained on a slice, whose place among those of its folder is `index`, from 0.

    Returns:
        `train`, `val` or `test`; empty where the image is not of the data the run knows. Away from that data, and of a
        bundle, what model.json lists counts: `train` or `val`, by the name of the case.
    """
    known = _slices_of_case(choice, image)
    parts = set(known.values())
    # Split by slices, a case has some in each part: only the run's own list knows which.
    if len(parts) > 1 and stem(image).startswith(f"{image.absolute().parent.name}_"):
        return known.get(index + 1, "")
    return next((part for part in (*SEEN, "test") if part in parts), "")


def part_of_case(choice: Choice, job: Job) -> str:
    """Say whether a model was trained on a case, which is known by what its reader would call it.

    Returns:
        `train`, `val` (it chose epoch, threshold or clean-up), `start` (the weights that its training started from had
        seen it), or empty: none, as far as is known.
    """
    parts = _slices_of_case(choice, job.files[0]).values()
    return next((part for part in SEEN if part in parts), "")


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


def _slices_of_case(choice: Choice, image: Path) -> dict[int, str]:
    """Give the part of each slice of an image's case, by its number; 0 stands for all where model.json alone knows."""
    data = choice.record.get("data", {}) | choice.source.facts.data
    names = _names_in_training(image, str(data.get("patient_pattern") or ""))
    split, listed = _split_of(choice, image), data.get("parts") or {}
    own = [split[name] for name in names if name in split]
    return own[0] if own else next(({0: part} for name in names for part in SEEN if name in listed.get(part, ())), {})


def _names_in_training(image: Path, pattern: str) -> list[str]:
    """List what readers may have called the case of an image, wherever it lay: after file, folders, or by a pattern."""
    *folders, name = image.absolute().with_name(stem(image)).parts[-DEPTH:]
    bases = [name]
    if is_volume(image):
        channel, named = CHANNEL.fullmatch(name), sequence_in_name(name)
        bases += [*([channel["case"]] if channel else []), *([named.case] if named and named.case else [])]
    names = [folders[-1]] if not is_volume(image) and name.startswith(f"{folders[-1]}_") else []
    for depth in range(len(folders), -1, -1):
        above = [folder for folder in folders[depth:] if not IMAGES.fullmatch(folder)]
        names += ["_".join((*above, base)) for base in bases]
        with suppress(re.error):
            if pattern and not is_volume(image) and (match := re.search(pattern, "/".join((*folders[depth:], name)))):
                names.append(match[1 if match.re.groups else 0] or "")
    return names


def _split_of(choice: Choice, image: Path) -> dict[str, dict[int, str]]:
    """Give the part of each slice of each case of the run's own data, by name and number; none of other data."""
    if choice.run is None or not lies_in_data(image, choice.record) or not choice.run.split.is_file():
        return {}
    try:
        return _read_split(choice.run.split, choice.run.split.stat().st_mtime_ns)
    except (UnreadableError, ValueError):
        print(
            f"warning: {choice.run.split}: damaged, so it is not known whether {stem(image)} was trained on",
            file=sys.stderr,
        )
        return {}


@lru_cache(maxsize=16)
def _read_split(path: Path, changed: int) -> dict[str, dict[int, str]]:
    """Read a split once, though each file to be predicted is looked up in it; `changed` tells a newer one."""
    split: dict[str, dict[int, str]] = defaultdict(dict)
    for row in read_rows(path, ("case", "slice", "part")):
        split[row["case"]].setdefault(int(row["slice"]), row["part"])  # of one in two parts, what it was used for first
    return split
