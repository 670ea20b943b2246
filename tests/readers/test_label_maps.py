"""Masks and label maps are told from scans by their voxels."""

from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from headtohead.readers.label_maps import is_label_map

REAL = Path(__file__).parents[3] / "shared" / "nifti"
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


def in_pieces(edge: int, count: int) -> np.ndarray:
    """Lesions of some voxels, each with a number of its own, in an empty volume."""
    volume = np.zeros((60, 70, 40), np.int16)
    corners = np.random.default_rng(4).permutation(6 * 7 * 4)[:count]
    for number, corner in enumerate(corners, 1):
        x, y, z = (10 * np.array(np.unravel_index(corner, (6, 7, 4))) + 2).tolist()
        volume[x : x + edge, y : y + edge, z : z + max(1, edge // 2)] = number
    return volume


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_maps_of_small_structures(dtype: type) -> None:
    for edge, count in product((1, 2, 3, 5), (5, 30, 120)):
        assert is_label_map(in_pieces(edge, count).astype(dtype)), (edge, count)
    tumour = np.zeros((90, 110, 40), dtype)
    tumour[50:53, 50:54, 10:12] = 2
    tumour[51, 51:53, 10] = 1, 4
    assert is_label_map(tumour)
    tumour[40:50, 40:50, 20:24], tumour[42:47, 42:47, 20:24], tumour[44:46, 44:46, 21:23] = 2, 1, 4
    assert is_label_map(tumour)
    parts = np.zeros((90, 110, 40), dtype)  # of one structure, each a neighbour of the next
    parts[10:70, 50:54, 10:14] = 1 + np.arange(60)[:, None, None] // 6
    assert is_label_map(parts)


def test_maps_of_more_tissues_than_a_tumour_has_parts() -> None:
    """Each tissue around the next, so that values change gradually."""
    assert is_label_map(ndimage.zoom(np.ceil(np.clip(7 * (0.95 - HEAD), 0, 6)), 3, order=0))


@pytest.mark.parametrize("greys", [32, 256])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_scans_of_few_greys_are_scans(greys: int, dtype: type) -> None:
    """8 bits, air that is 0, and noise of a twentieth of the brightness, as scanners make it."""
    smooth = 0.5 + 0.2 * ndimage.gaussian_filter(np.random.default_rng(2).normal(size=SHAPE), 2) * 10
    scan = np.where(HEAD < 0.8, np.clip(smooth + 0.05 * NOISE, 0.05, 1), 0)
    assert not is_label_map(np.rint(scan * (greys - 1)).astype(dtype))


@pytest.mark.parametrize("brightest", [2, 3, 4])
def test_a_slice_of_nothing_but_noise_is_no_label_map(brightest: int) -> None:
    noise = np.rint(1.2 * np.abs(np.random.default_rng(5).normal(size=(64, 64, 1)))).clip(0, brightest)
    assert not is_label_map(noise.astype(np.uint8))


@pytest.mark.parametrize("values", [np.zeros(SHAPE), np.full(SHAPE, 7.0), brats() + 0.5, brats() + 1, HEAD])
def test_what_is_constant_has_no_air_or_no_integers_is_not_called_a_label_map(values: np.ndarray) -> None:
    assert not is_label_map(values.astype(np.float32))


def test_a_name_with_a_word_for_masks_needs_less_proof() -> None:
    grainy = np.where(HEAD < 0.8, np.random.default_rng(3).integers(1, 90, SHAPE), 0).astype(np.float32)
    assert not is_label_map(grainy)
    assert is_label_map(grainy, named=True)
    assert not is_label_map(grainy + 0.25, named=True)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real volumes are not here")
def test_real_label_maps_and_scans() -> None:
    for path in sorted(REAL.glob("*/*.nii.gz")):
        values = nibabel.load(path).get_fdata(dtype=np.float32)
        assert is_label_map(values) == (path.parent.name == "labels" or "mask" in path.name), path


@pytest.mark.skipif(not REAL.is_dir(), reason="the real volumes are not here")
def test_real_scans_of_few_greys() -> None:
    """Whole, skull-stripped into a nearly empty volume, and smoothed."""
    fetal = REAL / "fetal" / "sub-01_run-1_T2w.nii.gz"
    stack = nibabel.load(fetal).get_fdata(dtype=np.float32)
    brain = nibabel.load(fetal.with_name("sub-01_run-1_T2w_desc-brain_mask.nii.gz")).get_fdata(dtype=np.float32)
    head = nibabel.load(REAL / "head" / "t1_whole_head.nii.gz").get_fdata(dtype=np.float32)[::2, ::2, ::2]
    assert (brain > 0).mean() < 0.02
    smooth = ndimage.gaussian_filter(stack, (1, 1, 0))
    assert not is_label_map((stack * brain).astype(np.int16))
    for scan, greys in product((stack, stack * brain, smooth, smooth * brain, head), (32, 64)):
        levels = np.rint(np.clip(scan / np.percentile(scan[scan > 0], 99.9), 0, 1) * (greys - 1))
        assert not is_label_map(levels.astype(np.int16)), greys
