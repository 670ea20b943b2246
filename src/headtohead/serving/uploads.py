"""Files somebody sent: under names of our making in a folder of their own, refused where too large, put in order."""

import re
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job, find_jobs
from headtohead.readers.file_names import INPUTS, MASK_SUFFIXES, ending, is_volume, stem
from headtohead.readers.mask_names import says_mask
from headtohead.readers.picture_sizes import picture_size
from headtohead.serving.limits import Limits
from headtohead.task import Task

LONGEST = 200
"""Bytes of a name; disks take 255, and results add an end of their own."""

PICTURE_MASK = re.compile(r"(^|[_.\- ])(mask|seg|dseg)([_.\- ]|$)", re.IGNORECASE)
NUMBERED = re.compile(r"(?P<case>.+)_\d+")


def safe_name(name: str) -> str:
    """Turn a name somebody sent into one that is a plain file's in any folder.

    Of a path only what follows the last slash or backslash counts. Letters, digits, dots, hyphens, underscores and
    single spaces stay; hidden files become visible.

    Raises:
        UserError: it is not that of an image, or too long.
    """
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    plain = re.sub(r"[^\w.\- ]", "_", last.encode("utf-8", "replace").decode())
    plain = re.sub(r"\s+", " ", plain).strip().lstrip(". ")
    shown = plain if len(plain) <= 60 else f"{plain[:40]}...{plain[-15:]}"
    if not ending(Path(plain)):
        raise UserError(
            f"{shown or 'a file without a name'}: this page cannot read this file type; drop {', '.join(INPUTS)}"
        )
    if len(plain.encode()) > LONGEST:
        raise UserError(f"{shown}: a name of {len(plain.encode())} bytes; shorten it to {LONGEST}")
    return plain


def store(files: Iterable[tuple[str, IO[bytes]]], folder: Path) -> list[Path]:
    """Write what was sent, name and content of each, into an empty folder.

    Raises:
        UserError: a name cannot be used, or two are one.
    """
    stored: dict[str, Path] = {}
    for name, content in files:
        plain = safe_name(name)
        if plain.casefold() in stored:
            raise UserError(f"{plain}: two files have this name; drop the files of one case")
        stored[plain.casefold()] = folder / plain
        with (folder / plain).open("xb") as file:
            shutil.copyfileobj(content, file, 2**20)
    if not stored:
        raise UserError(f"no file was sent; drop {', '.join(INPUTS)}")
    return list(stored.values())


def the_case(files: Sequence[Path], task: Task) -> Job:
    """Make one case of the files, the truth put where prediction looks for it.

    Raises:
        UserError: they are no case, or several.
    """
    masks = [file for file in files if _is_mask(file)]
    images = [file for file in files if file not in masks]
    if not images:
        raise UserError(f"{masks[0].name}: its name says that it is a mask; drop its image with it")
    folder = images[0].parent
    slices = _of_one_case(images)
    if slices:
        folder = folder / slices
        folder.mkdir()
        for file in files:
            file.rename(folder / file.name)
        masks = [folder / file.name for file in masks]
    else:  # out of the way, so that none is taken for the truth of an image it does not belong to
        (folder / "masks").mkdir()
        masks = [file.rename(folder / "masks" / file.name) for file in masks]
    jobs = [job for job in find_jobs(folder, "", task, ()) if job.relative.parts[:1] != ("masks",)]
    if len(jobs) != 1:
        names = ", ".join(job.name for job in jobs[:3]) + (", ..." if len(jobs) > 3 else "")
        raise UserError(f"{len(jobs)} cases at once ({names}); drop the files of one case at a time")
    if not slices and masks:
        _beside(jobs[0], masks)
    return replace(jobs[0], name=slices or jobs[0].name)


def _is_mask(file: Path) -> bool:
    return says_mask(stem(file)) if is_volume(file) else PICTURE_MASK.search(stem(file)) is not None


def _of_one_case(images: Sequence[Path]) -> str:
    """Name the case whose slices these are, as LGG names them (`X_1.tif`, `X_2.tif`); empty where they are not."""
    matches = [NUMBERED.fullmatch(stem(file)) for file in images]
    cases = {match["case"] if match else "" for match in matches}
    several = len(images) > 1 and not any(is_volume(file) for file in images)
    return cases.pop() if several and len(cases) == 1 else ""


def _beside(job: Job, masks: Sequence[Path]) -> None:
    """Move the one mask beside the image under the name that says whose it is."""
    if len(masks) > 1:
        raise UserError(f"{len(masks)} masks for one case ({masks[0].name}, {masks[1].name}); drop one of them")
    mask, image = masks[0], job.files[0]
    kind = ending(mask).lower()
    if is_volume(mask) != is_volume(image) or not (is_volume(mask) or kind in MASK_SUFFIXES):
        wanted = "NIfTI" if is_volume(image) else "TIFF or PNG"
        raise UserError(f"{mask.name}: the mask of {image.name} must be {wanted}; convert it or leave it out")
    mask.rename(image.with_name(f"{stem(image)}_mask{kind}"))


def refuse_many_voxels(files: Iterable[Path], limits: Limits) -> None:
    """Refuse files whose headers promise more voxels than the page takes; nothing is decoded.

    Raises:
        UserError: they are too large, or a header cannot be read.
    """
    total = 0
    for file in files:
        total += _voxels(file)
        if total > limits.voxels:
            raise UserError(
                f"{file.name}: more than {limits.voxels:,} voxels in all, too many for this page; "
                "use the command line instead: `predict`"
            )


def _voxels(file: Path) -> int:
    if is_volume(file):
        from headtohead.readers.nifti_file import open_volume

        return int(np.prod(open_volume(file).stored_shape, dtype=object))
    size = picture_size(file)
    if size is None:
        raise UserError(f"{file.name}: not a readable image (empty, cut short or damaged); restore it")
    return size.pixels
