"""One folder of broken and odd files: each gets one clear line, the others are done, and the count is right."""

import errno
import gzip
import io
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.cli import main
from headtohead.predicting.results.journal import FILE as JOURNAL
from headtohead.predicting.results.summary import read_summary

SHAPE = (12, 14, 5)
VALUES = np.random.default_rng(0).integers(1, 200, SHAPE).astype(np.int16)
PICTURE = np.random.default_rng(1).integers(0, 256, (20, 16), np.uint8)


def volume(values: np.ndarray = VALUES, header: Any = None) -> bytes:
    """A NIfTI file, not packed."""
    return nibabel.Nifti1Image(values, np.eye(4), header, dtype=values.dtype).to_bytes()


def with_header(content: bytes, offset: int, layout: str, *values: float) -> bytes:
    """Overwrite a field of a NIfTI header."""
    return content[:offset] + struct.pack(layout, *values) + content[offset + struct.calcsize(layout) :]


def image(ending: str, pixels: np.ndarray = PICTURE) -> bytes:
    return cv2.imencode(ending, pixels)[1].tobytes()


def pillow(mode: str, kind: str, **how: Any) -> bytes:
    """A picture of a mode that OpenCV does not write."""
    from PIL import Image

    held = io.BytesIO()
    pages = {"append_images": [Image.new(mode, (16, 20))], "save_all": True} if how.pop("pages", False) else {}
    Image.fromarray(PICTURE).convert(mode).save(held, kind, **pages, **how)
    return held.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = image(".png")
    return content[:8] + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + content[33:]


