"""Reader of a folder of NIfTI volumes with a mask beside each: `X.nii.gz` with `X_mask.nii.gz` or `X_seg.nii.gz`.

Names of the Brain Imaging Data Structure (BIDS) are read as well: `X_desc-brain_mask.nii.gz`, folders within folders,
masks in a tree of derivatives, patients as `sub-01`. Source: Gorgolewski et al., Scientific Data 2016,
doi 10.1038/sdata.2016.44.
"""

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.errors import UserError
from headtohead.memory import refuse_unless_free
from headtohead.quiet import NIBABEL, quiet_loggers
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.mask_names import Images, bases_of_mask, outlines_other_than_brain
from headtohead.readers.other_layouts import image_in_channels, masks_in_another_folder
from headtohead.readers.patients import bids_patients
from headtohead.task import Case, Grid, Target, Targets, Task
from headtohead.task.case import finite
from headtohead.task.task import UNNAMED

if TYPE_CHECKING:
    import pandas as pd
    from nibabel.nifti1 import Nifti1Image

TASK = Task("NIfTI volumes with masks", (UNNAMED,), primary=UNNAMED, targets=Targets((Target("lesion", (1,)),)))

READING = "nifti 1"
"""Raised whenever the same files would be read as other pixels: the data are then other data."""

ENDS = (".nii.gz", ".nii")
DEFLATE = 1032
"""Bytes at most that one byte of gzip expands to (RFC 1951: 258 bytes for two bits)."""

SMALL = 2**26
"""Bytes below which nobody asks how much memory is free."""

PACKED = 24
"""Bytes for each voxel while a volume is read, cut, joined to three channels and measured, stored ones apart."""

IN_MM = {"meter": 1000.0, "micron": 0.001}
MISALIGNED = 0.1
"""A mask's grid may lie this far from its image's, in voxels: headers are rounded in different ways."""


def list_cases(root: Path) -> list[CaseFiles]:
    """List the images below `root` that have a mask, sorted by name, without reading a voxel.

    An image without a mask is left out, and how many were is printed.

    Raises:
        UserError: the folder is missing or holds no pair; a mask has no image, or more than one; an image has two.
    """
    if not root.is_dir():
        raise UserError(f"--root_dir {root}: no such folder; name the one that holds the volumes")
    files = sorted(path for path in root.rglob("*.nii*") if _is_volume(path))
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
    return path.name.endswith(ENDS) and not path.name.startswith(".") and path.is_file()


