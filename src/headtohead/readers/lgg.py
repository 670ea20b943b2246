"""Reader of the LGG MRI data set in its original folder.

Layout: `TCGA_<site>_<id>_<date>/TCGA_<site>_<id>_<date>_<slice>.tif` with `..._<slice>_mask.tif`, and `data.csv`.
Source: Buda, Saha, Mazurowski, Computers in Biology and Medicine 2019, doi 10.1016/j.compbiomed.2019.05.002.
"""

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from headtohead.errors import UserError
from headtohead.quiet import quiet_stderr
from headtohead.readers.labels import LESION
from headtohead.readers.picture_sizes import picture_size
from headtohead.readers.pictures import refuse_large, size_of
from headtohead.readers.reader import AS_NAMED, COLUMNS, CaseFiles, Published, Reader, Reading, nothing_known
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.task import Case, Grid, Task

if TYPE_CHECKING:
    import pandas as pd

SEQUENCES = ("pre", "flair", "post")
"""In red, green and blue."""

TASK = Task(
    "LGG MRI segmentation",
    SEQUENCES,
    primary="flair",
    targets=LESION,
    stand_ins={"post": "flair", "pre": "flair"},
    plane="axial",
    licence="CC BY-NC-SA 4.0 (share and adapt with attribution, under the same licence, for non-commercial use)",
    citation="Buda et al., 2019, doi:10.1016/j.compbiomed.2019.05.002 (masks); TCGA-LGG, The Cancer Imaging Archive, "
    "doi:10.7937/K9/TCIA.2016.L4LTD3TK (images)",
)

PUBLISHED = Published(
    "TCGA-LGG, Kaggle",
    "the FLAIR abnormality of lower-grade gliomas on axial brain MRI (pre-contrast, FLAIR, post-contrast)",
    (
        "Trained on lower-grade gliomas of five hospitals, scanned before surgery. It has not been tested on other "
        "tumours, scans after surgery or other scanners.",
        "It marks the FLAIR abnormality, oedema included, not the enhancing tumour.",
    ),
)

GRADES = {"neoplasm_histologic_grade": {"1": "II", "2": "III"}}
"""WHO grades by the column of the clinical table and its codes.

Its authors say that the 110 patients have WHO grades II and III (Buda et al. 2020, doi:10.1148/ryai.2019180050). Code 1
is that of 51, 2 of 58, and one has none; TCGA-CS-4941 to 4944 have 2, 2, 2, 1 where TCGA has G3, G3, G3, G2.
"""

CASE_FOLDER = re.compile(r"(?P<patient>TCGA_(?P<site>[A-Z0-9]{2})_[A-Z0-9]+)_(?P<date>\d{8})")

CLINICAL = "data.csv"


def recognises(root: Path) -> bool:
    """Say whether a folder holds cases of LGG, or one that does, or is one."""
    return any(CASE_FOLDER.fullmatch(path.name) and path.is_dir() for path in (root, *root.rglob("TCGA_*")))


def list_cases(root: Path, reading: Reading = AS_NAMED) -> list[CaseFiles]:
    """List the cases below `root`.

    Raises:
        UserError: the folder is missing or not this data set; a mask, an image or a slice number is missing.
    """
    if not root.is_dir():
        raise UserError(f"`root_dir` {root}: no such folder; see data/README.md for how to get the data set")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and CASE_FOLDER.fullmatch(path.name))
    if not folders:
        raise UserError(f"`root_dir` {root}: no case folders (TCGA_<site>_<id>_<date>) in it; {_where_else(root)}")
    return [_list_case(folder) for folder in folders]


def _where_else(root: Path) -> str:
    """Guess the folder that was meant: users name the download's outer folder, or one case."""
    for candidate in sorted(root.glob("**/kaggle_3m")):
        return f"did you mean `root_dir` {candidate}?"
    if CASE_FOLDER.fullmatch(root.name):
        return f"it is the folder of one case; did you mean `root_dir` {root.parent}?"
    if any(root.glob("**/*.nii*")):
        return "it holds NIfTI volumes; if they have masks beside them, add `data=nifti`"
    return "name the folder that holds them, often called kaggle_3m, or another `data`"


