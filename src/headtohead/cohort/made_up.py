"""How made-up patients are recognised: in a data set, in a run folder of any age, in a bundle."""

import re
from collections.abc import Iterable
from pathlib import Path

NOTE_FILE = "phantoms.json"
"""Stands in a folder that `--make_phantoms` wrote."""

CASE = re.compile(r"TCGA_[A-Z0-9]{2}_9\d{3}_1900\d{4}")
"""How every made-up case is named, also once it is copied elsewhere: no MRI was taken in 1900."""


def made_up_cases(names: Iterable[str]) -> bool:
    """Say whether cases are all made up, by their names; False of no cases."""
    found = [bool(CASE.match(str(name))) for name in names]
    return bool(found) and all(found)


def made_up_data(root: Path, names: Iterable[str]) -> bool:
    """Say whether a data set is made up: by the note in its folder, or by the names of its cases."""
    return (root / NOTE_FILE).is_file() or made_up_cases(names)
