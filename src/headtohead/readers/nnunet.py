"""Reader of a data set of nnU-Net: `imagesTr/CASE_0000.nii.gz`, ..., `labelsTr/CASE.nii.gz` and `dataset.json`.

Source: Isensee et al., Nature Methods 2021, doi 10.1038/s41592-020-01008-z; the layout is described in
documentation/dataset_format.md of github.com/MIC-DKFZ/nnUNet.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from headtohead.errors import UserError, one_line, printable
from headtohead.readers.chosen_sequences import chosen, primary_of
from headtohead.readers.labels import BACKGROUND, make_targets, targets_of
from headtohead.readers.other_layouts import CHANNEL
from headtohead.readers.other_layouts import IMAGES as OF_IMAGES
from headtohead.readers.other_layouts import LABELS as OF_LABELS
from headtohead.readers.reader import CaseFiles, Reader, Reading
from headtohead.readers.sequence_names import one_sequence_in_name, sequence_in_name
from headtohead.readers.volume_names import VOLUMES, volume_end, volume_stem
from headtohead.readers.volumes import read_volumes
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError
from headtohead.task import Targets, Task
from headtohead.task.targets import CLASSES, REGIONS
from headtohead.task.task import UNNAMED

DESCRIPTION, IMAGES, LABELS, VALIDATION = "dataset.json", "imagesTr", "labelsTr", "validation"

LARGEST = 2**20
"""Bytes of a dataset.json that is read."""

LONGEST = 200
"""Characters of a text or name in it."""

WHOLE = re.compile("[0-9]{1,5}")


def recognises(root: Path) -> bool:
    """Say whether a folder is a data set of nnU-Net, or holds one, or is part of one."""
    return any((path.parent / IMAGES).is_dir() for path in (*root.rglob(DESCRIPTION), *_description_above(root)))


def _description_above(root: Path) -> list[Path]:
    above = root.absolute().parent / DESCRIPTION
    return [above] if root.absolute().name in (IMAGES, LABELS) and above.is_file() else []


def list_cases(root: Path, reading: Reading) -> list[CaseFiles]:
    """List the cases of `labelsTr`, each with the channels that dataset.json names, or those of them that are chosen.

    Raises:
        UserError: dataset.json cannot be used, a folder is missing, or a case lacks its label map or a channel.
    """
    described = _description(root)
    end = str(described.get("file_ending", ".nii.gz"))  # nnU-Net 1 knew no other
    if end.lower() not in VOLUMES:
        raise UserError(
            f"{root / DESCRIPTION}: file_ending is {end}, but volumes end in {', '.join(VOLUMES)}; convert them, or "
            "read pictures with `data=images`"
        )
    sequences = sequences_of(described, root / DESCRIPTION)
    wanted = _chosen(reading, sequences, root / DESCRIPTION)
    images = _files(root, IMAGES, end)
    masks = {path.name.removesuffix(end): path for path in _files(root, LABELS, end)}
    channels: dict[str, dict[int, Path]] = {}
    for path in images:
        match = CHANNEL.fullmatch(path.name.removesuffix(end))
        if not match or int(match["channel"]) >= len(sequences):
            raise UserError(
                f"{printable(path)}: dataset.json names {len(sequences)} channels, so images are CASE_0000{end} to "
                f"CASE_{len(sequences) - 1:04d}{end}; rename it, or move it away"
            )
        channels.setdefault(match["case"], {})[int(match["channel"])] = path
    for case in sorted(channels.keys() - masks.keys()):
        image, mend = channels[case].popitem()[1].name, _mend(root / LABELS, case, end)
        raise UserError(f"{root / LABELS}: no label map {case}{end} for {image}{mend}")
    cases = []
    for name, mask in sorted(masks.items()):
        own = channels.get(name, {})
        numbers = [sequences.index(sequence) for sequence in wanted]
        if lost := [number for number in numbers if number not in own]:
            stem, sequence = f"{name}_{lost[0]:04d}", sequences[lost[0]]
            raise UserError(f"{root / IMAGES}: {stem}{end} ({sequence}) is missing{_mend(root / IMAGES, stem, end)}")
        files = tuple(own[number] for number in numbers)
        cases.append(CaseFiles(name, name, "", files, (mask,), wanted))
    return cases


def _chosen(reading: Reading, sequences: tuple[str, ...], path: Path) -> tuple[str, ...]:
    if reading.sequences and sequences == (UNNAMED,):
        raise UserError(f"`sequences` {reading.sequences}: {path} names a single channel; leave it out")
    return chosen(reading.sequences, sequences)


def _files(root: Path, folder: str, end: str) -> list[Path]:
    inside = root / folder
    found = sorted(path for path in inside.glob(f"*{end}") if not path.name.startswith("."))
    if not found and (other := next(_volumes(inside), None)):
        raise UserError(
            f"{root / DESCRIPTION}: file_ending is {end}, but {folder} holds {printable(other.name)}; correct "
            "file_ending, or convert the files"
        )
    if not found:
        raise UserError(
            f"`root_dir` {root}: no {folder}/*{end} in it; name a data set of nnU-Net, such as Dataset001_X"
        )
    return found


def _volumes(folder: Path) -> Iterator[Path]:
    """List the volumes of a folder, whatever their ending."""
    return (path for path in sorted(folder.glob("[!.]*")) if volume_end(path.name))


def _mend(folder: Path, stem: str, end: str) -> str:
    """Say what to do where a file is missing: it may be there with another ending."""
    other = next((path.name for path in _volumes(folder) if volume_stem(path) == stem), "")
    return f", but {other} is there; convert it to {end}, which is the file_ending" if other else "; restore it"


def _description(root: Path) -> dict[str, Any]:
    path = root / DESCRIPTION
    try:
        return read_json(path, LARGEST)
    except FileNotFoundError:
        meant = [*sorted(root.rglob(DESCRIPTION)), *_description_above(root)]
        hint = f"did you mean `root_dir` {meant[0].parent}?" if meant else "name a data set of nnU-Net"
        raise UserError(f"`root_dir` {root}: no {DESCRIPTION} in it; {hint}") from None
    except UnreadableError as fault:
        raise UserError(f"{path}: cannot be read ({fault}); restore it") from fault


def channels_described(described: Mapping[str, Any]) -> dict[int, str]:
    """Give number and name of the channels, in order; none where dataset.json does not number them from 0."""
    names = described.get("channel_names", described.get("modality"))  # the second in nnU-Net 1
    if not isinstance(names, dict) or sorted(names) != sorted(map(str, range(len(names)))):
        return {}
    return {number: " ".join(str(names[str(number)]).split()) for number in range(len(names))}


def sequences_of(described: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Name the channels: as names of files do where they are sequences, else in small letters.

    Raises:
        UserError: it does not number its channels from 0.
    """
    words = list(channels_described(described).values())
    if not words:
        raise UserError(f'{path}: channel_names must be numbered from "0"; correct it')
    if len(words) == 1:
        return (UNNAMED,)
    known = tuple(one.sequence if (one := one_sequence_in_name(word)) else word.lower() for word in words)
    if len(set(known)) == len(known) and all(known):
        return known
    return tuple(f"channel {number}" for number in range(len(words)))


