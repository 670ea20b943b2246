"""Reader of label maps alone, as the truth that masks are scored against: `labelsTs/X.nii.gz`, `X_seg.nii.gz`, `X.png`.

Each file is a case named after it, and pictures `CASE/CASE_<number>_mask.tif`, as of LGG, are the slices of one. The
images of another folder are paired with them where it is given, for pictures; else the image of a case is 0. A training
never sees these cases: `--data` does not name them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.options.data import LABEL_MAPS
from headtohead.readers.file_names import MASK_SUFFIXES, PICTURES, is_mask, is_volume, stem
from headtohead.readers.files_of_cases import files_below, masks_beside_images, pair_files, suited
from headtohead.readers.images import READER as PICTURES_READER
from headtohead.readers.labels import LESION, labels_of, targets_of
from headtohead.readers.mask_names import bases_of_mask
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.nnunet import channel_names, described_targets
from headtohead.readers.other_layouts import CHANNEL
from headtohead.readers.picture_labels import read_picture_labels
from headtohead.readers.reader import CaseFiles, Reader, Reading
from headtohead.readers.sequence_names import OUTLINED, one_sequence_in_name, sequence_in_name
from headtohead.readers.volume_names import VOLUMES
from headtohead.readers.volumes import read_volumes
from headtohead.task import Case, Grid, Task
from headtohead.task.task import UNNAMED


def recognises(root: Path) -> bool:
    """Never: scans have the same names. Whoever asks for label maps says so."""
    return False


def list_cases(root: Path, reading: Reading) -> list[CaseFiles]:
    """List the label maps below `root`, and their images where `reading` names the folder of them.

    Raises:
        UserError: there is none, two have one name, or a case has no image in that folder.
    """
    files = masks_beside_images(files_below(root, VOLUMES) or files_below(root, MASK_SUFFIXES))
    if not files:
        known = ", ".join((*VOLUMES, *MASK_SUFFIXES))
        raise UserError(f"{printable(root)}: no label maps ({known}) in it; name the folder that holds the truth")
    cases: list[CaseFiles] = []
    for name, slices in sorted(_named(root, files).items()):
        # A label map stands for its image: it has the grid.
        cases.append(CaseFiles(name, name, "", slices, slices))
    return _with_images(cases, Path(reading.images)) if reading.images else cases


def _named(root: Path, files: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Name the cases, and put slices in the order of their numbers."""
    slices: dict[str, dict[int, Path]] = defaultdict(dict)
    alone: dict[Path, str] = {}
    for path in files:
        number = re.fullmatch(re.escape(path.parent.name) + r"_(\d+)", _without_words(stem(path)))
        if number and not is_volume(path) and path.parent != root:
            if other := slices[path.parent.name].setdefault(int(number[1]), path):
                _refuse_twin(path, other, path.stem)
        else:
            alone[path] = _without_words(stem(path))
    often = Counter(alone.values())
    found = {name: tuple(own[number] for number in sorted(own)) for name, own in slices.items()}
    for path, name in alone.items():
        folders = path.relative_to(root).parts[:-1]
        name = name if name and often[name] == 1 else "_".join(filter(None, (*folders, name))) or root.resolve().name
        _refuse_twin(path, found.setdefault(name, (path,))[0], name)
    return found


def _without_words(name: str) -> str:
    bases = bases_of_mask(name)
    return bases[-1] if bases else name


def _refuse_twin(path: Path, other: Path, name: str) -> None:
    if path != other:
        raise UserError(f"{printable(other)} and {printable(path)}: both are label maps of {name}; move one away")


