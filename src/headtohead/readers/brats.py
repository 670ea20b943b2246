"""Reader of the BraTS challenges in their own folders, 2017 to 2024: a folder a case, a file a sequence.

`BraTS20_Training_001/BraTS20_Training_001_flair.nii.gz`, `_t1`, `_t1ce`, `_t2`, `_seg`; since 2023
`BraTS-GLI-00000-000/BraTS-GLI-00000-000-t2f.nii.gz`, `-t1n`, `-t1c`, `-t2w`, `-seg`; `BraTS-GoAT-00000` has no point
in time. Sources: Menze et al., IEEE TMI
2015, doi 10.1109/TMI.2014.2377694; Baid et al. 2021, arXiv 2107.02314; de Verdier et al. 2024, arXiv 2405.18368.
"""

import re
from pathlib import Path

from headtohead.errors import UserError, printable
from headtohead.readers.chosen_sequences import chosen, primary_of
from headtohead.readers.labels import make_targets, targets_of
from headtohead.readers.mask_names import bases_of_mask
from headtohead.readers.reader import CaseFiles, Reader, Reading
from headtohead.readers.sequence_names import sequence_label
from headtohead.readers.volume_names import NIFTI, volume_stem
from headtohead.readers.volumes import read_volumes
from headtohead.task import Targets, Task

FOLDER = re.compile(
    r"(?P<old>brats\d{2,4}_(?:\w+_)?\d+)|(?P<patient>brats-[a-z]+-\d{5})(?:-(?P<time>\d{3}))?", re.IGNORECASE | re.ASCII
)

SEQUENCES = {"pre": ("t1", "t1n"), "post": ("t1ce", "t1c", "t1gd"), "t2": ("t2", "t2w"), "flair": ("flair", "t2f")}
"""Sequence -> the words that end its file; those of 2020 and of 2023 come first and second."""

MASK = "seg"

TREATED = 100
"""From this number on, the last of a name's is a scan after treatment, where label 4 is the cavity of a resection."""

ENHANCING = 4, 3
"""The label of the enhancing tumour until 2022, and since."""


def recognises(root: Path) -> bool:
    """Say whether a folder holds cases of BraTS, at any depth, or is one."""
    return bool(_folders(root))


def _folders(root: Path) -> list[Path]:
    """List the folders of cases; that is `root` itself if it is called so and holds volumes but none of them."""
    below = root.rglob("*[Bb][Rr][Aa][Tt][Ss]*")
    folders = sorted(path for path in below if FOLDER.fullmatch(path.name) and path.is_dir())
    if not folders and FOLDER.fullmatch(root.absolute().name) and root.is_dir():
        return [root] if any(path.name.lower().endswith(NIFTI) for path in root.iterdir()) else []
    return folders


def list_cases(root: Path, reading: Reading) -> list[CaseFiles]:
    """List the cases below `root` that have a label map, and print how many have none.

    Raises:
        UserError: there are none, or two of one name; a case lacks a sequence, or has two files of one.
    """
    folders = _folders(root)
    if not folders:
        raise UserError(
            f"`root_dir` {root}: no folders of cases (BraTS20_Training_001, BraTS2021_00000, BraTS-GLI-00000-000) in "
            "it; name the folder that holds them, or another `data`"
        )
    wanted = chosen(reading.sequences, tuple(SEQUENCES))
    cases: dict[str, CaseFiles] = {}
    without = []
    for folder in folders:
        files = _list_case(folder, wanted)
        if files is None:
            without.append(folder)
        elif files.name in cases:
            two = f"{cases[files.name].masks[0].parent} and {folder}"
            raise UserError(f"{two}: two cases of one name; move one of them away")
        else:
            cases[files.name] = files
    if not cases:
        raise UserError(
            f"{without[0]}: no label map ({without[0].name}_seg.nii.gz), nor in the others; name training data"
        )
    if without:
        print(f"{root}: cases left out because they have no label map: {len(without)} of {len(folders)}")
    return [cases[name] for name in sorted(cases)]


def _list_case(folder: Path, wanted: tuple[str, ...]) -> CaseFiles | None:
    """List the files of the sequences that are wanted; nothing for a case without a label map."""
    found: dict[str, Path] = {}
    others = []
    case = folder.absolute().name
    words = {word: sequence for sequence, words in SEQUENCES.items() for word in words} | {MASK: MASK}
    for path in sorted(folder.iterdir()):
        if not path.name.lower().endswith(NIFTI) or path.name.startswith("."):
            continue
        stem = volume_stem(path)
        word = stem[len(case) + 1 :].lower() if stem.lower().startswith(case.lower()) else ""
        if word not in words:
            others.append(path)
        elif words[word] in found:
            two = f"{found[words[word]].name} and {path.name}"
            raise UserError(f"{folder}: two files of one sequence, {two}; move one of them away")
        else:
            found[words[word]] = path
    # Case 355 of 2020 was published with a label map of another name, W39_1998.09.19_Segm.nii.
    masks = [path for path in others if bases_of_mask(volume_stem(path))]
    if MASK not in found and len(masks) == 1:
        found[MASK] = masks[0]
    if MASK not in found:
        return None
    if lost := [sequence for sequence in wanted if sequence not in found]:
        ends = " or ".join(SEQUENCES[lost[0]][:2])
        raise UserError(
            f"{printable(folder)}: has no {sequence_label(lost[0])} (a file that ends in {ends}); a case has "
            f"{', '.join(map(sequence_label, wanted))} and seg: restore the file, or move the folder away"
        )
    name = FOLDER.fullmatch(case)
    assert name is not None
    images = tuple(found[sequence] for sequence in wanted)
    return CaseFiles(case, name["patient"] or case, "", images, (found[MASK],), wanted)


def task(root: Path, reading: Reading, cases: list[CaseFiles]) -> Task:
    """Whole tumour, tumour core and enhancing tumour, which lie within each other, or what `--labels` says."""
    sequences = chosen(reading.sequences, tuple(SEQUENCES))
    return Task(
        "BraTS",
        sequences,
        primary=primary_of(reading.sequences, sequences),
        targets=targets_of(reading.labels) if reading.labels else _regions(cases),
        citation="Menze et al., 2015, doi:10.1109/TMI.2014.2377694, and the paper of the challenge's year",
    )


def _regions(cases: list[CaseFiles]) -> Targets:
    names = [found for case in cases if (found := FOLDER.fullmatch(case.name))]
    old = [bool(name["old"]) for name in names]
    if any(old) != all(old):
        raise UserError(
            "the cases are of years with different labels (the enhancing tumour is 4 until 2022, 3 since); convert the "
            "label maps of one to those of the other and say which are which with `labels`, or use one of the two"
        )
    enhancing = ENHANCING[not any(old)]
    regions = {"whole tumour": (1, 2, enhancing), "tumour core": (1, enhancing), "enhancing tumour": (enhancing,)}
    if any(name["time"] and int(name["time"]) >= TREATED for name in names):
        regions["background"] = (4,)
    return make_targets(regions, "BraTS")


READER = Reader(
    reading="brats 1",
    recognises=recognises,
    list_cases=list_cases,
    task=task,
    read_case=read_volumes,
    takes=frozenset({"patient_pattern", "labels", "sequences", "bits"}),
    patient_of=lambda case: (name["patient"] if (name := FOLDER.fullmatch(case)) else "") or case,
)
