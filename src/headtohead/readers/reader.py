"""What a reader of a kind of data is given, gives and does: the functions that its module has, as one row."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.errors import UserError
from headtohead.options.data import DATA_SETS, LABEL_MAPS, DataOptions
from headtohead.task import Case, Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reading:
    """What names of files alone do not say; each attribute is the option of its name, empty where nobody says."""

    patient_pattern: str = ""  # finds the patient in the path of an image; see `patients.patients_by_pattern`
    labels: str = ""  # which values of a label map are which target; see `labels.targets_of`
    sequences: str = ""  # which of a case's sequences to use, the primary one first
    mask_dir: str = ""  # folder of the masks, where they do not lie beside their images
    mask_pattern: str = ""  # how masks are named, with `*` for the name of the image or the case
    bits: str = ""  # in which grey levels are stored
    images: str = ""  # folder of the images, where the data set itself is label maps alone

    @classmethod
    def of(cls, options: DataOptions, images: str = "") -> "Reading":
        """Take what the options say."""
        said = {one.name: getattr(options, one.name) for one in fields(cls) if one.name != "images"}
        return cls(**said, images=images)

    @classmethod
    def recorded(cls, data: Mapping[str, Any]) -> "Reading":
        """Take what run.json says of the data; what an earlier version did not write is empty."""
        return cls(**{one.name: str(data.get(one.name, "")) for one in fields(cls)})

    def given(self) -> dict[str, str]:
        """Give what is not empty, by name."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}


COLUMNS = (
    "case", "patient", "site", "slices", "height", "width", "first", "lesion_voxels", "lesion_slices", "missing",
)  # fmt: skip
"""Of the case table, before the spacing and the clinical columns, which must not repeat one."""

AS_NAMED = Reading()
"""Names of files say everything."""


@dataclass(frozen=True)
class CaseFiles:
    """The files of one case, in the order of their slice numbers; a volume is one file."""

    name: str  # of the case; no two cases of a data set share one
    patient: str  # whose scan it is
    site: str  # where it was made; empty where nobody says
    images: tuple[Path, ...]
    masks: tuple[Path, ...]  # of each image its mask; of a case of several sequences the one label map
    sequences: tuple[str, ...] = ()  # of a case of several sequences, which one each image is


def nothing_known(root: Path) -> "pd.DataFrame":
    """Give an empty table of patients."""
    import pandas as pd

    return pd.DataFrame({"patient": pd.Series(dtype=str)})


@dataclass(frozen=True)
class Published:
    """What is known of a public data set, for the card of a model trained on it, besides what its task says."""

    source: str  # where it comes from, in a few words
    outlined: str  # what its masks mark
    limits: tuple[str, ...]  # sentences on what a model trained on it was never tested on


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
        patient_of: gives the patient of a case whose files lie nowhere any more, as far as the name of the case says.
        takes: the attributes of `Reading` that have an effect. Without `patient_pattern` the layout names the patients.
        further_files: lists the files besides images and masks from which the cohort is made.
        read_clinical: reads what is known of the patients: one row a patient, column `patient`.
        files: what its files are called: `volumes`, `pictures` or `slices`.
        square: whether pixels are made square where a scanner's are not, as models are shown them.
        depth: in which pixels are stored where `Reading.bits` is empty: uint8, or uint16 if 256 levels are too few.
    """

    reading: str
    recognises: Callable[[Path], bool]
    list_cases: Callable[[Path, Reading], list[CaseFiles]]
    task: Callable[[Path, Reading, list[CaseFiles]], Task]
    read_case: Callable[[CaseFiles, Task], Case]
    takes: frozenset[str] = frozenset({"patient_pattern"})
    patient_of: Callable[[str], str] = str
    further_files: Callable[[Path], list[Path]] = lambda root: []
    read_clinical: Callable[[Path], "pd.DataFrame"] = nothing_known
    files: str = "volumes"
    square: bool = True
    depth: np.dtype = np.dtype(np.uint8)  # noqa: RUF009  # never changed


def find_reader(data: str) -> Reader:
    """Give the reader of a kind of data, which is the module of that name here; it is imported now.

    Raises:
        UserError: there is no such kind; run.json of another version, or of anybody, may name any.
    """
    if data not in (*DATA_SETS, LABEL_MAPS):
        raise UserError(f"`data` {data}: no such kind of data here; known are {', '.join(DATA_SETS)}")
    reader: Reader = importlib.import_module(f"headtohead.readers.{data}").READER
    return reader


def files_of(data: str | None) -> str:
    """Say what the files of a kind of data are called: volumes where nobody knows the kind."""
    return find_reader(data).files if data in (*DATA_SETS, LABEL_MAPS) else "volumes"


def refuse_unread(root: Path, given: Mapping[str, Any], default: str) -> None:
    """Refuse options for a folder whose layout was not recognised, if the kind that is then taken reads them not.

    Raises:
        UserError: names the kinds that read them.
    """
    said = {one.name for one in fields(Reading) if given.get(one.name)}
    if not root.is_dir() or not said - find_reader(default).takes:
        return
    kinds = [data for data in DATA_SETS if said <= find_reader(data).takes]
    named = f"`data={kinds[0]}`" if len(kinds) == 1 else f"`data` ({', '.join(kinds or DATA_SETS)})"
    raise UserError(f"`root_dir` {root}: its layout is none that is known here; say how to read it with {named}")


def recognise(root: Path) -> str:
    """Name the kind of data that a folder is laid out as; empty where it is like none."""
    return next((data for data in DATA_SETS if root.is_dir() and find_reader(data).recognises(root)), "")
