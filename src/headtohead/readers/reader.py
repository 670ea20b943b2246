"""What a reader of a kind of data is: the functions that its module has, as one row."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.readers.case_files import CaseFiles
from headtohead.readers.reading import Reading
from headtohead.task import Case, Task

if TYPE_CHECKING:
    import pandas as pd

EIGHT_BITS = np.dtype(np.uint8)


def _no_files(root: Path) -> list[Path]:
    return []


def _nothing_known(root: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame({"patient": pd.Series(dtype=str)})


@dataclass(frozen=True)
class Published:
    """What is known of a public data set, for the card of a model trained on it, besides what its task says.

    Attributes:
        source: where it comes from, in a few words.
        outlined: what its masks mark.
        limits: sentences on what a model trained on it was never tested on.
    """

    source: str
    outlined: str
    limits: tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    """Reads one kind of data.

    Attributes:
        reading: name and version of how pixels are read, part of the data's key: raised whenever the same files would
            be read as other pixels, since the data are then other data.
        recognises: says by names alone whether a folder is laid out like this.
        list_cases: lists the cases of a folder, sorted by name, without reading a pixel. Raises `UserError`.
        task: says what is segmented from what, of a folder and its cases. Raises `UserError`.
        read_case: reads one case, its label map among it. Raises `UserError` in a line that names the file.
        takes: the attributes of `Reading` that have an effect. Without `patient_pattern` the layout names the patients.
        further_files: lists the files besides images and masks from which the cohort is made.
        read_clinical: reads what is known of the patients: one row a patient, column `patient`.
        depth: in which pixels are stored: uint8, or uint16 where 256 levels are too few.
    """

    reading: str
    recognises: Callable[[Path], bool]
    list_cases: Callable[[Path, Reading], list[CaseFiles]]
    task: Callable[[Path, Reading, list[CaseFiles]], Task]
    read_case: Callable[[CaseFiles, Task], Case]
    takes: frozenset[str] = frozenset({"patient_pattern"})
    further_files: Callable[[Path], list[Path]] = _no_files
    read_clinical: Callable[[Path], "pd.DataFrame"] = _nothing_known
    depth: np.dtype = EIGHT_BITS
