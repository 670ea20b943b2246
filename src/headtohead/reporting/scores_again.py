"""The report of scores alone, written again from the copy of their file."""

import hashlib
from pathlib import Path
from typing import Any

from headtohead.errors import UserError, printable
from headtohead.options.comparison import MARGIN
from headtohead.records import shape
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.records.table_reader import LARGEST
from headtohead.reporting.margin import chosen_margin
from headtohead.reporting.scores_alone import SCORES_COPY, SCORES_RECORD, write_report_of_scores
from headtohead.reporting.scores_file import read_scores_file
from headtohead.runs.holding import comparison_held

AGAIN = "run `score` with `scores` and the file again"
RECORD = shape.mapping(
    {"file": shape.text, "key": shape.text, "command": shape.text, "margin": shape.number(0, 1)},
    needed=("file", "key"),
)


def key_of_scores(file: bytes) -> str:
    """Give the key of a file of scores, which two files share only if they are equal."""
    return hashlib.blake2b(file, digest_size=16).hexdigest()


def rewrite_report_of_scores(folder: Path, margin: float | None) -> None:
    """Write again what `write_report_of_scores` wrote.

    Args:
        folder: of the comparison, which has a record of scores.
        margin: as `margin_of` gives it.

    Raises:
        UserError: the record or the copy of the scores is missing, damaged or changed.
    """
    with comparison_held(folder):
        record, copy = _record(folder / SCORES_RECORD), folder / SCORES_COPY
        try:
            file = read_regular(copy, LARGEST)
        except FileNotFoundError:  # earlier versions kept none
            of = f"made of scores alone ({printable(record['file'])}), of which no copy is here"
            raise UserError(f"{folder}: {of}; {AGAIN}") from None
        except UnreadableError as fault:
            raise UserError(f"{copy}: {fault}; {AGAIN}") from None
        if key_of_scores(file) != record["key"]:
            raise UserError(f"{copy}: was changed after it was scored; {AGAIN}")
        chosen, changed = chosen_margin(margin, [record.get("margin", MARGIN)], "the scores were compared")
        write_report_of_scores(folder, file, read_scores_file(copy), record, chosen, changed)


def _record(path: Path) -> dict[str, Any]:
    try:
        record = read_json(path)
    except (OSError, UnreadableError) as fault:
        raise UserError(f"{path}: damaged ({fault}); {AGAIN}") from None
    if (wrong := RECORD(record)) is not None:
        raise UserError(f"{path}: damaged ({wrong}); {AGAIN}")
    return record