def channel_names(folder: Path) -> dict[int, str]:
    """Read from dataset.json, in the folder of files to be predicted or above it, what their channels are.

    Returns:
        Number of a channel -> sequence, as in training; empty where a lone one is named otherwise. None where there is
        no description.
    """
    for path in (folder / DESCRIPTION, folder.absolute().parent / DESCRIPTION):
        with suppress(FileNotFoundError, UnreadableError, UserError):
            described = read_json(path, LARGEST)
            names = channels_described(described)
            if len(names) > 1:
                return dict(enumerate(sequences_of(described, path)))
            if names:
                named = sequence_in_name(names[0])
                return {0: named.sequence if named else ""}
    return {}


def described_targets(folder: Path) -> Targets | None:
    """Give the targets that dataset.json names, of a folder of label maps or images; None where there is none.

    nnU-Net puts one beside its predictions, above `labelsTr` and `imagesTr`, and two above the validation of a fold.

    Raises:
        UserError: it is there and cannot be used.
    """
    whole = folder.absolute()
    in_data_set = OF_LABELS.fullmatch(whole.name) or OF_IMAGES.fullmatch(whole.name)
    above = 2 if whole.name == VALIDATION else 1 if in_data_set else 0
    for place in (whole, *whole.parents[:above]):
        path = place / DESCRIPTION
        try:
            return _targets(read_json(path, LARGEST), path)
        except FileNotFoundError:
            continue
        except UnreadableError as fault:
            raise UserError(f"{path}: cannot be read ({fault}); restore it, or give `labels`") from fault
    return None


