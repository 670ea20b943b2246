"""Volumes laid out or named for other programs: why a folder of volumes has no pairs, and what to do.

nnU-Net (Isensee et al., Nature Methods 2021, doi 10.1038/s41592-020-01008-z) has `imagesTr/case_0000.nii.gz`, a file
for each channel, and `labelsTr/case.nii.gz`. Other data sets have folders `images` and `masks`.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>[0-9]{4})", re.DOTALL)
"""A file of nnU-Net, without suffix."""

IMAGES = re.compile(r"(imgs?|images?|scans?|volumes?)_?(tr|ts|val)?", re.IGNORECASE)
LABELS = re.compile(
    r"(labels?|masks?|segs?|segmentations?|gts?|ground_?truths?|annotations?)_?(tr|ts|val)?", re.IGNORECASE
)
"""Names of folders."""


def masks_in_another_folder(root: Path, files: Sequence[Path]) -> str:
    """Say what to do where masks lie in a folder of their own, under the names of their images.

    Args:
        root: the data's folder; where it holds the images alone, the folder of the masks is looked for beside it.
        files: all volumes below it.

    Returns:
        The reason and the mend; empty where the files are not laid out so.
    """
    volumes = [*files, *(_beside(root) if IMAGES.fullmatch(root.name) else [])]
    labels = [path for path in volumes if LABELS.fullmatch(path.parent.name)]
    images = {path for path in volumes if not LABELS.fullmatch(path.parent.name)}
    for label in labels:
        case = _stem(label)
        own = sorted(path for path in images if _stem(path) == case)
        channels = channels_of(case, images)
        if not own and not channels:
            continue
        image = (own or channels)[0]
        nnunet = ", as in nnU-Net" if channels or label.parent.name.lower().endswith(("tr", "ts")) else ""
        new = f"{case}{_suffix(image)}"
        which = f" (of its {len(channels)} channels the one that the mask was drawn on)" if len(channels) > 1 else ""
        return (
            f"the masks lie in {label.parent.name} under the names of their images in {image.parent.name}{nnunet}, but "
            f"training looks for image and mask by their names; copy or link {image.parent.name}/{image.name} as "
            f"{new}{which}, {label.parent.name}/{label.name} as {case}_mask{_suffix(label)} beside it, and so on for "
            "each case"
        )
    return ""


def image_in_channels(mask: Path, bases: Iterable[str], images: Iterable[Path]) -> str:
    """Say what to do where the image of a mask is named as channels of nnU-Net.

    Args:
        mask: its file.
        bases: what it may be the mask of, as `bases_of_mask` gives it.
        images: all files that may be its image.

    Returns:
        The reason and the mend; empty where there are no such files.
    """
    images = list(images)
    for base in filter(None, bases):
        channels = channels_of(base, images)
        if channels:
            names = ", ".join(path.name for path in channels[:4]) + (", ..." if len(channels) > 4 else "")
            one = channels[0].name if len(channels) == 1 else "the channel that the mask was drawn on"
            are = "a channel" if len(channels) == 1 else f"{len(channels)} channels"
            return (
                f"its image is named as {are} of nnU-Net, {names}, but training reads one image for each mask, by its "
                f"name; copy, link or rename {one} as {base}{_suffix(channels[0])}, and so on for each case"
            )
    return ""


def channels_of(case: str, images: Iterable[Path]) -> list[Path]:
    """List the files of a case that are named as channels of nnU-Net, in their order."""
    matches = ((path, CHANNEL.fullmatch(_stem(path))) for path in images)
    return sorted(path for path, match in matches if match and match["case"] == case)


def _beside(root: Path) -> list[Path]:
    folders = [path for path in root.absolute().parent.iterdir() if LABELS.fullmatch(path.name) and path.is_dir()]
    return sorted(path for folder in folders for path in folder.glob("*.nii*"))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii")


def _suffix(path: Path) -> str:
    return path.name[len(_stem(path)) :]
