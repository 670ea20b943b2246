"""Headers that lie, files cut short, and what is no NIfTI file: refused in one line."""

import gzip
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.readers.nifti_file import open_volume
from tests.readers.headers import (
    DATATYPE,
    DIM,
    MAGIC,
    OFFSET,
    ROWS,
    SLOPE,
    VALUES,
    patch,
    refused,
)


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
        (DIM, "8h", (3, 3, 0, 5, 1, 1, 1, 1), "claims 3x0x5 voxels, which is not an image"),
        (DIM, "8h", (3, 3, -4, 5, 1, 1, 1, 1), "(not an image|cut short or damaged)"),
        (DIM, "8h", (0, 3, 4, 5, 1, 1, 1, 1), "claims 0 voxels, which is not an image"),
        (DIM, "8h", (1, 3, 4, 5, 1, 1, 1, 1), "claims 3 voxels, which is not an image"),
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
        (ROWS, "12f", (float("nan"),) * 12, "(no inverse|not numbers)"),
        (ROWS, "12f", (1, 0, 0, float("inf"), 0, 1, 0, 0, 0, 0, 1, 0), "not numbers"),
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
    assert not open_volume(zeros).read().any()
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
    refused(tmp_path / "a.nii.gz", "not compressed with gzip; remove .gz from its name", capfd)
    save("b.nii.gz", VALUES).rename(tmp_path / "b.nii")
    refused(tmp_path / "b.nii", "compressed with gzip; add .gz to its name", capfd)


def test_surfaces_of_the_human_connectome(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    axes = nibabel.cifti2.SeriesAxis(0, 1, 2), nibabel.cifti2.ScalarAxis(["a", "b"])
    nibabel.save(nibabel.Cifti2Image(np.zeros((2, 2), np.float32), axes), tmp_path / "a.dscalar.nii")
    refused(tmp_path / "a.dscalar.nii", r"6-D \(1x1x1x1x2x2\)", capfd)


def test_what_is_no_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.nii").mkdir()
    refused(tmp_path / "x.nii", "a folder with the name of an image file", capfd)
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    refused(tmp_path / "loop.nii", "a symbolic link to itself", capfd)
    (tmp_path / "broken.nii").symlink_to("gone")
    refused(tmp_path / "broken.nii", "a symbolic link to a file that is not there", capfd)
    refused(tmp_path / "gone.nii", "no such file", capfd)
    os.mkfifo(tmp_path / "pipe.nii")
    refused(tmp_path / "pipe.nii", "not a regular file", capfd)


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
    found = open_volume(save("a.nii", VALUES))

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
            assert np.isfinite(open_volume(path).read()).all()
        except UserError as fault:
            told.append(str(fault))
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in told)
    assert 10 < len(told) < 140
    assert capfd.readouterr() == ("", "") and not recwarn.list


def test_nibabel_keeps_quiet_whoever_reads(tmp_path: Path, save: Callable) -> None:
    """In a process of its own, for pytest sets logging up; by two threads, as `--predict` reads and writes."""
    for number in range(20):
        (tmp_path / f"text{number}.nii").write_bytes(b"patient list\n" * 40)
        patch(save(f"magic{number}.nii", VALUES), MAGIC, "4s", b"abc\0")
    program = (
        "import sys\nfrom concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\n"
        "from headtohead.errors import UserError\nfrom headtohead.readers.nifti_file import open_volume\n"
        "def look(path):\n"
        "    try:\n        open_volume(path)\n"
        "    except UserError as fault:\n        return fault\n"
        "sys.setswitchinterval(1e-5)\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        f"    print(*pool.map(look, sorted(Path({str(tmp_path)!r}).iterdir())), sep='\\n', file=sys.stderr)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    lines = run.stderr.splitlines()
    assert len(lines) == 40 and all(": not a readable NIfTI file" in line for line in lines), run.stderr
