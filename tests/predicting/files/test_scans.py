"""Any volume, on any grid: what is read is the same whichever way it was stored, and comes back to where it was."""

from itertools import permutations, product
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.writing import write_like
from headtohead.trained.facts import ModelFacts
from tests.processes import printed_by

TURNS = [
    np.array(list(zip(order, signs, strict=True)))
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]
DTYPES = ("u1", "i1", "i2", ">i2", "u2", "i4", "f4", ">f4", "f8", "i8")
UNITS = ("mm", "micron", "meter", "unknown")
REAL = Path(__file__).parents[4] / "shared" / "nifti"  # beside the checkout, where there is one
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real volumes are not here")


def rotation(degrees: tuple[float, float, float]) -> np.ndarray:
    out = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        turn = np.eye(3)
        one, other = (axis + 1) % 3, (axis + 2) % 3
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        out = turn @ out
    return out


def predict(path: Path, facts: ModelFacts, plane: str, written: Path) -> tuple[np.ndarray, np.ndarray]:
    """Stand in for a model by whatever is brighter than the mean: the volume it saw, and the mask as read back."""
    [job] = find_jobs(path, "", facts.task, ())
    scan = read_scan(job, facts, "", plane)
    inside = (scan.volume[..., 0] > scan.volume[..., 0].mean()).astype(np.float32)
    write_like(job, scan.restore(inside) > 0.5, [written])
    return scan.volume, np.asarray(nibabel.load(written).dataobj)


def with_axes(image: nibabel.Nifti1Image, axes: int) -> nibabel.Nifti1Image:
    """Store a volume as a 4-D file of one, or a single slice as a 2-D file, if it lies along the first two axes."""
    values = np.asarray(image.dataobj)
    if axes == 4:
        values = values[..., None]
    elif axes == 2 and values.shape[2] == 1:
        values = values[..., 0]
    header = image.header.copy()
    header.set_data_shape(values.shape)
    return nibabel.Nifti1Image(values, image.affine, header, dtype=values.dtype)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    spacing=st.tuples(*[st.sampled_from([0.4, 0.9, 1.0, 1.005, 2.0, 3.3])] * 3),
    degrees=st.tuples(*[st.sampled_from([0.0, 7.0, -20.0, 44.0])] * 3),
    shift=st.tuples(*[st.floats(-100, 100)] * 3),
    turn=st.sampled_from(TURNS),
    dtype=st.sampled_from(DTYPES),
    unit=st.sampled_from(UNITS),
    codes=st.sampled_from([(1, 0), (0, 2), (1, 1), (2, 4)]),
    scale=st.sampled_from([None, (0.5, 0.0), (3.0, -7.0)]),
    plane=st.sampled_from(["auto", "coronal", "sagittal", "acquired"]),
    end=st.sampled_from([".nii", ".nii.gz"]),
    axes=st.sampled_from([2, 3, 3, 4]),
    facts=st.sampled_from(["lgg", "lone"]),
    seed=st.integers(0, 99),
)
def test_any_volume_stored_in_any_way(
    tmp_path: Path, request: pytest.FixtureRequest, shape: tuple, spacing: tuple, degrees: tuple, shift: tuple,
    turn: np.ndarray, dtype: str, unit: str, codes: tuple, scale: tuple | None, plane: str, end: str, axes: int,
    facts: str, seed: int,
) -> None:  # fmt: skip
    shape = (*shape[:2], 1) if axes == 2 else shape
    affine = np.eye(4)
    affine[:3, :3] = rotation(degrees) * spacing
    affine[:3, 3] = shift
    values = np.random.default_rng(seed).integers(0, 120, shape).astype(dtype)
    header = nibabel.Nifti1Header(endianness=">" if dtype.startswith(">") else "<")
    header.set_xyzt_units(unit, "sec")
    image = nibabel.Nifti1Image(values, affine, header, dtype=np.dtype(dtype))
    seen = []
    for name, one in (("a", image), ("b", image.as_reoriented(turn))):
        one = with_axes(one, axes)
        one.set_qform(one.affine, codes[0])
        one.set_sform(one.affine, codes[1])
        one.header.set_slope_inter(*(scale or (1, 0)))
        path, written = tmp_path / f"{name}{end}", tmp_path / f"{name} predicted{end}"
        nibabel.save(one, path)
        volume, mask = predict(path, request.getfixturevalue(facts), plane, written)
        found, source = nibabel.load(written), nibabel.load(path)
        assert found.shape == source.shape
        np.testing.assert_array_equal(found.affine, source.affine)
        assert nibabel.aff2axcodes(found.affine) == nibabel.aff2axcodes(source.affine)
        assert found.header.get_zooms() == source.header.get_zooms()
        assert found.header.get_xyzt_units() == source.header.get_xyzt_units()
        assert (int(found.header["qform_code"]), int(found.header["sform_code"])) == codes
        assert found.get_data_dtype() == np.uint8 and set(np.unique(mask)) <= {0, 1}
        seen.append((volume, mask, source))
    (volume, mask, _), (turned_volume, turned_mask, turned) = seen
    np.testing.assert_array_equal(turned_volume, volume)
    expected = nibabel.Nifti1Image(mask.reshape(shape), affine).as_reoriented(turn)
    assert (*turned.shape, 1)[:3] == expected.shape
    np.testing.assert_array_equal(turned_mask.reshape(expected.shape), np.asarray(expected.dataobj))