def _list_case(folder: Path) -> CaseFiles:
    found = CASE_FOLDER.fullmatch(folder.name)
    assert found is not None
    # File names are not sorted as numbers are: _10 comes before _2.
    slice_file = re.compile(re.escape(folder.name) + r"_(?P<number>\d+)(?P<mask>_mask)?\.tif")
    images: dict[int, Path] = {}
    masks: dict[int, Path] = {}
    for path in folder.iterdir():
        match = slice_file.fullmatch(path.name)
        if match:
            (masks if match["mask"] else images)[int(match["number"])] = path
    if not images and not masks:
        raise UserError(f"{folder}: no slices ({folder.name}_<number>.tif) in it; restore or remove the folder")
    for number in sorted(images.keys() - masks.keys()):
        raise UserError(f"{images[number]}: its mask {images[number].stem}_mask.tif is missing; restore it")
    for number in sorted(masks.keys() - images.keys()):
        raise UserError(f"{masks[number]}: a mask without its image {folder.name}_{number}.tif; restore the image")
    numbers = sorted(images)
    for before, after in pairwise(numbers):
        if after != before + 1:
            lost = f"{folder.name}_{before + 1}.tif"
            raise UserError(f"{folder}: slice {before + 1} is missing between {before} and {after}; restore {lost}")
    slices = tuple(images[n] for n in numbers), tuple(masks[n] for n in numbers)
    return CaseFiles(folder.name, found["patient"], found["site"], *slices)


def read_case(files: CaseFiles, task: Task = TASK) -> Case:
    """Read the pixels of one case: images uint8 [slices, H, W, 3], labels {0, 1} [slices, H, W].

    Raises:
        UserError: a file cannot be read, a size differs from the case's first slice, a mask is not binary.
    """
    refuse_large(files)
    images, masks = _read(files.images, cv2.IMREAD_COLOR), _read(files.masks, cv2.IMREAD_GRAYSCALE)
    if images.shape[1:3] != masks.shape[1:3]:
        raise UserError(
            f"{files.masks[0]}: {size_of(masks[0])}, but its image is {size_of(images[0])}; restore the mask"
        )
    for path, mask in zip(files.masks, masks, strict=True):
        if (others := mask[(mask != 0) & (mask != 255)]).size:
            raise UserError(f"{path}: a mask must hold only 0 and 255, but this one also holds {others[0]}; restore it")
    pixels = np.ascontiguousarray(images[..., ::-1])
    return Case(files.name, pixels, Grid(masks.shape), masks // 255, _missing(pixels))


def _read(paths: tuple[Path, ...], mode: int) -> np.ndarray:
    slices: list[np.ndarray] = []
    for path in paths:
        size = picture_size(path) if path.is_file() else None
        with quiet_stderr():
            pixels = cv2.imread(str(path), mode) if size else None
        if pixels is None:
            raise UserError(f"{path}: not a readable TIFF (cut short or damaged); restore it")
        slices.append(pixels)
        if pixels.shape != slices[0].shape:
            raise UserError(f"{path}: {size_of(pixels)}, but {paths[0].name} is {size_of(slices[0])}; restore it")
    return np.stack(slices)


def _missing(images: np.ndarray) -> tuple[str, ...]:
    """Name the sequences a case lacks: the data set fills their channel with FLAIR, in every slice."""
    flair = images[..., TASK.primary_channel]
    return tuple(
        name for index, name in enumerate(SEQUENCES) if name in TASK.stand_ins and (images[..., index] == flair).all()
    )


def read_clinical(root: Path) -> "pd.DataFrame":
    """Read the clinical table `data.csv`: one row a patient, column `patient`; empty where there is no such file."""
    path = root / CLINICAL
    if not path.exists():
        return nothing_known(root)
    try:
        # Pandas makes numbers of names that are digits; folders are text.
        table = read_table(path, dtype={"Patient": str})
    except UnreadableError as fault:
        raise UserError(f"{path}: not a readable CSV table ({fault}); restore or remove it") from fault
    if "Patient" not in table.columns:
        raise UserError(f"{path}: no column Patient; restore it or remove the file")
    table = table[table["Patient"].notna()]
    for patient in table["Patient"][table["Patient"].duplicated()]:
        raise UserError(f"{path}: patient {patient} has more than one row; keep one")
    for column in sorted({*COLUMNS} & {*table.columns}):
        raise UserError(f"{path}: the name of column {column} is reserved; rename it")
    return table.rename(columns={"Patient": "patient"})


READER = Reader(
    reading="1",
    recognises=recognises,
    list_cases=list_cases,
    task=lambda root, reading, cases: TASK,
    read_case=read_case,
    takes=frozenset(),
    patient_of=lambda case: name["patient"] if (name := CASE_FOLDER.fullmatch(case)) else case,
    further_files=lambda root: [path for path in [root / CLINICAL] if path.exists()],
    read_clinical=read_clinical,
    files="slices",
)
