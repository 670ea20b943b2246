"""Files laid out or named for other programs: where their masks lie, and why a folder of volumes has no pairs.

nnU-Net (Isensee et al., Nature Methods 2021, doi 10.1038/s41592-020-01008-z) has `imagesTr/case_0000.nii.gz`, a file
for each channel, and `labelsTr/case.nii.gz`. Other data sets have folders `images` and `masks`.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from headtohead.readers.volume_names import volume_end, volume_stem

CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>[0-9]{4})", re.DOTALL)
"""A file of nnU-Net, without suffix."""

IMAGES = re.compile(r"(imgs?|images?|scans?|volumes?)_?(tr|ts|val)?", re.IGNORECASE)
LABELS = re.compile(
    r"(labels?|masks?|segs?|segmentations?|gts?|ground_?truths?|annotations?)_?(tr|ts|val)?", re.IGNORECASE
)
"""Names of folders."""


def lies_among_masks(path: Path) -> bool:
    """Say whether a file is a mask by its folder; one of volumes is so called by many programs, and needs its images.

    Such as `masks/X.png`, and `labelsTr/X.nii.gz` beside `imagesTr`.
    """
    folder = path.absolute().parent
    among = LABELS.fullmatch(folder.name) is not None
    return among and (not volume_end(path.name) or bool(folders_named(IMAGES, folder.parent)))


def folders_of_masks(image: Path) -> list[Path]:
    """List the folders of masks beside that of an image: `masks` beside `images`; of volumes `labelsTr`, `imagesTr`."""
    folder = image.absolute().parent
    if not IMAGES.fullmatch(folder.name):
        return []
    found = folders_named(LABELS, folder.parent)
    if volume_end(image.name):  # a case of imagesTs may have the name of one in labelsTr
        found = [one for one in found if _part(LABELS, one) == _part(IMAGES, folder)]
    return found


def _part(names: re.Pattern[str], folder: Path) -> str:
    match = names.fullmatch(folder.name)
    return (match[2] or "").lower() if match else ""


def folders_named(names: re.Pattern[str], parent: Path) -> list[Path]:
    """List the folders in another whose names match; none where it cannot be read."""
    try:
        with os.scandir(parent) as inside:
            return [
                parent / name for name in sorted(one.name for one in inside if one.is_dir()) if names.fullmatch(name)
            ]
    except OSError:
        return []


def masks_in_another_folder(root: Path, files: Sequence[Path]) -> str:
    """Say what to do where masks lie in a folder of their own, under the names of their images; else give ''.

    Where `root` holds images alone, the folder of the masks is looked for beside it.
    """
    volumes = list(files)
    if IMAGES.fullmatch(root.name):
        beside = [path for path in root.absolute().parent.iterdir() if LABELS.fullmatch(path.name) and path.is_dir()]
        volumes += sorted(path for folder in beside for path in folder.iterdir() if volume_end(path.name))
    labels = [path for path in volumes if LABELS.fullmatch(path.parent.name)]
    images = sorted({path for path in volumes if not LABELS.fullmatch(path.parent.name)})
    for label in labels:
        if channels := _channels_of(volume_stem(label), images):
            return (
                f"{label.parent.name} and {channels[0].parent.name} are laid out for nnU-Net; give `data=nnunet` "
                f"`root_dir` {label.parent.parent}, which needs its dataset.json"
            )
        if own := [path for path in images if volume_stem(path) == volume_stem(label)]:
            return (
                f"the masks lie in {label.parent.name} under the names of their images in {own[0].parent.name}; add "
                f"`mask_dir` {label.parent}"
            )
    return ""


def image_in_channels(bases: Iterable[str], images: Sequence[Path]) -> str:
    """Say what to do where the image of a mask of such bases is named as channels of nnU-Net; else give ''."""
    for base in filter(None, bases):
        if channels := _channels_of(base, images):
            names = ", ".join(path.name for path in channels[:4]) + (", ..." if len(channels) > 4 else "")
            return (
                f"its image is named as channels of nnU-Net, {names}; name them after their sequences "
                f"({base}_flair{volume_end(channels[0].name)}), or lay the data out for `data=nnunet`"
            )
    return ""


def _channels_of(case: str, images: Iterable[Path]) -> list[Path]:
    matches = ((path, CHANNEL.fullmatch(volume_stem(path))) for path in images)
    return sorted(path for path, match in matches if match and match["case"] == case)
