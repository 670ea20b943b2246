"""Masks and label maps are told from scans by their voxels."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from headtohead.errors import UserError
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.label_maps import is_label_map
from headtohead.predicting.files.scans import read_scan
from headtohead.trained.facts import ModelFacts

REAL = Path(__file__).parents[4] / "shared" / "nifti"
SHAPE = (40, 48, 20)
PLACE = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij"))
HEAD = np.linalg.norm(PLACE, axis=0)
NOISE = np.random.default_rng(0).normal(size=SHAPE)


def brats() -> np.ndarray:
    """Three nested regions with the labels of BraTS."""
    return np.select([HEAD < 0.2, HEAD < 0.3, HEAD < 0.5], [4, 1, 2], 0).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_label_maps(dtype: type) -> None:
    assert is_label_map(brats().astype(dtype))
    assert is_label_map((brats() > 0).astype(dtype))
    assert is_label_map((255 * (brats() > 0)).astype(dtype))
    codes = ndimage.zoom(np.random.default_rng(1).integers(1, 90, (4, 5, 2)), 10, order=0)[:, :48]
    assert is_label_map(np.where(HEAD < 0.9, codes, 0).astype(dtype))


@pytest.mark.parametrize("greys", [16, 32, 256])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_scans_of_few_greys_are_scans(greys: int, dtype: type) -> None:
    """8 bits, air that is 0, and noise of a twentieth of the brightness, as scanners make it."""
    smooth = 0.5 + 0.2 * ndimage.gaussian_filter(np.random.default_rng(2).normal(size=SHAPE), 2) * 10
    scan = np.where(HEAD < 0.8, np.clip(smooth + 0.05 * NOISE, 0.05, 1), 0)
    assert not is_label_map(np.rint(scan * (greys - 1)).astype(dtype))


@pytest.mark.parametrize("values", [np.zeros(SHAPE), np.full(SHAPE, 7.0), brats() + 0.5, brats() + 1, HEAD])
def test_what_is_constant_has_no_air_or_no_integers_is_not_called_a_label_map(values: np.ndarray) -> None:
    assert not is_label_map(values.astype(np.float32))


def test_a_name_with_a_word_for_masks_needs_less_proof() -> None:
    grainy = np.where(HEAD < 0.8, np.random.default_rng(3).integers(1, 90, SHAPE), 0).astype(np.float32)
    assert not is_label_map(grainy)
    assert is_label_map(grainy, named=True)
    assert not is_label_map(grainy + 0.25, named=True)


def test_reading_refuses_them_in_a_line(save: Callable, lgg: ModelFacts, lone: ModelFacts) -> None:
    path = save("scan.nii.gz", brats())
    for facts in (lgg, lone):
        [job] = find_jobs(path, "", facts.sequences, ())
        with pytest.raises(UserError, match=r"scan\.nii\.gz: its values \(0, 1, 2, 4\) are those of a mask"):
            read_scan(job, facts, "", "auto")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real volumes are not here")
def test_real_label_maps_and_scans() -> None:
    for path in sorted(REAL.glob("*/*.nii.gz")):
        values = nibabel.load(path).get_fdata(dtype=np.float32)
        assert is_label_map(values) == (path.parent.name == "labels" or "mask" in path.name), path
