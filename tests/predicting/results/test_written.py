"""Which files are ours: listed with their checksum, and unchanged since."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.written import FILE, Written, truth_is_ours


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A file that was written and taken down."""
    path = tmp_path / "sub" / "a_mask.nii"
    path.parent.mkdir()
    path.write_bytes(b"mask")
    Written(tmp_path).add([path])
    return path


def test_ours_until_it_is_changed(tmp_path: Path, mask: Path) -> None:
    assert Written(tmp_path).ours(mask)
    mask.write_bytes(b"corrected by hand")
    assert not Written(tmp_path).ours(mask)
    mask.unlink()
    assert not Written(tmp_path).ours(mask)


def test_others_are_not_ours(tmp_path: Path, mask: Path) -> None:
    copy = tmp_path / "copy.nii"
    shutil.copy(mask, copy)
    record = Written(tmp_path)
    assert not record.ours(copy)
    assert not record.ours(tmp_path.parent / "outside.nii")
    assert not Written(tmp_path / "nothing here").ours(mask)


def test_the_last_entry_counts_and_tidying_keeps_one(tmp_path: Path, mask: Path) -> None:
    record = Written(tmp_path)
    mask.write_bytes(b"again")
    gone = tmp_path / "gone.nii"
    gone.touch()
    record.add([mask, gone])
    gone.unlink()
    assert Written(tmp_path).ours(mask)
    record.tidy()
    assert len((tmp_path / FILE).read_text().splitlines()) == 1
    assert Written(tmp_path).ours(mask)
    mask.unlink()
    record.tidy()
    assert not (tmp_path / FILE).exists()


def test_odd_names(tmp_path: Path) -> None:
    names = ["two\nlines", "back\\slash", "back\\nslash", "ümläut und Leerzeichen", " space"]
    paths = [tmp_path / f"{name}.nii" for name in names]
    try:
        undecodable = tmp_path / "byte\udcff.nii"
        undecodable.touch()
        paths.append(undecodable)
    except OSError:
        pass  # some file systems take only text
    for path in paths:
        path.write_bytes(path.name.encode("utf-8", "surrogateescape"))
    record = Written(tmp_path)
    record.add(paths)
    record.tidy()
    assert all(map(Written(tmp_path).ours, paths))


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum_reads_it(tmp_path: Path, mask: Path) -> None:
    other = tmp_path / "two\nlines\\.nii"
    other.touch()
    Written(tmp_path).add([other])
    subprocess.run(["sha256sum", "--check", "--status", FILE], cwd=tmp_path, check=True)
    mask.write_bytes(b"changed")
    assert subprocess.run(["sha256sum", "--check", "--status", FILE], cwd=tmp_path, check=False).returncode


@pytest.mark.parametrize(
    ("kind", "image", "other"), [("picture", "a.png", "a_seg.png"), ("nifti", "a.nii", "a_seg.nii")]
)
def test_a_prediction_is_no_truth(tmp_path: Path, kind: Any, image: str, other: str) -> None:
    mask = tmp_path / image.replace("a", "a_mask")
    job = Job("a", (tmp_path / image,), kind, (), Path(image))
    assert not truth_is_ours(job, [Written(tmp_path)])
    mask.write_bytes(b"x")
    assert not truth_is_ours(job, [Written(tmp_path)])  # somebody's
    record = Written(tmp_path)
    record.add([mask])
    (tmp_path / other).touch()  # another mask, which would not be read
    assert truth_is_ours(job, [Written(tmp_path / "elsewhere"), record])
    mask.unlink()
    assert not truth_is_ours(job, [record])
