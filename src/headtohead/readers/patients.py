"""Whose scan a volume is: by the names of BIDS, or as `--patient_pattern` says."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.shared_beginnings import shared_beginning
from headtohead.readers.volume_names import volume_end, volume_stem

SUBJECT = re.compile(r"(?:^|_)(sub-[A-Za-z0-9]+)(?=_|$)")


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

    Args:
        cases: of the data set.
        root: its folder.
        pattern: searched for in the path of a case's first image below `root`, without suffix; its first group is the
            patient, or all that matches.

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


def print_patients(cases: Sequence[CaseFiles], root: Path) -> None:
    """Print how many volumes of how many patients there are."""
    patients = len({case.patient for case in cases})
    print(f"{root}: {count_of(len(cases), 'volume')} of {count_of(patients, 'patient')}")


def warn_of_shared_beginnings(cases: Sequence[CaseFiles], root: Path) -> None:
    """Print a warning where volumes that count as patients of their own look like scans of one."""
    found = shared_beginning([_path_of(case, root) for case in cases if case.patient == case.name])
    if found is None:
        return
    print(
        f"{root}: WARNING: {found.first} and {found.second} count as two patients; if they are one, scans of the same "
        f"patient leak from training into the test; name the patients with --patient_pattern '{found.pattern}' (the "
        "first group is the patient)"
    )


def _path_of(case: CaseFiles, root: Path) -> str:
    path = case.images[0].relative_to(root)
    return path.with_name(volume_stem(path.name) if volume_end(path.name) else path.stem).as_posix()
