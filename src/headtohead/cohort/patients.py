"""Whose scan a volume is: by the names of BIDS, or as `--patient_pattern` says."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headtohead.cohort.case_files import CaseFiles
from headtohead.errors import UserError

SUBJECT = re.compile(r"(?:^|_)(sub-[A-Za-z0-9]+)(?=_|$)")
BEGINNING = r"(.+)[_/-]"
"""All of a path but its last word: what two scans of one patient share in `P00_scan1`, `P00_scan2`."""

MOST_SCANS = 12
"""More volumes with a shared beginning are those of a site or a study, not of a patient."""


def name_patients(cases: Sequence[CaseFiles], root: Path, pattern: str = "") -> list[CaseFiles]:
    """Settle whose scan each case is, and print the number of patients.

    Without a pattern it is `sub-01` in the file's name, or in that of a folder, so that sessions of a subject are one
    patient's; else each case is a patient of its own. Where names suggest otherwise a warning is printed.

    Args:
        cases: volumes, one image each.
        root: folder of the data set.
        pattern: regular expression that is searched for in a volume's path below `root`, without suffix; its first
            group is the patient, or all that matches.

    Raises:
        UserError: the pattern does not match a volume, or matches nothing of it.
    """
    paths = {case.name: _path_of(case, root) for case in cases}
    named = [replace(case, patient=_patient(case, paths[case.name], root, pattern)) for case in cases]
    patients = len({case.patient for case in named})
    print(f"{root}: {_count(len(named), 'volume')} of {_count(patients, 'patient')}")
    if not pattern:
        _warn_of_shared_beginnings([case for case in named if case.patient == case.name], paths, root)
    return named


def _path_of(case: CaseFiles, root: Path) -> str:
    path = case.images[0].relative_to(root).as_posix()
    return path.removesuffix(".gz").removesuffix(".nii")


def _patient(case: CaseFiles, path: str, root: Path, pattern: str) -> str:
    if not pattern:
        *folders, stem = path.split("/")
        found = SUBJECT.search(stem) or next(filter(None, map(SUBJECT.fullmatch, reversed(folders))), None)
        return found[1] if found else case.name
    match = re.search(pattern, path)
    patient = (match[1] if match.re.groups else match[0]) if match else ""
    if not patient:
        what = "finds no patient in" if match else "does not match"
        raise UserError(
            f"--patient_pattern {pattern}: {what} {path} (below {root}); write one whose first group is the patient "
            "of every volume"
        )
    return str(patient)


def _warn_of_shared_beginnings(cases: Sequence[CaseFiles], paths: dict[str, str], root: Path) -> None:
    """Warn where volumes that count as patients of their own look like scans of one."""
    groups: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        match = re.match(BEGINNING, paths[case.name])
        if match:
            groups[match[1]].append(paths[case.name])
    suspects = [names for names in groups.values() if len(names) > 1]
    # One beginning that all share is the study's name.
    if len(groups) < 2 or not suspects or max(map(len, suspects)) > MOST_SCANS:
        return
    first, second = sorted(suspects[0])[:2]
    print(
        f"{root}: WARNING: {first} and {second} count as two patients; if they are one, scans of the same patient "
        f"leak from training into the test: say who is who with --patient_pattern '{BEGINNING}' (the first group is "
        "the patient)"
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
