"""Scores that were computed elsewhere: a long CSV, one row a case and method, and of several targets one for each.

    case,method,target,score
    P01,nnunet,core,0.91
    P01,human2,core,0.88

The column target may be missing. A score is a Dice; an empty one says that the truth of the case does not hold the
target, so it must be empty for every method.
"""

import math
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.errors import UserError, did_you_mean, printable
from headtohead.options.comparison import ENDING, UNTRAINED, is_baseline
from headtohead.records.regular import UnreadableError, read_utf8
from headtohead.records.table_reader import LARGEST, UNEVEN, read_rows
from headtohead.statistics.targets import TARGET

if TYPE_CHECKING:
    import pandas as pd

CASE, METHOD, SCORE = "case", "method", "score"
COLUMNS = (CASE, METHOD, TARGET, SCORE)

FORMULA = ("=", "+", "-", "@")
"""How texts begin that spreadsheets take for formulas, which can start programs."""

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}

Key = tuple[str, str, str]
"""Case, target (empty where there is one) and method."""


def read_scores_file(path: Path) -> "pd.DataFrame":
    """Read and check it.

    Returns:
        Rows as in cases.csv of a comparison, without counts: model (the method), schedule, seed, fold, case, target
        where the file has it, and dice, NaN where the truth holds nothing. Methods stand in the order of the file.

    Raises:
        UserError: no such file, other columns, a score that is no Dice, a case twice or missing, or one that is
            undefined for some methods only.
    """
    import pandas as pd

    label = f"`scores` {printable(path)}"
    try:
        _refuse_separators(label, path)
        rows = read_rows(path)
    except FileNotFoundError:
        raise UserError(f"{label}: no such file; check the path") from None
    except UnreadableError as fault:
        decimal = " (a decimal comma parts a score in two: write 0.59, not 0,59)" if str(fault) == UNEVEN else ""
        raise UserError(f"{label}: {fault}{decimal}; correct the file") from None
    if not rows:
        raise UserError(f"{label}: no rows; it needs a line of names, {','.join(COLUMNS)}, and one for each score")
    _refuse_columns(label, list(rows[0]))
    found: dict[Key, float] = {}
    for line, row in enumerate(rows, start=2):
        key, score = _read_row(f"{label}: line {line}", row)
        if key in found:
            raise UserError(f"{label}: line {line}: {_named(key)} has a score already; leave one of them out")
        found[key] = score
    _refuse_gaps(label, found)
    keys = [(method, UNTRAINED, None, 0, case, target) for case, target, method in found]
    table = pd.DataFrame(keys, columns=["model", "schedule", "seed", "fold", CASE, TARGET])
    table = table.assign(seed=float("nan"), dice=list(found.values()))
    return table if TARGET in rows[0] else table.drop(columns=TARGET)


def _refuse_separators(label: str, path: Path) -> None:
    """Refuse a file whose first line has no commas, but what other programs put between columns."""
    header = read_utf8(path, LARGEST).partition("\n")[0]
    for separator, word in SEPARATORS.items():
        if separator in header and "," not in header:
            raise UserError(f"{label}: its columns are separated by {word}; save it with commas, and 0.59, not 0,59")


def _refuse_columns(label: str, names: list[str]) -> None:
    wanted = f"it takes {', '.join(COLUMNS)}, of which {TARGET} may be missing"
    for name in names:
        if name not in COLUMNS:
            raise UserError(
                f"{label}: unknown column {printable(name) or '(without a name)'}"
                f"{did_you_mean(name, COLUMNS)}; {wanted}"
            )
    if lacking := [name for name in COLUMNS if name not in names and name != TARGET]:
        raise UserError(f"{label}: no column {lacking[0]}; {wanted}")


def _read_row(label: str, row: dict[str, str]) -> tuple[Key, float]:
    for name in (CASE, METHOD, TARGET):
        if row.get(name, "").strip(" ").startswith("\t"):
            raise UserError(f"{label}: {name} {printable(row[name])} begins with a tab; rename it")
    texts = {name: value.strip() for name, value in row.items()}
    for name in (CASE, METHOD, *([TARGET] if TARGET in row else [])):
        if not texts[name]:
            raise UserError(f"{label}: no {name}; every row needs one")
        if not texts[name].isprintable():
            raise UserError(f"{label}: {name} {printable(texts[name])} has unprintable letters; rename it")
        if texts[name].startswith(FORMULA):
            raise UserError(
                f"{label}: {name} {texts[name]} begins with {texts[name][0]}: our tables would hold a formula that "
                "spreadsheets carry out; rename it"
            )
    if is_baseline(texts[METHOD]):
        raise UserError(f"{label}: {texts[METHOD]} ends as the baselines of this program do ({ENDING}); rename it")
    key = (texts[CASE], texts.get(TARGET, ""), texts[METHOD])
    if not texts[SCORE]:
        return key, math.nan
    if re.fullmatch(r"[-+]?\d*,\d+", texts[SCORE]):
        raise UserError(f"{label}: {texts[SCORE]} has a decimal comma; write {texts[SCORE].replace(',', '.')}")
    try:
        score = float(texts[SCORE])
    except ValueError:
        raise UserError(f"{label}: {printable(texts[SCORE])} is no score; write a number such as 0.87") from None
    if not 0 <= score <= 1:
        percent = "; if it is in percent, divide by 100" if 1 < score <= 100 else ""
        raise UserError(f"{label}: {texts[SCORE]} is no Dice, which lies between 0 and 1{percent}")
    return key, score


def _refuse_gaps(label: str, found: dict[Key, float]) -> None:
    """Refuse methods that were not scored on the same cases: who is compared depends on the truth alone."""
    methods = dict.fromkeys(method for _, _, method in found)
    by_case: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for (case, target, method), score in found.items():
        by_case[case, target][method] = score
    for (case, target), scores in by_case.items():
        where = f"{case}, {target}" if target else case
        lacking = [method for method in methods if method not in scores]
        if lacking:
            short = sum(lacking[0] not in other for other in by_case.values())
            raise UserError(
                f"{label}: {lacking[0]} has no score on {where} ({short} of {len(by_case)} missing); methods are "
                "compared on the same cases: add its score, or leave the case out for all"
            )
        undefined = [method for method, score in scores.items() if math.isnan(score)]
        if undefined and len(undefined) < len(scores):
            raise UserError(
                f"{label}: the score of {undefined[0]} on {where} is empty, but not that of every method; an empty "
                "score says that the truth holds nothing there, whatever was predicted; write 0 where nothing was found"
            )
    if all(math.isnan(score) for score in found.values()):
        raise UserError(f"{label}: every score is empty; there is nothing to compare")


def _named(key: Key) -> str:
    case, target, method = key
    return f"{method} on {case}{f', {target}' if target else ''}"