def list_images(folder: Path) -> list[CaseFiles]:
    """List the images of a folder as cases, sorted by name, where no mask is the truth: each stands for its own mask.

    They are named as label maps are: `X` of `X_0000.nii.gz`, `X_flair.nii.gz` or `X.png`, `CASE` of LGG's slices.

    Raises:
        UserError: there is no such folder, or no image in it, or two have one name.
    """
    if not folder.is_dir():
        raise UserError(f"`images` {printable(folder)}: no such folder; name the one that holds the images")
    files = files_below(folder, VOLUMES) or files_below(folder, PICTURES)
    files, _ = _shown(folder, [path for path in files if not is_mask(path)])
    if not files:
        known = ", ".join((*VOLUMES, *PICTURES))
        raise UserError(f"`images` {printable(folder)}: no images ({known}) in it; name the folder that holds them")
    cases: dict[str, CaseFiles] = {}
    for name, slices in sorted(_named(folder, files).items()):
        said, channel = one_sequence_in_name(name), CHANNEL.fullmatch(name)
        shorter = channel["case"] if channel else said.case if said and said.case else name
        name = name if shorter in cases else shorter
        cases[name] = CaseFiles(name, name, "", slices, slices)
    return [cases[name] for name in sorted(cases)]


def _with_images(cases: list[CaseFiles], folder: Path) -> list[CaseFiles]:
    """Give each case its image."""
    files, _ = suited(files_below(folder), cases)
    masks = {path.resolve() for case in cases for path in case.masks}
    files = [path for path in files if path.resolve() not in masks and not bases_of_mask(stem(path))]
    files, channel = _shown(folder, files)
    paired = pair_files(folder, files, cases, channel)
    if paired.missing:
        lost = paired.missing[0].label
        raise UserError(f"`images` {folder}: no image of {lost}; restore it, or leave `images` out")
    return [replace(case, images=paired.files[case.name]) for case in cases]


def _shown(folder: Path, files: list[Path]) -> tuple[list[Path], int]:
    """Choose what is drawn: of several sequences the one that lesions are outlined on, else the first channel.

    Gives the files, and the channel that those of nnU-Net are.
    """
    outlined = [number for number, name in channel_names(folder).items() if name == OUTLINED]
    channel = (outlined or [0])[0]
    wanted = f"{channel:04d}"
    channels = {path: match["channel"] for path in files if (match := CHANNEL.fullmatch(stem(path)))}
    files = [path for path in files if channels.get(path, wanted) == wanted]
    named = [path for path in files if (one := sequence_in_name(stem(path))) and one.sequence == OUTLINED]
    return named or files, channel


def task(root: Path, reading: Reading, cases: list[CaseFiles]) -> Task:
    """Score what `labels` says, else what a dataset.json beside the maps says, else one lesion."""
    targets = targets_of(reading.labels) if reading.labels else described_targets(root)
    return Task("label maps", (UNNAMED,), UNNAMED, targets or LESION)


def read_case(files: CaseFiles, task: Task) -> Case:
    """Read one label map, with its image or with one that is 0 everywhere.

    Raises:
        UserError: it is damaged, holds labels of no target, or its image does not fit.
    """
    if files.images == files.masks:
        return _without_image(files, task)
    read = read_volumes if is_volume(files.masks[0]) else PICTURES_READER.read_case
    try:
        return read(files, task)
    except UserError as fault:
        _without_image(files, task)  # where the label map is at fault, it is named
        cause = str(fault).rpartition("; ")[0] or fault
        raise UserError(
            f"`images` {printable(files.images[0])}: cannot be shown below its label map ({cause}); restore or "
            "resample it, or leave `images` out: only pictures need them"
        ) from fault


def _without_image(files: CaseFiles, task: Task) -> Case:
    if not is_volume(files.masks[0]):
        labels = read_picture_labels(files, task.targets)
        return Case(files.name, np.zeros((*labels.shape, 1), np.uint8), Grid(_three(labels)), labels)
    file = open_volume(files.masks[0])
    if file.volumes > 1:
        raise UserError(f"{printable(file.path)}: {file.volumes} volumes, but a label map has one; split it")
    labels = labels_of(printable(file.path), file.read(strict=True), task.targets)
    return Case(files.name, np.zeros((*labels.shape, 1), np.uint8), file.grid, labels)


def _three(labels: np.ndarray) -> tuple[int, int, int]:
    slices, height, width = labels.shape
    return slices, height, width


READER = Reader(
    reading=f"{LABEL_MAPS} 2",
    recognises=recognises,
    list_cases=list_cases,
    task=task,
    read_case=read_case,
    takes=frozenset({"patient_pattern", "labels", "images"}),
    files="label maps",
    square=False,
)
