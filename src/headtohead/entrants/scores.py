"""`--score --scores FILE`: scores that were computed elsewhere, compared as masks are, as far as scores alone allow."""

import hashlib
from pathlib import Path
from typing import Any

from headtohead.comparing.provenance import command_line
from headtohead.entrants.scores_file import read_scores_file
from headtohead.errors import UserError, printable
from headtohead.options.comparison import SCORED, ComparisonOptions
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.records.table_reader import LARGEST
from headtohead.reporting.report import SCORES_RECORD
from headtohead.reporting.scores_alone import write_report_of_scores
from headtohead.runs.holding import comparison_held


def compare_scores(file: Path, wanted: ComparisonOptions) -> Path:
    """Compare the scores of a CSV file, and write tables, figure and page. Gives the comparison's folder.

    Raises:
        UserError: the file cannot be used, or the folder holds something else; nothing is written then.
    """
    folder = Path(wanted.runs_dir) / (wanted.comparison or SCORED)
    cases = read_scores_file(file)
    record = {
        "file": printable(file),
        "key": hashlib.blake2b(read_regular(file, LARGEST), digest_size=16).hexdigest(),
        "command": command_line(),
    }
    with comparison_held(folder):
        _refuse_taken(folder, record, wanted.overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        write_report_of_scores(folder, cases, record, wanted.margin)
    return folder


def _refuse_taken(folder: Path, record: dict[str, Any], overwrite: bool) -> None:
    """Refuse a folder that holds runs or other files, and one of other scores unless told to replace them."""
    there = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    if not there:
        return
    try:
        before = read_json(folder / SCORES_RECORD)["key"]
    except (FileNotFoundError, UnreadableError, LookupError, TypeError):
        raise UserError(
            f"`scores`: {folder} holds something else than scores of a file, such as {printable(there[0].name)}; "
            "choose another `comparison`"
        ) from None
    if before != record["key"] and not overwrite:
        raise UserError(f"`scores`: {folder} holds other scores; choose another `comparison`, or add `overwrite`")
