"""Sequences on different grids of one scanner space come onto FLAIR's grid."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.preparing.steps.resample import resample_onto
from headtohead.readers.nifti_file import open_volume
from headtohead.trained.facts import ModelFacts

FLAIR = np.diag([1.0, 1, 2, 1])
SHAPE = (24, 28, 12)


def plane(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """Values that grow evenly in space, so that straight lines between neighbours are exact: float32."""
    places = np.stack(np.meshgrid(*map(np.arange, shape), [1], indexing="ij"), -1)[..., 0, :] @ affine.T
    return (200 + places @ (3, -2, 5, 0)).astype(np.float32)


def thick(turned: float = 0.0) -> np.ndarray:
    """A grid 1.5 times as thick, with other pixels and another origin; turned by so many degrees."""
    angle = np.deg2rad(turned)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn * (1.2, 1.1, 3)
    affine[:3, 3] = (-6, -7, -3)
    return affine


@pytest.mark.parametrize("turned", [0, 7])
def test_values_are_those_of_their_place(save: Callable, turned: float) -> None:
    grid = open_volume(save("flair.nii", plane(SHAPE, FLAIR), FLAIR))
    affine = thick(turned)
    file = open_volume(save("t1.nii", plane((36, 40, 12), affine), affine))
    assert not grid.grid.is_that_of(file.grid)
    found, share = resample_onto(file.read(), file.grid, grid.grid)
    assert share == 1 and found.dtype == np.float32
    np.testing.assert_allclose(found, plane(SHAPE, FLAIR), atol=1e-3)


def test_axes_that_run_the_other_way_are_no_interpolation(save: Callable, texture: np.ndarray) -> None:
    grid = open_volume(save("flair.nii", texture))
    affine = np.array([[0, -1.0, 0, 6], [0, 0, 1, 0], [-1, 0, 0, 7], [0, 0, 0, 1]])
    turned = np.zeros((8, 7, 6), np.int16)
    for index in np.ndindex(8, 7, 6):
        place = np.rint(affine @ (*index, 1)).astype(int)[:3]
        if all(0 <= at < size for at, size in zip(place, texture.shape, strict=True)):
            turned[index] = texture[tuple(place)]
    file = open_volume(save("t1.nii", turned, affine))
    found, _ = resample_onto(file.read(), file.grid, grid.grid)
    inside = found != 0
    assert inside.mean() > 0.7
    np.testing.assert_array_equal(found[inside], texture[inside])


def test_beyond_the_field_of_view_is_0(save: Callable) -> None:
    grid = open_volume(save("flair.nii", np.ones(SHAPE), FLAIR))
    affine = FLAIR.copy()
    affine[2, 3] = 12  # six slices up
    file = open_volume(save("t1.nii", np.full(SHAPE, 7, np.uint8), affine))
    found, share = resample_onto(file.read(), file.grid, grid.grid)
    assert found.dtype == np.uint8 and share == 0.5
    assert (found[..., :6] == 0).all() and (found[..., 6:] == 7).all()


def test_a_thick_slice_counts_to_its_end(save: Callable) -> None:
    """Its first voxel's centre lies 2 mm up, but it begins at 0."""
    grid = open_volume(save("flair.nii", np.ones((4, 4, 8)), np.eye(4)))
    affine = np.diag([1.0, 1, 4, 1])
    affine[2, 3] = 1.5
    file = open_volume(save("t1.nii", np.full((4, 4, 2), 7, np.int16), affine))
    found, share = resample_onto(file.read(), file.grid, grid.grid)
    assert share == 1 and (found == 7).all()


def test_a_case_on_several_grids_is_read_and_says_so(save: Callable, tmp_path: Path, lgg: ModelFacts) -> None:
    shape, affine = (36, 40, 12), thick()
    save("p_flair.nii.gz", plane(SHAPE, FLAIR), FLAIR)
    save("p_t1.nii.gz", plane(shape, affine), affine)
    save("p_t1ce.nii.gz", plane(SHAPE, FLAIR), FLAIR)
    save("p_t2.nii.gz", plane(SHAPE, FLAIR), FLAIR)
    [job] = find_jobs(tmp_path, "", lgg.task, ())
    scan = read_scan(job, lgg, "", "auto")
    assert scan.notes == ("not used: p_t2.nii.gz", "T1 was resampled onto the grid of p_flair.nii.gz")
    assert scan.missing == ()
    # Every sequence holds the same values, so its three channels agree but for rounding.
    assert np.abs(scan.volume[..., 0].astype(int) - scan.volume[..., 1]).max() <= 1
    np.testing.assert_array_equal(scan.volume[..., 1], scan.volume[..., 2])
    # FLAIR alone is asked for, while T1 lies beside it.
    [job] = find_jobs(tmp_path / "p_flair.nii.gz", "", lgg.task, ())
    assert read_scan(job, lgg, "", "auto").volume.shape == (12, 28, 24, 3)


def test_volumes_that_do_not_overlap_are_refused(save: Callable, tmp_path: Path, lgg: ModelFacts) -> None:
    save("p_flair.nii", plane(SHAPE, FLAIR), FLAIR)
    affine = FLAIR.copy()
    affine[0, 3] = 100
    save("p_t1.nii", plane(SHAPE, FLAIR), affine)
    [job] = find_jobs(tmp_path, "", lgg.task, ())
    with pytest.raises(UserError, match=r"p_t1\.nii: does not overlap with p_flair\.nii in scanner space.*correct"):
        read_scan(job, lgg, "", "auto")


def test_partial_cover_and_headers_without_a_position_are_told(save: Callable, tmp_path: Path, lgg: ModelFacts) -> None:
    import nibabel

    save("p_flair.nii", plane(SHAPE, FLAIR), FLAIR)
    affine = FLAIR.copy()
    affine[2, 3] = 12
    path = save("p_t1.nii", plane(SHAPE, FLAIR), affine)
    [job] = find_jobs(tmp_path, "", lgg.task, ())
    [note] = read_scan(job, lgg, "", "auto").notes
    assert note == "T1 was resampled onto the grid of p_flair.nii, of which it covers 50%"
    image = nibabel.load(path)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(), None, image.header), path)
    [note] = read_scan(job, lgg, "", "auto").notes
    assert note.endswith("; a header has no position in the scanner, so check the result")
