"""Training and prediction see the same pixels and the same mask of a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.readers.nifti import TASK, list_cases
from headtohead.readers.volumes import read_volumes
from headtohead.trained.facts import ModelFacts

RECIPE = {"image_size": 32, "normalise": "inner", "neighbours": 1}
FACTS = ModelFacts("a", "unet", 0, 5, RECIPE, task=TASK)
AFFINES = {
    "square pixels": np.diag([0.5, 0.5, 3, 1]),
    "twice as high as wide": np.diag([1.0, 0.5, 3, 1]),
    "coronal, other axes, oblique pixels": np.array([[0, 0, 0.9, 0], [0, -4.0, 0, 0], [0.6, 0, 0, 0], [0, 0, 0, 1]]),
}


@pytest.fixture
def ball() -> tuple[np.ndarray, np.ndarray]:
    """A bright ball in noise, and where it is."""
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in (24, 48, 6)), indexing="ij"))
    inside = np.linalg.norm(place, axis=0) < 0.6
    return (inside * 600 + np.random.default_rng(0).integers(20, 200, inside.shape)).astype(np.int16), inside


@pytest.mark.parametrize("grid", AFFINES)
@pytest.mark.parametrize("end", [".nii.gz", ".mgz"])
def test_pixels_and_masks_agree(save: Callable, tmp_path: Path, ball: tuple, grid: str, end: str) -> None:
    values, inside = ball
    save(f"data/x{end}", values, AFFINES[grid])
    save(f"data/x_mask{end}", (inside * 255).astype(np.uint8 if end == ".nii.gz" else np.int16), AFFINES[grid])
    cohort = open_cohort(tmp_path / "data", tmp_path / "packed", "nifti")
    [job] = find_jobs(tmp_path / "data", "", TASK, ())
    scan = read_scan(job, FACTS, "", "auto")
    assert cohort.images(0).shape[:3] == scan.volume.shape[:3]
    np.testing.assert_array_equal(cohort.images(0)[..., 0], scan.volume[..., 0])
    back = scan.restore((cohort.labels(0) != 0).astype(np.float32)) >= 0.5
    assert (back != inside).mean() < 0.01  # masks are cut at a half of a pixel, and back
    assert cohort.spacing(0) == pytest.approx(scan.spacing)
    assert scan.spacing is not None and scan.spacing[1] == pytest.approx(scan.spacing[2], rel=0.05)
    np.testing.assert_array_equal(scan.truth, inside)


@pytest.mark.parametrize("value", [1, 4, 255, 0.5, 0.25])
def test_a_mask_of_any_value_is_the_same(save: Callable, tmp_path: Path, ball: tuple, value: float) -> None:
    values, inside = ball
    save("data/x.nii", values)
    save("data/x_mask.nii", (inside * value).astype(np.float32))
    [files] = list_cases(tmp_path / "data")
    [job] = find_jobs(tmp_path / "data", "", TASK, ())
    np.testing.assert_array_equal(read_volumes(files, TASK).labels, read_scan(job, FACTS, "", "auto").truth)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda mask: mask * np.linspace(0, 1, 48)[:, None], "must hold 0 and one other value"),
        (lambda mask: np.where(mask, 1, np.nan), "holds values that are no numbers"),
        (lambda mask: mask * -np.arange(6), "must hold 0 and one other value"),
        (lambda mask: mask[1:], r"23x48x6 voxels, but x\.nii has 24x48x6"),
    ],
)
def test_what_is_no_mask_is_refused_by_both(
    save: Callable, tmp_path: Path, ball: tuple, change: Callable, message: str
) -> None:
    values, inside = ball
    save("data/x.nii", values)
    save("data/x_mask.nii", change(inside.astype(np.float32)).astype(np.float32))
    [files] = list_cases(tmp_path / "data")
    [job] = find_jobs(tmp_path / "data", "", TASK, ())
    for read in (lambda: read_volumes(files, TASK), lambda: read_scan(job, FACTS, "", "auto")):
        with pytest.raises(UserError, match=message) as refused:
            read()
        assert "\n" not in str(refused.value)