def stem_of(path: Path) -> str:
    """Name of a volume without `.nii` or `.nii.gz`."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


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
    (image_path,), (mask_path,) = files.images, files.masks
    image, mask = _open(image_path), _open(mask_path)
    for path, one in ((image_path, image), (mask_path, mask)):
        _refuse_large(path, one)
    grid = _grid(image_path, image)
    _refuse_other_grid(image_path, image, mask_path, mask)
    grey = finite(_values(image_path, image))
    if not (grey > 0).any():
        raise UserError(f"{image_path}: no voxel is above 0; restore it, or remove it with its mask")
    return Case(files.name, grey[..., None], grid, _binary(mask_path, _values(mask_path, mask)))


def read_clinical(root: Path) -> "pd.DataFrame":
    """Give a table of patients without any column: nothing but the volumes is read."""
    import pandas as pd

    return pd.DataFrame({"patient": pd.Series(dtype=str)})


def further_files(root: Path) -> list[Path]:
    """List files besides images and masks from which the cohort is made: none."""
    return []


def _open(path: Path) -> "Nifti1Image":
    """Read a volume's header.

    Raises:
        UserError: the file is damaged, or does not hold one volume of real numbers.
    """
    import nibabel

    with _reading(path):
        image = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        raise UserError(f"{path}: not a NIfTI file despite its name; convert it, or remove it with its mask")
    kind = image.get_data_dtype()
    if kind.fields or kind.kind not in "biuf":
        words = "colours" if kind.fields else "complex numbers"
        raise UserError(f"{path}: holds {words}, not one grey level per voxel; convert it")
    if len(_shape(image)) != 3 or 0 in image.shape:
        raise UserError(
            f"{path}: {'x'.join(map(str, image.shape))} voxels, not one 3-D volume; split it, or remove it "
            "with its mask"
        )
    return image


def _refuse_large(path: Path, image: "Nifti1Image") -> None:
    """Refuse by its header what does not fit into memory, or what the file cannot hold."""
    voxels = math.prod(_shape(image))
    stored = voxels * image.get_data_dtype().itemsize
    if stored > path.stat().st_size * (DEFLATE if path.name.endswith(".gz") else 1):
        raise UserError(f"{path}: not a readable NIfTI volume (cut short or damaged); restore it")
    need = PACKED * voxels + 2 * stored
    if need > SMALL:
        refuse_unless_free(path, f"{'x'.join(map(str, _shape(image)))} voxels", need)


def _shape(image: "Nifti1Image") -> tuple[int, ...]:
    """Shape without the axes of one value behind the third; a single slice has a third axis of one."""
    shape = tuple(int(size) for size in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape + (1,) * (3 - len(shape))


def _values(path: Path, image: "Nifti1Image") -> np.ndarray:
    """Read a volume's values, scaled as its header says: float32, three axes."""
    with _reading(path):
        return image.get_fdata(caching="unchanged", dtype=np.float32).reshape(_shape(image))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say in a line what is wrong with a file; a damaged one fails in many ways."""
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        with quiet_loggers(NIBABEL):
            yield
    except PermissionError:
        raise UserError(f"{path}: no permission to read it; change its permissions") from None
    except (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error, ValueError, ArithmeticError, MemoryError):
        raise UserError(f"{path}: not a readable NIfTI volume (cut short or damaged); restore it") from None


def _unit_in_mm(image: "Nifti1Image") -> float:
    try:
        return IN_MM.get(image.header.get_xyzt_units()[0], 1.0)
    except KeyError:  # a code that the standard does not know
        return 1.0


def _grid(path: Path, image: "Nifti1Image") -> Grid:
    affine = np.array(image.affine)
    affine[:3] *= _unit_in_mm(image)
    first, second, third = _shape(image)
    try:
        return Grid((first, second, third), affine)
    except ValueError as fault:
        raise UserError(f"{path}: {fault}; correct its header, or remove it with its mask") from None


def _refuse_other_grid(image_path: Path, image: "Nifti1Image", mask_path: Path, mask: "Nifti1Image") -> None:
    mend = "resample the mask onto the image's grid"
    if _shape(image) != _shape(mask):
        sizes = ["x".join(map(str, _shape(one))) for one in (mask, image)]
        raise UserError(f"{mask_path}: {sizes[0]} voxels, but {image_path.name} has {sizes[1]}; {mend}")
    corners = np.array([(*corner, 1) for corner in product(*((0, size - 1) for size in _shape(image)))])
    apart = np.linalg.norm((corners @ (image.affine - mask.affine).T)[:, :3], axis=1).max()
    finest = np.linalg.norm(image.affine[:3, :3], axis=0).min()
    if not apart <= MISALIGNED * finest:
        raise UserError(
            f"{mask_path}: is up to {apart:.3g} mm off the grid of {image_path.name} (its affine differs); {mend}"
        )


def _binary(path: Path, values: np.ndarray) -> np.ndarray:
    """Give a mask of 0 and one other value as uint8 {0, 1}."""
    levels = np.unique(values)
    inside = levels[levels != 0]
    if len(inside) > 1 or not np.isfinite(inside).all():
        shown = ", ".join(f"{level:g}" for level in levels[:4])
        more = ", ..." if len(levels) > 4 else ""
        raise UserError(
            f"{path}: a mask must hold 0 and one other value, but this one holds {shown}{more}; make it binary"
        )
    return (values != 0).astype(np.uint8)
