"""Oblique scans through the reader: where their voxels come from and where a mask comes back to."""

from dataclasses import replace
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.trained.facts import ModelFacts
from tests.preparing.steps.test_level import RIGHT, UP, blobs, grid, places_of, rotation
from tests.processes import printed_by


@pytest.mark.parametrize("turn", [rotation(UP, 20), rotation(RIGHT, 25) @ rotation(UP, -30)], ids=["turned", "both"])
@pytest.mark.parametrize("steps", [(180 / 256, 180 / 256, 5), (220 / 256, 1.1, 220 / 256)])
def test_copies_of_8_bits_are_read_and_restored_alike(
    tmp_path: Path, lgg: ModelFacts, turn: np.ndarray, steps: tuple[float, ...]
) -> None:
    """Spacings that lie halfway between two of five digits, and a header that rounds."""
    values = np.random.default_rng(0).integers(1, 255, (50, 44, 12)).astype(np.uint8)
    image, expected = nibabel.Nifti1Image(values, grid(turn, values.shape, steps)), None
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2], [2, 1, 0]):
        for signs in ([1, 1, 1], [1, -1, 1], [-1, 1, -1]):
            way = np.column_stack([order, signs])
            copy = image.as_reoriented(way)
            copy.set_qform(copy.affine, 1)
            copy.set_sform(None, 0)
            nibabel.save(copy, tmp_path / "a.nii")
            [job] = find_jobs(tmp_path / "a.nii", "", lgg.task, ())
            scan = read_scan(job, lgg, "", "auto")
            assert scan.levelled and scan.volume.dtype == np.uint8
            ramp = np.linspace(0, 1, scan.volume[..., 0].size, dtype=np.float32).reshape(scan.volume.shape[:3])
            own = nibabel.orientations.apply_orientation(
                scan.restore(ramp), np.column_stack([np.argsort(order), np.array(signs)[np.argsort(order)]])
            )
            expected = expected or (scan.volume, own)
            np.testing.assert_array_equal(scan.volume, expected[0])
            np.testing.assert_array_equal(own, expected[1])


@pytest.mark.parametrize("axis", [UP, RIGHT])
def test_a_mask_comes_back_to_where_it_is_in_the_world(tmp_path: Path, lone: ModelFacts, axis: int) -> None:
    """Through the reader, with pixels that are not square, the truth beside it, and a copy that is stored otherwise."""
    shape, facts = (
        (100, 64, 34),
        ModelFacts("m", "unet", 0, 1, lone.recipe, replace(lone.task, plane="axial")),
    )
    image = nibabel.Nifti1Image(np.zeros(shape, np.float32), grid(rotation(axis, 28), shape, (0.8, 1.3, 2.5)))
    values = blobs(places_of(image.affine, shape))
    image = nibabel.Nifti1Image(values, image.affine)
    copy = image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    for name, one in (("a", image), ("b", copy)):
        nibabel.save(one, tmp_path / f"{name}.nii")
        stored = np.asarray(one.dataobj) > 100
        nibabel.save(nibabel.Nifti1Image(stored.astype(np.uint8), one.affine), tmp_path / f"{name}_mask.nii")
        [job] = find_jobs(tmp_path / f"{name}.nii", "", facts.task, ())
        scan = read_scan(job, facts, "", "auto")
        assert scan.levelled and scan.volume.dtype == np.float32 and scan.truth is not None
        assert scan.spacing is not None and scan.spacing[1] == pytest.approx(scan.spacing[2])
        assert abs(scan.truth.mean() - (scan.volume[..., 0] > 100).mean()) < 0.003
        found = scan.restore((scan.volume[..., 0] > 100).astype(np.float32)) >= 0.5
        overlap = 2 * (found & stored).sum() / (found.sum() + stored.sum())
        assert overlap > 0.93 and found.shape == one.shape
    assert not read_scan(job, facts, "", "acquired").levelled


def test_a_lone_slice_is_turned_but_never_tilted(tmp_path: Path, lgg: ModelFacts) -> None:
    values = np.random.default_rng(0).integers(1, 255, (40, 44, 1)).astype(np.uint8)
    turns = {"level": np.eye(3), "tilted": rotation(RIGHT, 30), "turned": rotation(UP, 20)}
    turns["both"] = rotation(RIGHT, 30) @ rotation(UP, 20)
    for plane in ("auto", "axial", "acquired", "sagittal"):
        for name, turn in turns.items():
            nibabel.save(nibabel.Nifti1Image(values, grid(turn, values.shape, (1, 1, 5))), tmp_path / "a.nii")
            [job] = find_jobs(tmp_path / "a.nii", "", lgg.task, ())
            scan = read_scan(job, lgg, "", plane)
            assert scan.levelled == (name in ("turned", "both") and plane in ("auto", "axial"))
            assert scan.restore(scan.volume[..., 0].astype(np.float32)).shape == values.shape
            if plane != "sagittal":
                assert len(scan.volume) == 1 and scan.volume.any()


def test_a_level_scan_does_not_wait_for_scipy(tmp_path: Path) -> None:
    """Nor one that is only turned within its slices."""
    values = cv2.GaussianBlur(np.random.default_rng(0).random((40, 44, 5)).astype(np.float32), (5, 5), 0) * 100
    for degrees in (0, 20):
        nibabel.save(
            nibabel.Nifti1Image(values, grid(rotation(UP, degrees), values.shape)), tmp_path / f"{degrees}.nii"
        )
    nibabel.save(nibabel.Nifti1Image(values, grid(rotation(RIGHT, 20), values.shape)), tmp_path / "tilted.nii")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from headtohead.predicting.files.finding import find_jobs\n"
        "from headtohead.predicting.files.scans import read_scan\n"
        "from headtohead.trained.facts import ModelFacts\n"
        "from headtohead.readers.lgg import TASK\n"
        "facts = ModelFacts('m', 'unet', 0, 5, {'image_size': 32, 'normalise': 'inner', 'neighbours': 1}, TASK)\n"
        "for name in ('0', '20', 'tilted'):\n"
        f"    [job] = find_jobs(Path({str(tmp_path)!r}) / f'{{name}}.nii', '', facts.task, ())\n"
        "    scan = read_scan(job, facts, '', 'auto')\n"
        "    scan.restore(scan.volume[..., 0].astype('float32'))\n"
        "    print(name, scan.levelled, 'scipy.ndimage' in sys.modules)\n"
    )
    assert printed_by(program) == "0 False False\n20 True False\ntilted True True\n"
