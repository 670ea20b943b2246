"""Whose scan a volume is: by the names of BIDS, or as `patient_pattern` says; and which look like one patient's.

A beginning in common alone says little. Sites, studies and sets of data are beginnings as well (`TCGA_CS_4941`,
`TCGA_CS_4942`), so what follows must look like a scan's number: a word for visits, a date, or the same words behind
other beginnings.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.readers.reader import CaseFiles
from headtohead.readers.volume_names import volume_end, volume_stem

SUBJECT = re.compile(r"(?:^|_)(sub-[A-Za-z0-9]+)(?=_|$)")

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


def bids_patients(cases: Sequence[CaseFiles], root: Path) -> list[CaseFiles]:
    """Settle whose scan each volume is by its name.

    `sub-01` in the file's name, or in that of a folder, so that sessions of a subject are one patient's; else each case
    is a patient of its own.
    """
    named = []
    for case in cases:
        *folders, stem = _path_of(case, root).split("/")
        found = SUBJECT.search(stem) or next(filter(None, map(SUBJECT.fullmatch, reversed(folders))), None)
        named.append(replace(case, patient=found[1] if found else case.name))
    return named


def patients_by_pattern(cases: Sequence[CaseFiles], root: Path, pattern: str) -> list[CaseFiles]:
    """Settle whose scan each case is by a regular expression.

    It is searched for in the path of a case's first image below `root`, without suffix; its first group is the patient,
    or all that matches.

    Raises:
        UserError: it does not match a case, or matches nothing of it.
    """
    named = []
    for case in cases:
        path = _path_of(case, root)
        match = re.search(pattern, path)
        patient = (match[1] if match.re.groups else match[0]) if match else ""
        if not patient:
            raise UserError(
                f"`patient_pattern` {pattern}: {'finds no patient in' if match else 'does not match'} {path} (below "
                f"{root}); give a pattern whose first group is the patient in every path"
            )
        named.append(replace(case, patient=str(patient)))
    return named


def print_patients(cases: Sequence[CaseFiles], root: Path, files: str) -> None:
    """Print how many volumes, or what the `files` are, of how many patients there are."""
    patients = len({case.patient for case in cases})
    outlined = sum(max(1, len(case.masks)) for case in cases)
    print(f"{root}: {count_of(outlined, files.removesuffix('s'))} of {count_of(patients, 'patient')}")


def warn_of_shared_beginnings(cases: Sequence[CaseFiles], root: Path) -> None:
    """Print a warning where volumes that count as patients of their own look like scans of one.

    Beginnings are tried at every mark, folders among them. Of several that fit, the shortest counts before words for
    visits, or else the longest.
    """
    paths = [_path_of(case, root) for case in cases if case.patient == case.name]
    words = dict(zip(paths, _without_common_end([re.findall(WORD, path) for path in paths]), strict=True))
    fitting: tuple[int, dict[tuple[str, ...], list[str]]] | None = None
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
        # Nothing behind a beginning is the first visit (`P00`, `P00_scan2`).
        rests = [words[path][depth:] for group in several.values() for path in group]
        if all(not rest or VISIT.fullmatch(rest[0]) for rest in rests):
            fitting = depth, several
            break
        if _fits(words, groups, depth):
            fitting = depth, several
    if fitting is None:
        return
    depth, several = fitting
    first, second = several[min(several)][:2]
    pattern = f"((?:{WORD}[{MARK}]+){{0,{depth - 1}}}{WORD})" if depth > 1 else f"({WORD})"
    print(
        f"{root}: WARNING: {first} and {second} count as two patients; if they are one, scans of the same patient leak "
        f"from training into the test; name the patients with --patient_pattern '{pattern}' (the first group is the "
        "patient)"
    )


def _without_common_end(names: list[list[str]]) -> list[list[str]]:
    """Leave out the last words if they are those of all names, such as `flair`."""
    while names and all(len(parts) > 1 for parts in names) and len({parts[-1] for parts in names}) == 1:
        names = [parts[:-1] for parts in names]
    return names


def _holds_patients(beginning: tuple[str, ...]) -> bool:
    last = beginning[-1]
    return bool(SET.fullmatch(last) or (len(beginning) > 1 and last.isdecimal() and SET.fullmatch(beginning[-2])))


def _fits(words: dict[str, list[str]], groups: dict[tuple[str, ...], list[str]], depth: int) -> bool:
    """Say whether the rest of the names may be the number of a scan.

    It does where it is found behind several beginnings (`P00_a`, `P00_b`, `P01_a`), and where it is one word behind a
    beginning with a number (`P00_4711`, `P00_4712`, `P01_4713`).
    """
    ends = Counter(tuple(words[path][depth:]) for group in groups.values() for path in group)
    for beginning, group in groups.items():
        rests = [tuple(words[path][depth:]) for path in group]
        numbered = re.search("[0-9]", beginning[-1]) and all(len(rest) == 1 for rest in rests)
        if len(group) > 1 and (numbered or any(ends[rest] > 1 for rest in rests if rest)):
            return True
    return False


def _path_of(case: CaseFiles, root: Path) -> str:
    # The images of label maps may lie elsewhere.
    path = next(path for path in (*case.images, *case.masks) if path.is_relative_to(root)).relative_to(root)
    return path.with_name(volume_stem(path) if volume_end(path.name) else path.stem).as_posix()
