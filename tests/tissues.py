"""Heads of real people as a cohort of five tissues: their label maps, and images made up from them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

LABEL_MAPS = Path(__file__).resolve().parents[2] / "shared" / "nifti" / "labels"

TISSUES = {
    "white matter": (2, 7, 41, 46),
    "cortex": (3, 8, 42, 47),
    "deep grey": (10, 11, 12, 13, 17, 18, 26, 28, 49, 50, 51, 52, 53, 54, 58, 60),
    "fluid": (4, 5, 14, 15, 24, 43, 44),
    "brain stem": (16,),
}
"""FreeSurfer's labels of each; all others are background."""

BRIGHTNESS = {"white matter": 200, "cortex": 140, "deep grey": 160, "fluid": 60, "brain stem": 180}


def write_tissues(root: Path, cases: int = 10, step: int = 4) -> tuple[int, ...]:
    """Write `head-01.nii.gz` with `head-01_dseg.nii.gz`, and so on.

    The image has one grey level a tissue, a little different in each head, with noise and a bias field; outside the
    brain each label has a level of its own.

    Args:
        root: the folder.
        cases: how many.
        step: every how many voxels one is taken along each axis.

    Returns:
        The labels that belong to no tissue.
    """
    if not LABEL_MAPS.is_dir():
        pytest.skip("the label maps of shared/ are not here")
    root.mkdir(parents=True, exist_ok=True)
    others: set[int] = set()
    for number, path in enumerate(sorted(LABEL_MAPS.glob("*.nii.gz"))[:cases], start=1):
        found = nib.load(path)
        labels = np.asarray(found.dataobj)[::step, ::step, ::step].astype(np.uint16)
        rng = np.random.default_rng(number)
        levels = {label: rng.uniform(20, 255) for label in np.unique(labels).tolist() if label}
        for tissue, own in TISSUES.items():
            levels |= dict.fromkeys(own, BRIGHTNESS[tissue] + rng.uniform(-8, 8))
        image = np.zeros(labels.shape, np.float32)
        for label, level in levels.items():
            image[labels == label] = level
        bias = 1 + 0.1 * np.linspace(-1, 1, labels.shape[0])[:, None, None]
        image = (image * bias + rng.normal(0, 5, labels.shape)).clip(0)
        affine = found.affine @ np.diag([step, step, step, 1])
        for name, values in (("", image.astype(np.int16)), ("_dseg", labels)):
            nib.save(nib.Nifti1Image(values, affine), root / f"head-{number:02d}{name}.nii.gz")
        others |= set(levels) - {label for own in TISSUES.values() for label in own}
    return tuple(sorted(others))