@pytest.mark.parametrize("turn", TURNS)
def test_all_48_ways_of_storing_a_volume(
    tmp_path: Path, lgg: ModelFacts, texture: np.ndarray, turn: np.ndarray
) -> None:
    """With spacings that make the pixels of the axial plane square by resampling."""
    affine = np.diag([0.8, 1.0, 2.5, 1])
    affine[:3, :3] = rotation((3.0, -5.0, 8.0)) @ affine[:3, :3]
    image = nibabel.Nifti1Image(texture, affine)
    turned = image.as_reoriented(turn)
    nibabel.save(image, tmp_path / "a.nii")
    nibabel.save(turned, tmp_path / "b.nii")
    volume, mask = predict(tmp_path / "a.nii", lgg, "auto", tmp_path / "c.nii")
    other_volume, other_mask = predict(tmp_path / "b.nii", lgg, "auto", tmp_path / "d.nii")
    np.testing.assert_array_equal(other_volume, volume)
    expected = nibabel.Nifti1Image(mask, affine).as_reoriented(turn)
    np.testing.assert_array_equal(other_mask, np.asarray(expected.dataobj))
    assert 0.2 < mask.mean() < 0.8


@pytest.mark.parametrize("sides", [(1.0, 1.0), (1.0, 1.009)])
def test_without_resampling_every_voxel_comes_back(
    tmp_path: Path, lone: ModelFacts, texture: np.ndarray, sides: tuple[float, float]
) -> None:
    path = tmp_path / "a.nii"
    for turn in TURNS:
        nibabel.save(nibabel.Nifti1Image(texture, np.diag([*sides, 4, 1])).as_reoriented(turn), path)
        [job] = find_jobs(path, "", lone.task, ())
        scan = read_scan(job, lone, "", "auto")
        np.testing.assert_array_equal(scan.restore(scan.volume[..., 0]), np.asarray(nibabel.load(path).dataobj))


@real
def test_the_head_whose_axes_run_left_down_and_front(tmp_path: Path, lgg: ModelFacts) -> None:
    path = tmp_path / "whole_head.nii.gz"  # as T1, which it is, it would be refused
    path.symlink_to(REAL / "head" / "t1_whole_head.nii.gz")
    volume, mask = predict(path, lgg, "auto", tmp_path / "mask.nii.gz")
    found, source = nibabel.load(tmp_path / "mask.nii.gz"), nibabel.load(path)
    assert nibabel.aff2axcodes(found.affine) == ("L", "I", "A")
    np.testing.assert_array_equal(found.affine, source.affine)
    stored = np.asarray(source.dataobj)
    np.testing.assert_array_equal(mask, stored > stored.mean())
    # The whole way with nibabel: the same slices once the axes run head, back, left.
    start = nibabel.orientations.io_orientation(source.affine)
    turn = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt("SPL"))
    np.testing.assert_array_equal(volume[..., 1], nibabel.orientations.apply_orientation(stored, turn))


@real
def test_fetal_stacks_with_their_masks(lone: ModelFacts) -> None:
    jobs = find_jobs(REAL / "fetal", "**/*_T2w.nii.gz", lone.task, ())
    assert len(jobs) == 3
    for job in jobs:
        scan = read_scan(job, lone, "", "auto")
        assert scan.volume.shape == (22, 320, 320, 1) and scan.spacing == pytest.approx((3.3, 1.125, 1.125))
        assert scan.truth is not None and scan.truth.shape == scan.grid.shape == (320, 320, 22)


def test_pictures_are_read_without_nibabel(tmp_path: Path) -> None:
    """And without anything else that takes long to import: a picture is to be predicted within a second."""
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 5, 3), np.uint8))
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from headtohead.predicting.files.finding import find_jobs\n"
        "from headtohead.predicting.files.scans import read_scan\n"
        "from headtohead.predicting.files.writing import write_like\n"
        "from headtohead.trained.facts import ModelFacts\n"
        "from headtohead.readers.lgg import TASK\nrecipe = {'image_size': 32, 'normalise': 'inner', 'neighbours': 1}\n"
        "facts = ModelFacts('m', 'unet', 0, 5, recipe, TASK)\n"
        f"[job] = find_jobs(Path({str(tmp_path)!r}), '', facts.task, ())\n"
        "scan = read_scan(job, facts, '', 'auto')\n"
        f"write_like(job, scan.volume[..., 0] > 3, [Path({str(tmp_path)!r}) / 'b.png'])\n"
        "print({name.partition('.')[0] for name in sys.modules} & "
        "{'nibabel', 'torch', 'pandas', 'scipy', 'matplotlib', 'yaml', 'lightning'})\n"
    )
    assert printed_by(program) == "set()\n"