RGB = np.zeros(SHAPE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
SROW_X, SROW_Z = 280, 312  # where the rows of the sform stand
NOT_A_NUMBER = np.where(VALUES > 100, np.nan, VALUES).astype(np.float32)

# name -> content, and what the line on stderr says; None: it is done.
FILES: dict[str, tuple[bytes, str | None]] = {
    "fine.nii.gz": (gzip.compress(volume()), None),
    "truncated_gz.nii.gz": (gzip.compress(volume())[:-300], "cut short or damaged"),
    "truncated.nii": (volume()[:-100], "cut short or damaged"),
    "header_only.nii": (volume()[:200], "damaged"),
    "wrong_magic.nii": (with_header(volume(), 344, "4s", b"abc\0"), "damaged|not a NIfTI"),  # type: ignore[arg-type]
    "zero_size.nii": (b"", "an empty file"),
    "zero_size_gz.nii.gz": (b"", "an empty file"),
    "zero_size.png": (b"", "an empty file"),
    "five_d.nii": (volume(np.ones((4, 4, 3, 2, 2), np.int16)), "5-D"),
    "four_d.nii": (volume(np.ones((4, 4, 3, 2), np.int16)), "--channels"),
    "complex.nii": (volume(VALUES.astype(np.complex64)), "complex"),
    "rgb.nii": (volume(RGB), "RGB"),
    "zero_dims.nii": (with_header(volume(), 42, "<hhh", 0, 14, 5), "which is not an image|damaged"),
    "huge_dims.nii": (with_header(volume(), 42, "<hhh", 30000, 30000, 30000), "more than the file can hold|damaged"),
    "negative_dims.nii": (with_header(volume(), 42, "<hhh", -5, 14, 5), "not an image|damaged"),
    "singular_affine.nii": (with_header(volume(), SROW_Z, "<4f", 0, 0, 0, 0), "affine"),
    "nan_affine.nii": (with_header(volume(), SROW_X, "<4f", *[np.nan] * 4), "affine|damaged"),
    "packed_as_plain.nii": (gzip.compress(volume()), "compressed with gzip; add .gz"),
    "plain_as_packed.nii.gz": (volume(), "not compressed with gzip"),
    "text.nii": (b"patient list\n" * 40, "damaged|not a NIfTI"),
    "text.png": (b"not a picture\n" * 40, "not a readable image"),
    "html.tif": (b"<!doctype html><title>404</title>", "not a readable image"),
    "truncated.png": (image(".png")[:60], "not a readable image"),
    "huge_claim.png": (png_claiming(2**20, 2**20), "not a readable image|memory"),
    "pages.tif": (pillow("L", "TIFF", pages=True), "holds 2 pages"),
    "torn_truth.png": (image(".png"), "but its image is 16x20 pixels"),
    "torn_truth_mask.png": (image(".png", PICTURE[:7]), None),
    "patient_t1.nii": (volume(), "named as T1, but the model needs FLAIR"),
    "twice.jpg": (image(".jpg"), None),
    "twice.png": (image(".png"), "its twice_mask.png would also be that of twice.jpg"),
    "both.nii": (volume(), None),
    "both.nii.gz": (gzip.compress(volume()), None),
    "not_a_number.nii": (volume(NOT_A_NUMBER), None),
    "all_nan.nii": (volume(np.full(SHAPE, np.nan, np.float32)), None),
    "infinite.nii": (volume(np.full(SHAPE, np.inf)), None),
    "constant.nii": (volume(np.full(SHAPE, 7, np.uint8)), None),
    "black.nii": (volume(np.zeros(SHAPE, np.uint8)), None),
    "one_slice.nii": (volume(VALUES[:, :, :1]), None),
    "plane.nii": (volume(VALUES[:, :, 0]), None),
    "long_integers.nii": (volume(VALUES.astype(np.int64)), None),
    "bytes_the_other_way.nii": (volume(header=nibabel.Nifti1Header(endianness=">")), None),
    "only_a_header.nii": (volume()[:352], "cut short or damaged"),
    "ünï cödé und Leerzeichen 脳.nii": (volume(), None),
    "in a folder/with spaces/脳 (1).png": (image(".png"), None),
    "-dash.png": (image(".png"), None),
    "deep.png": (image(".png", PICTURE.astype(np.uint16) * 200), None),
    "cmyk.jpg": (pillow("CMYK", "JPEG"), None),
    "palette.png": (pillow("P", "PNG"), None),
    "two_tone.png": (pillow("1", "PNG"), None),
    "transparent.png": (pillow("RGBA", "PNG"), None),
    "pixel.png": (image(".png", PICTURE[:1, :1]), None),
    "line.tif": (image(".tif", PICTURE[:1]), None),
    "floats.tif": (image(".tif", PICTURE.astype(np.float32) / 9), None),
    "case/case_1.tif": (image(".tif"), None),
    "case/case_2.tif": (image(".tif"), None),
    "torn/torn_1.tif": (image(".tif"), "of the same folder is 16x20 pixels"),
    "torn/torn_2.tif": (image(".tif", PICTURE[:8]), None),
}
# What is no plain file; made where the system can.
MADE: dict[str, tuple[Callable[[Path], None], str]] = {
    "folder.nii": (lambda path: path.mkdir(), "a folder with the name of an image file"),
    "loop.nii": (lambda path: path.symlink_to(path.name), "a symbolic link to itself"),
    "dangling.png": (lambda path: path.symlink_to("gone.png"), "a symbolic link to a file that is not there"),
    "pipe.nii": (os.mkfifo, "not a regular file"),
    "locked.nii": (lambda path: path.write_bytes(volume()) and None, "no permission to read it"),
    "locked.png": (lambda path: path.write_bytes(image(".png")) and None, "no permission to read it"),
}
NO_JOB = {"torn_truth_mask.png", "case/case_2.tif", "torn/torn_2.tif"}  # a truth, and slices told with their first
NAMES = {"case/case_1.tif": "case", "torn/torn_1.tif": "torn"}
WRONG = {name: said for name, (_, said) in (FILES | MADE).items() if said is not None}
RIGHT = [name for name, (_, said) in FILES.items() if said is None and name not in NO_JOB]


@dataclass(frozen=True)
class Told:
    """What a command said and left."""

    status: int
    out: list[str]
    err: list[str]
    folder: Path


def job_name(file: str) -> str:
    """What a file is called: without its suffix, unless that would make two of one name."""
    stem = NAMES.get(file) or file.removesuffix(".gz").rsplit(".", 1)[0]
    others = [other for other in (*FILES, *MADE) if other not in NO_JOB]
    twice = sum((NAMES.get(one) or one.removesuffix(".gz").rsplit(".", 1)[0]) == stem for one in others) > 1
    return file if twice else stem


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, brightness: type) -> Iterator[Told]:
    """Run `--predict` over all of them once."""
    source, folder = tmp_path_factory.mktemp("odd"), tmp_path_factory.mktemp("results")
    for name, (content, _) in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    for name, (make, _) in MADE.items():
        make(source / name)
    (source / "notes.txt").write_text("no image, and never was")
    (source / "again").symlink_to(source, target_is_directory=True)  # a loop of folders
    really = Path.open

    def locked(self: Path, *args: Any, **kwargs: Any) -> Any:
        # Tests may run as root, who may read everything.
        if self.stem == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return really(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", locked)
        patch.setattr("headtohead.predicting.predictor.open_predictor", lambda *_: brightness())
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = main(["--predict", str(source), "--output", str(folder), "--outputs", "0.2:_dim.nii", "--preview"])
    yield Told(status, out.getvalue().splitlines(), err.getvalue().splitlines(), folder)
    (source / "locked.nii").unlink()


def test_enough_kinds() -> None:
    assert len(WRONG) >= 30
    assert len(RIGHT) >= 20


@pytest.mark.parametrize("file", WRONG)
def test_one_clear_line(told: Told, file: str) -> None:
    lines = [line for line in told.err if line.startswith(f"error: {job_name(file)}: ")]
    assert len(lines) == 1, told.err
    assert re.search(WRONG[file], lines[0]), lines[0]
    assert "Error" not in lines[0] and "--debug" not in lines[0], lines[0]
    assert len(lines[0]) < 400
    stem = Path(file).name.split(".")[0]
    if file != "twice.png":
        own = [path.name for path in told.folder.rglob(f"{stem}_*") if path.parent.name != "case"]
        assert not own or stem in {Path(one).name.split(".")[0] for one in RIGHT}, own


@pytest.mark.parametrize("file", RIGHT)
def test_the_others_are_done(told: Told, file: str) -> None:
    name = job_name(file)
    assert [line for line in told.out if line.startswith(f"{name}: ") and line.endswith(" s")]
    path = told.folder / file
    ending = {".jpg": ".png"}.get(path.suffix, path.suffix) if not file.endswith(".nii.gz") else ".nii.gz"
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    mask_path = path.with_name(f"{stem}_mask{ending}")
    if ".nii" in ending:
        mask = np.asarray(nibabel.load(mask_path).dataobj)
        assert (
            mask.shape
            == nibabel.Nifti1Image.from_bytes(
                gzip.decompress(FILES[file][0]) if ending.endswith(".gz") else FILES[file][0]
            ).shape
        )
        assert set(np.unique(mask)) <= {0, 1}
    else:
        mask = cv2.imread(str(mask_path), cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) <= {0, 255}


def test_status_and_count(told: Told) -> None:
    assert told.status == 1
    total = len(FILES) + len(MADE) - len(NO_JOB)
    assert told.err[-1].startswith(
        f"error: {len(WRONG)} of {total} files could not be predicted; the reasons are above"
    )
    assert len(told.err) == len(WRONG) + 1
    rows = {row["file"]: row for row in read_summary(told.folder / "summary.csv")}
    assert len(rows) == total
    assert {name for name, row in rows.items() if row["error"]} == set(map(job_name, WRONG))
    assert [path.name for path in told.folder.rglob(".*")] == [JOURNAL]  # some failed, and may be corrected