def task(root: Path, reading: Reading, cases: list[CaseFiles]) -> Task:
    """What dataset.json says, of the sequences that are chosen."""
    described, path = _description(root), root / DESCRIPTION
    sequences = _chosen(reading, sequences_of(described, path), path)
    return Task(
        _text(described, "name") or root.resolve().name,
        sequences,
        primary=primary_of(reading.sequences, sequences),
        targets=targets_of(reading.labels) if reading.labels else _targets(described, path),
        licence=_text(described, "licence") or _text(described, "license"),
        citation=_text(described, "reference"),
    )


def _text(described: Mapping[str, Any], field: str) -> str:
    """Give a text of the description on one line, as much of it as a report can show."""
    return one_line(" ".join(str(described.get(field) or "").split()))[:LONGEST]


def _targets(described: Mapping[str, Any], path: Path) -> Targets:
    """Make targets of `labels`, name -> value, or values of a region; in nnU-Net 1, value -> name."""
    labels = described.get("labels")
    mend = 'give labels as {"background": 0, "name": 1, "region": [1, 2]}'
    if not isinstance(labels, dict):
        raise UserError(f"{path}: has no labels; {mend}")
    if labels and all(isinstance(name, str) and not isinstance(value, str) for name, value in labels.items()):
        named = {str(name): tuple(value) if isinstance(value, list) else (value,) for name, value in labels.items()}
    else:
        named = {str(name): (int(value) if WHOLE.fullmatch(value) else value,) for value, name in labels.items()}
    if not all(values and all(type(value) is int for value in values) for values in named.values()):
        raise UserError(f"{path}: labels hold what is no whole number; {mend}")
    if len(named) < len(labels) or not all(name.isprintable() and len(name) <= LONGEST for name in named):
        raise UserError(f"{path}: two labels have one name, or a name cannot be shown; {mend}")
    if "ignore" in named:
        raise UserError(f"{path}: has a label to be ignored, which is not supported; give those voxels another label")
    if called := [name for name, values in named.items() if 0 in values and name != BACKGROUND]:
        raise UserError(f"{path}: 0 is the background and is called so, not {called[0]}; {mend}")
    if not named.keys() - {BACKGROUND}:
        raise UserError(f"{path}: labels name nothing but the background; {mend}")
    named = {name: tuple(sorted(set(values))) for name, values in named.items()}
    if not any(isinstance(value, list) for value in labels.values()):
        return make_targets(named, str(path), CLASSES)
    regions = {name: values for name, values in named.items() if name != BACKGROUND}
    _refuse_order(regions, described.get("regions_class_order"), path)
    return make_targets(named, str(path), REGIONS)


def _refuse_order(regions: Mapping[str, tuple[int, ...]], order: Any, path: Path) -> None:
    """Refuse regions that cannot be written in the order of labels, each over those before it, as nnU-Net does it.

    The order is regions_class_order: the value that each region is written as. Ours may be another of its own.
    """
    own: list[set[int]] = []
    later: set[int] = set()
    for values in reversed(list(regions.values())):
        own.insert(0, set(values) - later)
        later |= set(values)
    if lost := [name for name, left in zip(regions, own, strict=True) if not left]:
        raise UserError(
            f"{path}: {lost[0]} would be written over, since all its labels belong to regions that come after it; name "
            "the outer regions first in labels, and their values in regions_class_order likewise"
        )
    fits = isinstance(order, list) and len(order) == len(own) and all(type(value) is int for value in order)
    if order is not None and not (fits and all(value in left for value, left in zip(order, own, strict=True))):
        raise UserError(
            f"{path}: regions_class_order is {one_line(str(order))[:LONGEST]}, but must give each region, in the order "
            f"of labels, a value of its own that no later one has, such as {[min(left) for left in own]}; correct it"
        )


READER = Reader(
    reading="nnunet 1",
    recognises=recognises,
    list_cases=list_cases,
    task=task,
    read_case=read_volumes,
    takes=frozenset({"patient_pattern", "labels", "sequences", "bits"}),
    further_files=lambda root: [root / DESCRIPTION],
)
