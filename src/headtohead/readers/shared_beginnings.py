"""Which volumes look like scans of one patient by their names: those with a beginning in common, if the rest fits.

A beginning alone says little. Sites, studies and sets of data are beginnings as well (`TCGA_CS_4941`, `TCGA_CS_4942`),
so what follows must look like a scan's number: a word for visits, a date, or the same words behind other beginnings.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

MARK = "_/ .-"
WORD = rf"[^{MARK}]+"

MOST_SCANS = 12
"""More volumes with a shared beginning are those of a site or a study, not of a patient."""

VISIT = re.compile(
    r"(scan|ses|session|visit|tp|time|timepoint|day|week|month|year|fu|followup|baseline|bl|screening|pre|post|preop|"
    r"postop|run|rep|repeat|retest|exam)[0-9]*|[tvdwmy][0-9]+|(19|20)[0-9]{6}",
    re.IGNORECASE,
)
"""Words for the scans of a patient, and dates."""

SET = re.compile(
    r"(site|center|centre|hospital|institution|scanner|vendor|train|training|val|validation|test|testing|fold|batch|set|"
    r"dataset|group|cohort|class|images?(tr|ts)?|hgg|lgg|controls?|patients?)([0-9]+|[a-z])?",
    re.IGNORECASE,
)
"""Words for what holds several patients."""


class Shared(NamedTuple):
    """Two volumes that look like scans of one patient, and a `--patient_pattern` under which they are."""

    first: str
    second: str
    pattern: str


def shared_beginning(paths: Sequence[str]) -> Shared | None:
    """Find volumes that look like scans of one patient.

    Beginnings are tried at every mark, folders among them. Of several that fit, the shortest counts before words for
    visits, or else the longest.

    Args:
        paths: of volumes that count as patients of their own, below the data's folder, without suffix.
    """
    words = dict(zip(paths, _without_common_end([re.findall(WORD, path) for path in paths]), strict=True))
    fitting: dict[int, dict[tuple[str, ...], list[str]]] = {}
    for depth in range(1, max(map(len, words.values()), default=0)):
        groups = defaultdict(list)
        for path, parts in words.items():
            groups[tuple(parts[:depth])].append(path)
        several = {beginning: sorted(group) for beginning, group in groups.items() if len(group) > 1}
        # One beginning that all share is the study's name.
        if not several or len(groups) == 1 or max(map(len, several.values())) > MOST_SCANS:
            continue
        if any(map(_holds_patients, several)):
            continue
        if all(_is_visit(words[path][depth:]) for group in several.values() for path in group):
            return _shared(several, depth)
        if _fits(words, groups, depth):
            fitting[depth] = several
    return _shared(fitting[max(fitting)], max(fitting)) if fitting else None


def _without_common_end(names: list[list[str]]) -> list[list[str]]:
    """Leave out the last words if they are those of all names, such as `flair`."""
    while names and all(len(parts) > 1 for parts in names) and len({parts[-1] for parts in names}) == 1:
        names = [parts[:-1] for parts in names]
    return names


def _holds_patients(beginning: tuple[str, ...]) -> bool:
    last = beginning[-1]
    return bool(SET.fullmatch(last) or (len(beginning) > 1 and last.isdecimal() and SET.fullmatch(beginning[-2])))


def _is_visit(rest: list[str]) -> bool:
    """Say whether what follows a beginning is a visit; nothing is the first one (`P00`, `P00_scan2`)."""
    return not rest or VISIT.fullmatch(rest[0]) is not None


def _fits(words: dict[str, list[str]], groups: dict[tuple[str, ...], list[str]], depth: int) -> bool:
    """Say whether the rest of the names may be the number of a scan.

    It does where it is found behind several beginnings (`P00_a`, `P00_b`, `P01_a`), and where it is one word behind a
    beginning with a number (`P00_4711`, `P00_4712`, `P01_4713`).
    """
    ends = Counter(tuple(words[path][depth:]) for group in groups.values() for path in group)
    for beginning, group in groups.items():
        rests = [tuple(words[path][depth:]) for path in group]
        if len(group) > 1 and any(ends[rest] > 1 for rest in rests if rest):
            return True
        if len(group) > 1 and all(len(rest) == 1 for rest in rests) and re.search("[0-9]", beginning[-1]):
            return True
    return False


def _shared(several: dict[tuple[str, ...], list[str]], depth: int) -> Shared:
    first, second = several[min(several)][:2]
    return Shared(first, second, f"((?:{WORD}[{MARK}]+){{0,{depth - 1}}}{WORD})" if depth > 1 else f"({WORD})")
