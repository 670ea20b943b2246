"""What does not fit into memory is refused by its header, the other files are done, and what fits is not refused."""

import gzip
import re
import resource
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from itertools import product
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead import memory
from headtohead.errors import UserError
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.weighing import weigh
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.picture_sizes import picture_size
from headtohead.readers.pictures import read_pixels
from tests.predicting.scans import Predict, head, picture, summary_of
from tests.predicting.test_odd_files import png_claiming

MAIN = Path(memory.__file__).parents[2] / "main.py"
REFUSED = r"need about [\d.]+ (MB|GB), 300 MB are free; crop or resample it, {}or use a machine with more memory"
OF_PICTURE = REFUSED.format("restore it if its header is damaged, ")
OF_VOLUME = REFUSED.format("")


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 300 MB left."""
    monkeypatch.setattr(memory, "free_memory", lambda: 300_000_000)


def claiming(path: Path, shape: tuple[int, int, int], held: int = 0) -> Path:
    """Write a packed volume whose header claims a shape; so many bytes of zeros follow it."""
    header = nibabel.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.uint8)
    header.set_sform(np.eye(4), 1)
    header["magic"], header["vox_offset"] = b"n+1", 352
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).bytes(2**18)  # else the file could not hold what it claims
    with gzip.open(path, "wb", 1) as file:
        file.write(header.binaryblock + bytes(4) + noise)
        for _ in range(held // 2**20):
            file.write(bytes(2**20))
    return path


def tiff_claiming(width: int, height: int, pages: int = 1, tile: int = 0) -> bytes:
    fields = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 1)]
    fields += [(322, tile), (323, tile)] if tile else []
    page = struct.pack("<H", len(fields)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    size = len(page) + 4
    ends = [8 + size * (number + 1) for number in range(pages - 1)] + [0]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(page + struct.pack("<I", end) for end in ends)


@pytest.mark.usefixtures("little")
def test_one_file_too_large_and_the_others_are_done(
    predict: Predict, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    head(folder / "fine.nii.gz")
    picture(folder / "small.png")
    claiming(folder / "bomb.nii.gz", (512, 512, 500))
    (folder / "wide.png").write_bytes(png_claiming(20_000, 20_000))
    (folder / "wide.tif").write_bytes(tiff_claiming(20_000, 20_000))
    (folder / "tiles.tif").write_bytes(tiff_claiming(100, 100, tile=2**14))
    tracemalloc.start()
    try:
        assert predict() == 1
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    said = capfd.readouterr().err
    for name, size in (
        ("bomb", "512x512x500 voxels"),
        (r"wide\.png", "20000x20000 pixels"),
        (r"wide\.tif", "20000x20000 pixels"),
        ("tiles", "100x100 pixels"),
    ):
        assert re.search(
            rf"^error: {name}: {size} {OF_PICTURE if 'pixels' in size else OF_VOLUME}$", said, re.MULTILINE
        ), said
    assert "4 of 6 files could not be predicted" in said
    rows = summary_of(tmp_path / "out")
    assert {name for name, row in rows.items() if not row["error"]} == {"fine", "small"}


def test_one_picture_too_large_is_no_image_path_either(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from headtohead.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "free_memory", lambda: 300_000_000)
        path = tmp_path / "wide.png"
        path.write_bytes(png_claiming(20_000, 20_000))
        assert main(["--image_path", str(path), "--output", str(tmp_path / "out")]) == 2
    assert re.search(rf"wide\.png: 20000x20000 pixels {OF_PICTURE}$", capfd.readouterr().err.strip())


def test_pages_are_counted_by_the_header(tmp_path: Path) -> None:
    (tmp_path / "many.tif").write_bytes(tiff_claiming(4, 4, pages=300))
    with pytest.raises(UserError, match="holds 300 pages"):
        read_pixels(tmp_path / "many.tif")


def test_a_loop_of_pages_ends(tmp_path: Path) -> None:
    content = bytearray(tiff_claiming(4, 4, pages=2))
    content[-4:] = struct.pack("<I", 8)
    (tmp_path / "loop.tif").write_bytes(content)
    size = picture_size(tmp_path / "loop.tif")
    assert size is not None and size.pages == 2


@pytest.mark.parametrize(
    ("end", "channels", "dtype"),
    [
        *product((".png", ".tif"), (1, 3, 4), (np.uint8, np.uint16)),
        (".jpg", 1, np.uint8),
        (".jpg", 3, np.uint8),
    ],
)
def test_the_size_in_a_header_is_that_of_the_pixels(tmp_path: Path, end: str, channels: int, dtype: type) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (13, 7, channels)).astype(dtype)
    path = tmp_path / f"a{end}"
    assert cv2.imwrite(str(path), pixels)
    size, read = picture_size(path), read_pixels(path)
    assert size is not None
    assert (size.height, size.width, size.itemsize, size.pages) == (*read.shape[:2], read.itemsize, 1)
    assert size.decoded >= read.nbytes + 3 * size.pixels * size.itemsize


def test_a_header_that_ends_early_is_no_picture(tmp_path: Path) -> None:
    for name, content in {
        "a": png_claiming(9, 9)[:20],
        "b": b"\xff\xd8\xff\xe0\0",
        "c": b"\xff\xd8\xff\xe0\0\x10JFIF",
        "d": tiff_claiming(9, 9)[:30],
        "e": b"II*\0",
        "f": b"BM" + bytes(60),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert picture_size(tmp_path / name) is None, name


def test_a_file_that_unpacks_to_far_more_than_it_claims_is_not_unpacked(tmp_path: Path) -> None:
    path = claiming(tmp_path / "a.nii.gz", (32, 32, 32), held=64 * 2**20)
    with pytest.raises(UserError, match="unpacks to far more than the 32x32x32 voxels that its header claims"):
        open_volume(path).read()
    assert open_volume(claiming(path, (32, 32, 32), held=2 * 2**20)).read().shape == (32, 32, 32), "a few are no harm"


def test_what_a_packed_file_does_not_hold_takes_no_memory_for_the_packed_bytes(tmp_path: Path) -> None:
    path = claiming(tmp_path / "a.nii.gz", (256, 256, 256))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="cut short or damaged"):
            open_volume(path).read()
        assert tracemalloc.get_traced_memory()[1] < 1.2 * 256**3
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("slope", [None, 0.5])
def test_reading_takes_little_more_than_the_result(tmp_path: Path, dtype: type, slope: float | None) -> None:
    values = np.random.default_rng(0).integers(0, 200, (160, 150, 140)).astype(dtype)
    image = nibabel.Nifti1Image(values, np.eye(4), dtype=dtype)
    image.header.set_slope_inter(slope, 3 if slope else None)
    nibabel.save(image, tmp_path / "a.nii")
    tracemalloc.start()
    try:
        found = open_volume(tmp_path / "a.nii").read()
        assert tracemalloc.get_traced_memory()[1] < found.nbytes + 30e6
    finally:
        tracemalloc.stop()
    stored = np.asarray(nibabel.load(tmp_path / "a.nii").dataobj)
    assert np.array_equal(found, stored.astype(found.dtype))


def test_what_fits_is_not_refused(tmp_path: Path, brightness: type) -> None:
    claiming(tmp_path / "a.nii.gz", (512, 512, 512))
    facts = brightness().facts
    [job] = find_jobs(tmp_path, "", facts.task, ())
    assert weigh(job, facts, "auto").need < 3.2 * 2**30, "4 GiB, less the program itself"


@pytest.mark.exhaustive
def test_a_bomb_of_two_megabytes_under_a_limit(tmp_path: Path) -> None:
    """The volume that ended a whole folder: 2 GiB of zeros, which the system would have to hold ten times."""
    head(tmp_path / "in" / "b_fine.nii.gz")
    bomb = claiming(tmp_path / "in" / "a_bomb.nii.gz", (1024, 1024, 2047), held=2047 * 2**20)
    assert bomb.stat().st_size < 20 * 2**20
    limit: Callable[[], None] = lambda: resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30,) * 2)  # noqa: E731
    words = [sys.executable, str(MAIN), "--predict", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=limit, timeout=300)
    assert done.returncode == 1, done.stderr
    assert re.search(r"^error: a_bomb: 1024x1024x2047 voxels need about \d+ GB, [\d.]+ GB are free;", done.stderr)
    rows = summary_of(tmp_path / "out")
    assert rows["b_fine"]["error"] == "" and rows["a_bomb"]["error"]
