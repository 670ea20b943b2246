"""`--score --scores FILE`: scores that were computed elsewhere, compared as masks are, as far as scores alone allow."""

from pathlib import Path

from headtohead.comparing.provenance import command_line
from headtohead.entrants.taken import refuse_taken
from headtohead.errors import printable
from headtohead.options.comparison import SCORED, ComparisonOptions
from headtohead.records.regular import read_regular
from headtohead.records.table_reader import LARGEST
from headtohead.reporting.scores_again import key_of_scores
from headtohead.reporting.scores_alone import SCORES_RECORD, write_report_of_scores
from headtohead.reporting.scores_file import read_scores_file
from headtohead.runs.holding import comparison_held


def compare_scores(file: Path, wanted: ComparisonOptions) -> Path:
    """Compare the scores of a CSV file, and write tables, figure and page. Gives the comparison's folder.

    Raises:
        UserError: the file cannot be used, or the folder holds something else; nothing is written then.
    """
    folder = Path(wanted.runs_dir) / (wanted.comparison or SCORED)
    cases = read_scores_file(file)
    content = read_regular(file, LARGEST)
    key, margin = key_of_scores(content), wanted.margin
    record = {"file": printable(file), "key": key, "margin": margin, "command": command_line()}
    with comparison_held(folder):
        refuse_taken(folder / SCORES_RECORD, key, wanted.overwrite, "scores", "scores of a file", "other scores")
        folder.mkdir(parents=True, exist_ok=True)
        write_report_of_scores(folder, content, cases, record, margin)
    return folder
