"""`--score --scores FILE`: scores that were computed elsewhere, compared as masks are, as far as scores alone allow."""

import hashlib
from pathlib import Path

from headtohead.comparing.provenance import command_line
from headtohead.entrants.scores_file import read_scores_file
from headtohead.entrants.taken import refuse_taken
from headtohead.errors import printable
from headtohead.options.comparison import SCORED, ComparisonOptions
from headtohead.records.regular import read_regular
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
        refuse_taken(
            folder / SCORES_RECORD, record["key"], wanted.overwrite, "scores", "scores of a file", "other scores"
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_report_of_scores(folder, cases, record, wanted.margin)
    return folder
