"""Reader of grey pictures (PNG, TIFF, JPEG) with masks: `X.png` and `X_mask.png`, or `images/X.png` and `masks/X.png`.

Each picture is a slice. With `--patient_pattern` the slices of a patient are one case, in the order of their numbers.
"""

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from headtohead.errors import UserError, printable
from headtohead.readers.file_names import PICTURES, is_mask
from headtohead.readers.labels import LESION, labels_of, targets_of
from headtohead.readers.other_layouts import IMAGES
from headtohead.readers.patients import patients_by_pattern
from headtohead.readers.pictures import read_pixels, refuse_large, size_of
from headtohead.readers.reader import CaseFiles, Reader, Reading
from headtohead.readers.truth_beside import places_of_image
from headtohead.task import Case, Grid, Task
from headtohead.task.task import UNNAMED


def recognises(root: Path) -> bool:
    """Say whether a folder holds pictures with masks."""
    return bool(_pairs(root)[0])


def list_cases(root: Path, reading: Reading) -> list[CaseFiles]:
    """List the pictures below `root` that have a mask: one case each, or one a patient with `--patient_pattern`.

    How many were left out because they have none is printed.

    Raises:
        UserError: there is none, a mask has no picture, two cases have one name, or the pattern does not fit.
    """
    pairs, alone = _pairs(root)
    if not pairs:
        raise UserError(
            f"`root_dir` {root}: no picture in it has a mask (X.png with X_mask.png, or images/X.png with masks/X.png)"
            "; name the folder that holds them, or another `data`"
        )
    if alone:
        count = len(pairs) + len(alone)
        print(f"{root}: pictures left out because they have no mask: {len(alone)} of {count}, such as {alone[0]}")
    cases: dict[str, CaseFiles] = {}
    for image, mask in sorted(pairs.items()):
        folders = [part for part in image.relative_to(root).parts[:-1] if not IMAGES.fullmatch(part)]
        name = "_".join((*folders, image.stem))
        if name in cases:
            raise UserError(f"{cases[name].images[0]} and {image}: two cases of one name; rename one of them")
        cases[name] = CaseFiles(name, name, "", (image,), (mask,))
    if not reading.patient_pattern:
        return [cases[name] for name in sorted(cases)]
    slices = defaultdict(list)
    for case in patients_by_pattern(list(cases.values()), root, reading.patient_pattern):
        slices[case.patient].append(case)
    return [_joined(patient, slices[patient]) for patient in sorted(slices)]


def _joined(patient: str, slices: list[CaseFiles]) -> CaseFiles:
    """Make one case of the slices of a patient, in the order of the numbers in their names."""

    def order(case: CaseFiles) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", case.name)]

    slices = sorted(slices, key=order)
    images, masks = tuple(case.images[0] for case in slices), tuple(case.masks[0] for case in slices)
    return replace(slices[0], name=patient, images=images, masks=masks)


def _pairs(root: Path) -> tuple[dict[Path, Path], list[Path]]:
    """Find picture -> mask, beside it by its name, else in the folder of masks beside its own; and those without."""
    files = sorted(
        path for path in root.rglob("*") if path.suffix.lower() in PICTURES and not path.name.startswith(".")
    )
    by_place: dict[tuple[Path, str], Path] = {}
    masks = []
    for path in files:
        if is_mask(path):
            masks.append(path)
        elif by_place.setdefault((path.parent, path.stem), path) != path:
            two = f"{by_place[path.parent, path.stem].name} and {path.name}"
            raise UserError(f"{path.parent}: two pictures of one name, {two}; move one of them away")
    pairs: dict[Path, Path] = {}
    for mask in masks:
        places = places_of_image(mask)
        image = next((by_place[place] for place in places if place in by_place), None)
        if image is None:
            raise UserError(
                f"{mask}: a mask without its picture {places[0][1]}; restore the picture or remove the mask"
            )
        if image in pairs:
            raise UserError(f"{image}: has two masks, {pairs[image].name} and {mask.name}; move one of them away")
        pairs[image] = mask
    return pairs, [path for path in by_place.values() if path not in pairs]


def task(root: Path, reading: Reading, cases: list[CaseFiles]) -> Task:
    """Segment what the masks outline, or what `--labels` says, in slices of no particular sequence."""
    targets = targets_of(reading.labels) if reading.labels else LESION
    return Task("pictures with masks", (UNNAMED,), UNNAMED, targets)


def read_case(files: CaseFiles, task: Task) -> Case:
    """Read the slices of one case: images of 8 or 16 bits [slices, H, W, 1], and their label map.

    Raises:
        UserError: a file is damaged, in colour, too large, or of another size or depth than the first; or no mask.
    """
    refuse_large(files)
    images = [_read(path) for path in files.images]
    masks = [_read(path) for path in files.masks]
    for path, pixels in zip((*files.images, *files.masks), (*images, *masks), strict=True):
        if pixels.shape != images[0].shape:
            raise UserError(
                f"{printable(path)}: {size_of(pixels)}, but {printable(files.images[0].name)} is {size_of(images[0])}; "
                "the pictures of a case have one size: restore it, or crop it"
            )
    for path, pixels in zip(files.images, images, strict=True):
        if pixels.dtype != images[0].dtype:
            own, first = (8 * one.itemsize for one in (pixels, images[0]))
            raise UserError(
                f"{printable(path)}: {own} bits, but {printable(files.images[0].name)} has {first}; "
                "the pictures of a case have one depth: save both alike"
            )
    labels = labels_of(printable(files.masks[0]), np.stack(masks), task.targets)
    slices, height, width = labels.shape
    return Case(files.name, np.stack(images)[..., None], Grid((slices, height, width)), labels)


def _read(path: Path) -> np.ndarray:
    """Read a grey picture, also one stored in three equal channels: uint8 or uint16 [H, W]."""
    pixels = read_pixels(path)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{printable(path)}: holds {pixels.dtype} values; save it in 8 or 16 bits")
    if pixels.ndim == 3:
        if not (pixels[..., :3] == pixels[..., :1]).all():
            raise UserError(f"{printable(path)}: in colour, but a slice is grey; convert it")
        pixels = pixels[..., 0]
    return pixels


READER = Reader(
    reading="images 1",
    recognises=recognises,
    list_cases=list_cases,
    task=task,
    read_case=read_case,
    takes=frozenset({"patient_pattern", "labels"}),
    files="pictures",
)
