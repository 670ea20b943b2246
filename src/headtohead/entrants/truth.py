"""The truth that masks are scored against: a data set with images, label maps alone, or the data of earlier runs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from headtohead.cohort import Cohort
from headtohead.cohort.listing import DataFiles, list_data
from headtohead.cohort.pack import open_listed
from headtohead.entrants.given import Given
from headtohead.errors import UserError, printable
from headtohead.options.data import DATA_SETS, LABEL_MAPS, DataOptions
from headtohead.readers.file_names import is_volume, stem
from headtohead.readers.files_of_cases import files_below
from headtohead.readers.labels import LESION, Marks, labels_of, targets_in_text
from headtohead.readers.mask_names import bases_of_mask
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.nnunet import LABELS, described_targets
from headtohead.readers.nnunet import READER as NNUNET
from headtohead.readers.other_layouts import lies_among_masks
from headtohead.readers.picture_labels import read_picture_values
from headtohead.readers.reader import CaseFiles, Reading, recognise
from headtohead.reporting.report import recorded_data
from headtohead.runs.ledger import Ledger
from headtohead.task import Case, Task


@dataclass(frozen=True)
class Truth:
    """A cohort whose labels are the truth, and the files it was made of, case by case as in its table."""

    cohort: Cohort
    files: DataFiles

    @property
    def marks(self) -> Marks:
        """What marks a single target in the masks of one folder, before any of them is read."""
        return _marks(self.files, self.cohort.data)


def open_truth(folder: Path, data: DataOptions, kind: str, images: str, masks: Sequence[Given]) -> Truth:
    """Open a folder as the truth.

    Args:
        folder: a data set, or label maps alone.
        data: what the user says of its files.
        kind: of data, where the user says so; else the layout decides.
        images: folder of the images of label maps; empty where there is none.
        masks: whose dataset.json may name the labels of label maps, where the truth has none.

    Raises:
        UserError: it is missing, damaged, or holds nothing that can be a truth.
    """
    if not folder.is_dir():
        raise UserError(f"`truth` {folder}: no such folder; name the one that holds the true masks")
    reading = Reading.of(data, images=str(Path(images).absolute()) if images else "")
    if not kind and not images and folder.absolute().name == LABELS and NNUNET.recognises(folder.absolute().parent):
        folder, kind = folder.absolute().parent, "nnunet"  # whose images are known
    kind = kind or (LABEL_MAPS if images else _layout(folder))
    if kind == LABEL_MAPS and not reading.labels and not described_targets(folder):
        named = next(filter(None, (described_targets(one.folder) for one in masks)), None)
        reading = replace(reading, labels=targets_in_text(named) if named else "")
    print(f"{folder}: the truth, read as {DATA_SETS.get(kind, 'label maps')}")
    return _opened(folder, Path(data.cache_dir), kind, reading, checked=True)


def is_truth_of_runs(folder: Path, ledger: Ledger, data: DataOptions) -> bool:
    """Say whether a folder is where the runs of a comparison found their truth, so that it is read as they read it."""
    root, there = recorded_data(ledger, data)[0].absolute(), folder.absolute()
    return root == there or (there.name == LABELS and root == there.parent)


def truth_of_runs(ledger: Ledger, data: DataOptions, images: str = "") -> Truth:
    """Open the data that the runs of a comparison were tested on; what the user says of their files goes first.

    Raises:
        UserError: they are no longer where they were, or damaged.
    """
    root, kind, reading = recorded_data(ledger, data)
    if images:
        reading = replace(reading, images=str(Path(images).absolute()))
    if not root.is_dir():
        raise UserError(f"{ledger.folder}: its data are no longer in {root}; name their folder with `truth`")
    return _opened(root, Path(data.cache_dir), kind, reading)


def refuse_other_labels(masks: Sequence[Given], truth: Truth) -> None:
    """Refuse masks whose dataset.json gives the targets of the truth other values.

    Raises:
        UserError: names the entrant and both.
    """
    due = {target.name: target.labels for target in truth.cohort.task.targets.all}
    for one in masks:
        said = None
        with suppress(UserError):  # whatever else is called dataset.json
            said = described_targets(one.folder)
        for target in said.all if said else ():
            if target.name in due and target.labels != due[target.name]:
                own, wanted = (",".join(map(str, labels)) for labels in (target.labels, due[target.name]))
                raise UserError(
                    f"`masks` {one.name}: its dataset.json says {target.name}={own}, but the truth has "
                    f"{target.name}={wanted}; convert the masks, or correct that file"
                )


def _opened(folder: Path, cache_dir: Path, kind: str, reading: Reading, checked: bool = False) -> Truth:
    try:
        files = list_data(folder, kind, reading)
        return Truth(open_listed(_checked(files, kind) if checked else files, cache_dir, kind), files)
    except UserError as fault:  # readers know the folder by another name
        raise UserError(str(fault).replace("`root_dir`", "`truth`")) from fault


def _layout(folder: Path) -> str:
    """Name the kind of data that a folder is; masks without their images are label maps alone, whatever their names."""
    files = files_below(folder)
    alone = all(bases_of_mask(stem(path)) or lies_among_masks(path) for path in files)
    return (recognise(folder) if not (files and alone) else "") or LABEL_MAPS


def _marks(files: DataFiles, kind: str) -> Marks:
    described = kind == "nnunet" or (kind == LABEL_MAPS and described_targets(files.root) is not None)
    named = described or bool(files.reading.labels) or files.task.targets != LESION
    return Marks(named, not is_volume(files.cases[0].masks[0]))


def _checked(files: DataFiles, kind: str) -> DataFiles:
    """Let the truth be read as strictly as the masks: a training takes any single value of a mask for its target."""
    if len(files.task.targets) > 1 or "labels" not in files.reader.takes:
        return files
    marks = _marks(files, kind)

    def read_case(case: CaseFiles, task: Task) -> Case:
        path = case.masks[0]
        values = open_volume(path).read(strict=True) if is_volume(path) else read_picture_values(case)
        labels_of(printable(path), values, task.targets, marks=marks)
        return files.reader.read_case(case, task)

    return replace(files, reader=replace(files.reader, read_case=read_case))
