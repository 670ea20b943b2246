"""Headers that are odd and headers that lie: what can be read is read, the rest is refused in one line."""

import gzip
import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.nifti import open_nifti

DIM, DATATYPE, PIXDIM, OFFSET, SLOPE, UNITS, CODES, ROWS, MAGIC = 40, 70, 76, 108, 112, 123, 252, 280, 344
"""Where the fields of a NIfTI-1 header begin."""

VALUES = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)


def patch(path: Path, place: int, form: str, *values: float | bytes) -> Path:
    """Overwrite a field of a header, little-endian, in a packed file too."""
    packed = path.suffix == ".gz"
    data = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    struct.pack_into("<" + form, data, place, *values)
    path.write_bytes(gzip.compress(bytes(data)) if packed else bytes(data))
    return path


def refused(path: Path, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Check that a file is refused in one line that names it, at opening or at reading, and nothing else is said."""
    with pytest.raises(UserError, match=message) as caught:
        open_nifti(path).read()
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_plain_file(save: Callable) -> None:
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    found = open_nifti(save("a.nii.gz", VALUES, affine))
    assert (found.shape, found.volumes, found.spacing) == ((3, 4, 5), 1, (2.0, 3.0, 4.0))
    values = found.read()
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "u2", ">i4", "u4", "i8", ">u8", "f4", ">f4", "f8"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_type_of_number(tmp_path: Path, dtype: str, version: int) -> None:
    header, image = (
        (nibabel.Nifti1Header, nibabel.Nifti1Image) if version == 1 else (nibabel.Nifti2Header, nibabel.Nifti2Image)
    )
    order = header(endianness=">" if ">" in dtype else "<")
    nibabel.save(image(VALUES.astype(dtype), np.eye(4), order, dtype=np.dtype(dtype)), tmp_path / "a.nii")
    values = open_nifti(tmp_path / "a.nii").read()
    assert values.dtype == (np.uint8 if dtype == "u1" else np.float32)
    np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_the_scale_factor_applies(save: Callable, dtype: type, end: str) -> None:
    path = patch(save(f"a{end}", VALUES.astype(dtype)), SLOPE, "ff", 0.5, -3)
    np.testing.assert_array_equal(open_nifti(path).read(), VALUES * 0.5 - 3)


def test_sums_that_no_integer_of_the_file_holds(save: Callable) -> None:
    path = patch(save("a.nii", np.full((2, 2, 2), 30000, np.int16)), SLOPE, "ff", 1000, 32000)
    np.testing.assert_allclose(open_nifti(path).read(), 30032000)


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_a_scale_factor_that_is_none(save: Callable, slope: float) -> None:
    np.testing.assert_array_equal(open_nifti(patch(save("a.nii", VALUES), SLOPE, "f", slope)).read(), VALUES)


def test_what_is_no_number_is_zero(save: Callable, recwarn: pytest.WarningsRecorder) -> None:
    strange = np.array([np.nan, np.inf, -np.inf, 1e300, -2.5, 7], np.float64).reshape(1, 2, 3)
    assert open_nifti(save("a.nii", strange)).read().ravel().tolist() == [0, 0, 0, 0, -2.5, 7]
    four = np.stack([strange, strange], axis=-1)
    assert open_nifti(save("b.nii", four)).read(1).ravel().tolist() == [0, 0, 0, 0, -2.5, 7]
    assert not recwarn.list


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_one_volume_of_a_4_d_file(save: Callable, end: str) -> None:
    found = open_nifti(save(f"a{end}", np.stack([VALUES, VALUES * 2, VALUES * 3], axis=-1)))
    assert (found.shape, found.volumes) == ((3, 4, 5), 3)
    np.testing.assert_array_equal(found.read(2), VALUES * 3)


@pytest.mark.parametrize(
    ("stored", "shape"),
    [((3, 20), (3, 20, 1)), ((3, 4, 5, 1), (3, 4, 5)), ((60, 1, 1), (60, 1, 1)), ((3, 4, 5, 1, 1), (3, 4, 5))],
)
def test_axes_of_length_one(save: Callable, stored: tuple[int, ...], shape: tuple[int, ...]) -> None:
    found = open_nifti(save("a.nii", VALUES.reshape(stored)))
    assert (found.shape, found.volumes) == (shape, 1)
    np.testing.assert_array_equal(found.read(), VALUES.reshape(shape))


@pytest.mark.parametrize(("code", "factor"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (7, 1)])
def test_spacing_is_in_millimetres(save: Callable, code: int, factor: float) -> None:
    path = patch(save("a.nii", VALUES, np.diag([2.0, 3.0, 4.0, 1.0])), UNITS, "B", code)
    np.testing.assert_allclose(open_nifti(path).spacing, (2 * factor, 3 * factor, 4 * factor))


@pytest.mark.parametrize(
    ("place", "form", "values", "message"),
    [
        (
            DIM,
            "8h",
            (3, 30000, 30000, 30000, 1, 1, 1, 1),
            "claims 30000x30000x30000 voxels, more than the file can hold",
        ),
        (DIM, "8h", (3, 4, 4, 5, 1, 1, 1, 1), "claims 4x4x5 voxels, more than the file can hold"),
        (DIM, "8h", (3, 3, 0, 5, 1, 1, 1, 1), "claims 3x0x5 voxels, which is no image"),
        (DIM, "8h", (3, 3, -4, 5, 1, 1, 1, 1), "(no image|cut short or damaged)"),
        (DIM, "8h", (0, 3, 4, 5, 1, 1, 1, 1), "claims 0 voxels, which is no image"),
        (DIM, "8h", (1, 3, 4, 5, 1, 1, 1, 1), "claims 3 voxels, which is no image"),
        (DIM, "8h", (99, 3, 4, 5, 1, 1, 1, 1), "cut short or damaged"),
        (DIM, "8h", (5, 3, 4, 1, 1, 5, 1, 1), r"5-D \(3x4x1x1x5\)"),
        (DATATYPE, "h", (0,), "damaged"),
        (DATATYPE, "h", (4711,), "damaged"),
        (DATATYPE, "h", (1,), "damaged"),
        (OFFSET, "f", (1e9,), "damaged"),
        (OFFSET, "f", (float("nan"),), "damaged"),
        (MAGIC, "4s", (b"ABCD",), "damaged"),
        (MAGIC, "4s", (b"ni1\0",), "damaged"),
        (SLOPE, "ff", (1.0, float("nan")), "damaged"),
        (ROWS, "12f", (0.0,) * 12, "no inverse"),
        (ROWS, "12f", (float("nan"),) * 12, "no (inverse|number)"),
        (ROWS, "12f", (1, 0, 0, float("inf"), 0, 1, 0, 0, 0, 0, 1, 0), "no number"),
        (ROWS, "12f", (1, 2, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0), "no inverse"),
    ],
)
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_headers_that_lie(
    save: Callable, place: int, form: str, values: tuple, message: str, end: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = patch(save(f"a{end}", VALUES), place, form, *values)
    tracemalloc.start()
    try:
        refused(path, message if end == ".nii" or "4x4x5" not in message else "damaged", capfd)
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()


def test_a_packed_file_that_claims_what_packing_cannot_explain(
    save: Callable, capfd: pytest.CaptureFixture[str]
) -> None:
    zeros = save("zeros.nii.gz", np.zeros((300, 300, 300), np.uint8))  # packed to a thousandth, and sound
    assert not open_nifti(zeros).read().any()
    refused(patch(zeros, DIM, "8h", 3, 30000, 30000, 300, 1, 1, 1, 1), "more than the file can hold", capfd)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_cut_short(save: Callable, share: float, end: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = save(f"a{end}", np.random.default_rng(0).integers(0, 999, (20, 20, 20), np.int16))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path, "cut short or damaged", capfd)


def test_bits_that_flipped(save: Callable, capfd: pytest.CaptureFixture[str]) -> None:
    path = save("a.nii.gz", np.random.default_rng(0).integers(0, 999, (20, 20, 20), np.int16))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 255
    path.write_bytes(whole)
    refused(path, "cut short or damaged", capfd)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        (np.complex64, "complex numbers"),
        (np.complex128, "complex numbers"),
        (np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]), "colour"),
        (np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]), "colour"),
    ],
)
def test_voxels_that_are_no_intensity(
    save: Callable, dtype: np.dtype, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    refused(save("a.nii", np.zeros((3, 4, 5), dtype)), message, capfd)


def test_what_is_no_nifti_file(tmp_path: Path, save: Callable, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "words.nii").write_text("words " * 200)
    refused(tmp_path / "words.nii", "damaged", capfd)
    (tmp_path / "words.nii.gz").write_bytes(gzip.compress(b"words " * 200))
    refused(tmp_path / "words.nii.gz", "damaged", capfd)
    (tmp_path / "empty.nii.gz").touch()
    refused(tmp_path / "empty.nii.gz", "an empty file", capfd)
    (tmp_path / "nothing.nii.gz").write_bytes(gzip.compress(b""))
    refused(tmp_path / "nothing.nii.gz", "damaged", capfd)
    save("a.nii", VALUES).rename(tmp_path / "a.nii.gz")
    refused(tmp_path / "a.nii.gz", "not packed by gzip; take .gz from its name", capfd)
    save("b.nii.gz", VALUES).rename(tmp_path / "b.nii")
    refused(tmp_path / "b.nii", "packed by gzip; add .gz to its name", capfd)


def test_surfaces_of_the_human_connectome(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    axes = nibabel.cifti2.SeriesAxis(0, 1, 2), nibabel.cifti2.ScalarAxis(["a", "b"])
    nibabel.save(nibabel.Cifti2Image(np.zeros((2, 2), np.float32), axes), tmp_path / "a.dscalar.nii")
    refused(tmp_path / "a.dscalar.nii", r"6-D \(1x1x1x1x2x2\)", capfd)


def test_what_is_no_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.nii").mkdir()
    refused(tmp_path / "x.nii", "a folder with the name of a file", capfd)
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    refused(tmp_path / "loop.nii", "a symbolic link that leads back to itself", capfd)
    (tmp_path / "broken.nii").symlink_to("gone")
    refused(tmp_path / "broken.nii", "a symbolic link to a file that is not there", capfd)
    refused(tmp_path / "gone.nii", "no such file", capfd)
    os.mkfifo(tmp_path / "pipe.nii")
    refused(tmp_path / "pipe.nii", "not an ordinary file", capfd)


@pytest.mark.parametrize("fault", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_what_may_not_be_read(
    save: Callable, fault: OSError, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Simulated, since a superuser, as in many containers, may read everything."""
    path = save("a.nii", VALUES)

    def shut(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(Path, "open", shut)
    message = "no permission to read it" if fault.errno == 13 else r"cannot be read \(Input/output error\)"
    refused(path, message, capfd)


def test_what_may_no_longer_be_read(
    save: Callable, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found = open_nifti(save("a.nii", VALUES))

    def shut(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", shut)
    with pytest.raises(UserError, match="no permission to read it"):
        found.read()


def test_what_no_memory_holds(
    save: Callable, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = save("a.nii", VALUES)

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "isfinite", full)
    refused(path, "does not fit into this machine's memory", capfd)


def test_a_header_that_nibabel_mends_is_mended_in_silence(save: Callable, capfd: pytest.CaptureFixture[str]) -> None:
    path = patch(patch(save("a.nii", VALUES), PIXDIM + 4, "3f", -1, -1, -1), 0, "i", 7)
    np.testing.assert_array_equal(open_nifti(path).read(), VALUES)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_any_damage_to_a_header_is_told_or_does_no_harm(
    save: Callable, end: str, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    path = save(f"a{end}", VALUES)
    whole = gzip.decompress(path.read_bytes()) if end == ".nii.gz" else path.read_bytes()
    random, told = np.random.default_rng(0), []
    for _ in range(150):
        data = bytearray(whole)
        for place in random.integers(0, 352, random.integers(1, 6)):
            data[place] = random.integers(0, 256)
        path.write_bytes(gzip.compress(bytes(data), 1) if end == ".nii.gz" else bytes(data))
        try:
            assert np.isfinite(open_nifti(path).read()).all()
        except UserError as fault:
            told.append(str(fault))
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in told)
    assert 10 < len(told) < 140
    assert capfd.readouterr() == ("", "") and not recwarn.list


def test_names_of_any_kind(save: Callable) -> None:
    for name in ("ünï cödé 脳.nii.gz", "A.NII.GZ", "a b.Nii", os.fsdecode(b"latin\xe9.nii"), "two\nlines.nii"):
        path = save("plain.nii.gz" if name.lower().endswith("gz") else "plain.nii", VALUES)
        found = open_nifti(path.rename(path.with_name(name)))
        np.testing.assert_array_equal(found.read(), VALUES)
        np.testing.assert_array_equal(np.asarray(found.image.dataobj), VALUES)


def test_nibabel_keeps_quiet_whoever_reads(tmp_path: Path, save: Callable) -> None:
    """In a process of its own, for pytest sets logging up; by two threads, as `--predict` reads and writes."""
    for number in range(20):
        (tmp_path / f"text{number}.nii").write_bytes(b"patient list\n" * 40)
        patch(save(f"magic{number}.nii", VALUES), MAGIC, "4s", b"abc\0")
    program = (
        "import sys\nfrom concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\n"
        "from headtohead.errors import UserError\nfrom headtohead.predicting.files.nifti import open_nifti\n"
        "def look(path):\n"
        "    try:\n        open_nifti(path)\n"
        "    except UserError as fault:\n        return fault\n"
        "sys.setswitchinterval(1e-5)\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        f"    print(*pool.map(look, sorted(Path({str(tmp_path)!r}).iterdir())), sep='\\n', file=sys.stderr)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    lines = run.stderr.splitlines()
    assert len(lines) == 40 and all(": not a readable NIfTI file" in line for line in lines), run.stderr
