"""Reader of a folder of NIfTI volumes with a mask beside each: `X.nii.gz` with `X_mask.nii.gz` or `X_seg.nii.gz`.

Names of the Brain Imaging Data Structure (BIDS) are read as well: `X_desc-brain_mask.nii.gz`, folders within folders,
masks in a tree of derivatives, patients as `sub-01`. Source: Gorgolewski et al., Scientific Data 2016,
doi 10.1038/sdata.2016.44.
"""

import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.errors import UserError
from headtohead.memory import refuse_unless_free
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.mask_names import Images, bases_of_mask, outlines_other_than_brain
from headtohead.readers.nifti_file import VolumeFile, open_volume
from headtohead.readers.other_layouts import image_in_channels, masks_in_another_folder
from headtohead.readers.patients import bids_patients
from headtohead.readers.regridding import read_labels
from headtohead.readers.volume_names import volume_end, volume_stem
from headtohead.task import Case, Target, Targets, Task
from headtohead.task.task import UNNAMED

if TYPE_CHECKING:
    import pandas as pd

TASK = Task("NIfTI volumes with masks", (UNNAMED,), primary=UNNAMED, targets=Targets((Target("lesion", (1,)),)))

READING = "nifti 2"
"""Raised whenever the same files would be read as other pixels: the data are then other data."""

SMALL = 2**26
"""Bytes below which nobody asks how much memory is free."""

PACKED = 24
"""Bytes for each voxel while a volume is read, cut, joined to three channels and measured, stored ones apart."""


def list_cases(root: Path) -> list[CaseFiles]:
    """List the images below `root` that have a mask, sorted by name, without reading a voxel.

    An image without a mask is left out, and how many were is printed.

    Raises:
        UserError: the folder is missing or holds no pair; a mask has no image, or more than one; an image has two.
    """
    if not root.is_dir():
        raise UserError(f"--root_dir {root}: no such folder; name the one that holds the volumes")
    files = sorted(path for path in root.rglob("*") if _is_volume(path))
    masks = [path for path in files if bases_of_mask(stem_of(path))]
    images = [path for path in files if path not in set(masks)]
    pairs = _pairs(images, masks)
    if not pairs:
        if reason := masks_in_another_folder(root, files):
            raise UserError(f"--root_dir {root}: {reason}")
        raise UserError(
            f"--root_dir {root}: no image in it has a mask (X.nii.gz with X_mask.nii.gz, X_seg.nii.gz or "
            f"X_desc-brain_mask.nii.gz); {_what_else(root, files)}"
        )
    alone = [path for path in images if path not in pairs]
    if alone:
        print(f"{root}: images left out because they have no mask: {len(alone)} of {len(images)}, such as {alone[0]}")
    return bids_patients(_named(root, pairs), root)


def _is_volume(path: Path) -> bool:
    return bool(volume_end(path.name)) and not path.name.startswith(".") and path.is_file()


def stem_of(path: Path) -> str:
    """Name of a volume without its end, such as `.nii.gz`."""
    return volume_stem(path.name)


def _pairs(images: list[Path], masks: list[Path]) -> dict[Path, Path]:
    """Find the image of each mask: among those of the mask's own folder, else anywhere."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in images:
        by_folder[path.parent].append(path)
    named = {folder: Images(map(stem_of, inside)) for folder, inside in by_folder.items()}
    everywhere = Images(map(stem_of, images))
    pairs: dict[Path, Path] = {}
    # BIDS derivatives often hold further masks (of CSF, of vessels): they count where an image has no other.
    for mask in sorted(masks, key=lambda path: outlines_other_than_brain(stem_of(path))):
        other = outlines_other_than_brain(stem_of(mask))
        stem, inside = stem_of(mask), by_folder.get(mask.parent, [])
        stems = named[mask.parent].of_mask(stem) if inside else []
        found = [path for path in inside if stem_of(path) in stems]
        if not found and bases_of_mask(stem)[-1]:
            stems = everywhere.of_mask(stem)
            found = [path for path in images if stem_of(path) in stems]
        if len(found) > 1:
            raise UserError(f"{mask}: fits both {found[0]} and {found[1]}; rename the mask after its image")
        if not found and not other:
            if reason := image_in_channels(mask, bases_of_mask(stem), images):
                raise UserError(f"{mask}: {reason}")
            base = bases_of_mask(stem)[-1] or "X"
            raise UserError(f"{mask}: a mask without its image {base}.nii.gz; restore the image or remove the mask")
        if found and found[0] in pairs and not other:
            two = f"{pairs[found[0]].name} and {mask.name}"
            raise UserError(f"{found[0]}: has two masks, {two}; move one of them away")
        if found:
            pairs.setdefault(found[0], mask)
    return pairs


def _what_else(root: Path, files: list[Path]) -> str:
    if files:
        return f"it holds volumes, such as {files[0]}, but no masks"
    if any(root.glob("**/TCGA_*")):
        return "it looks like LGG; leave --data out"
    return "name the folder that holds the volumes"


def _named(root: Path, pairs: dict[Path, Path]) -> list[CaseFiles]:
    """Name cases by their files, and those of one name by their folders, too."""
    often = Counter(stem_of(path) for path in pairs)
    cases: dict[str, CaseFiles] = {}
    for image, mask in pairs.items():
        stem = stem_of(image)
        name = stem if often[stem] == 1 else "_".join((*image.relative_to(root).parts[:-1], stem))
        if name in cases:
            raise UserError(f"{image}: {cases[name].images[0]} also has the name {name}; rename one of the two")
        cases[name] = CaseFiles(name, name, "", (image,), (mask,))
    return [cases[name] for name in sorted(cases)]


def read_case(files: CaseFiles) -> Case:
    """Read the voxels of one case on the file's own grid: images float32 [*grid, 1], labels {0, 1}.

    Raises:
        UserError: a file is damaged or no volume of real numbers, the mask is not binary or on another grid.
    """
    image, mask = (open_volume(path) for (path,) in (files.images, files.masks))
    for file in (image, mask):
        _refuse_large(file)
    labels = read_labels(mask, image, TASK.targets)
    grey = image.read().astype(np.float32, copy=False)
    if not (grey > 0).any():
        raise UserError(f"{image.path}: no voxel is above 0; restore it, or remove it with its mask")
    return Case(files.name, grey[..., None], image.grid, labels)


def read_clinical(root: Path) -> "pd.DataFrame":
    """Give a table of patients without any column: nothing but the volumes is read."""
    import pandas as pd

    return pd.DataFrame({"patient": pd.Series(dtype=str)})


def further_files(root: Path) -> list[Path]:
    """List files besides images and masks from which the cohort is made: none."""
    return []


def _refuse_large(file: VolumeFile) -> None:
    """Refuse by its header what is no single volume, or does not fit into memory."""
    sizes = "x".join(map(str, file.stored_shape))
    if file.volumes > 1:
        raise UserError(f"{file.path}: {sizes} voxels, not one 3-D volume; split it, or remove it with its mask")
    need = PACKED * math.prod(file.shape)
    if need > SMALL:
        refuse_unless_free(file.path, f"{sizes} voxels", need)
