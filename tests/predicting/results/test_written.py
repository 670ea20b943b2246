"""Which files are ours: listed with their checksum, and unchanged since."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.written import FILE, Records, Written, checksum, truth_is_ours
from headtohead.records.regular import UnreadableError
from tests.predicting.scans import listed


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A file that was written and taken down."""
    path = tmp_path / "sub" / "a_mask.nii"
    path.parent.mkdir()
    path.write_bytes(b"mask")
    listed(tmp_path, path)
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
    mask.write_bytes(b"again")
    gone = tmp_path / "gone.nii"
    gone.touch()
    listed(tmp_path, mask, gone)
    gone.unlink()
    record = Written(tmp_path)
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
    listed(tmp_path, *paths)
    Written(tmp_path).tidy()
    assert all(map(Written(tmp_path).ours, paths))


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum_reads_it(tmp_path: Path, mask: Path) -> None:
    other = tmp_path / "two\nlines\\.nii"
    other.touch()
    listed(tmp_path, other)
    subprocess.run(["sha256sum", "--check", "--status", FILE], cwd=tmp_path, check=True)
    mask.write_bytes(b"changed")
    assert subprocess.run(["sha256sum", "--check", "--status", FILE], cwd=tmp_path, check=False).returncode


@pytest.mark.parametrize(
    ("kind", "image", "other"), [("picture", "a.png", "a_seg.png"), ("nifti", "a.nii", "a_seg.nii")]
)
def test_a_prediction_is_no_truth(tmp_path: Path, kind: Any, image: str, other: str) -> None:
    mask = tmp_path / image.replace("a", "a_mask")
    job = Job("a", (tmp_path / image,), kind, (), Path(image))
    assert not truth_is_ours(job, Records())
    mask.write_bytes(b"x")
    assert not truth_is_ours(job, Records())  # somebody's
    assert truth_is_ours(job, Records(), {mask})  # in the making
    listed(tmp_path, mask)
    (tmp_path / other).touch()  # another mask, which would not be read
    assert truth_is_ours(job, Records())
    mask.unlink()
    assert not truth_is_ours(job, Records())


def test_the_list_is_found_in_any_folder_above(tmp_path: Path, mask: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "sub" / "deep" / "b_mask.nii"
    deep.parent.mkdir()
    deep.write_bytes(b"deep")
    other = deep.with_name("other.nii")
    other.touch()
    listed(tmp_path, deep)
    listed(deep.parent, other)  # a second list in between
    records = Records()
    assert records.ours(mask) and records.ours(deep) and records.ours(other)
    monkeypatch.chdir(deep.parent)
    assert Records().ours(Path("b_mask.nii")) and Records().ours(Path("../a_mask.nii"))
    link = tmp_path.parent / f"{tmp_path.name} link"
    link.symlink_to(tmp_path / "sub")
    assert Records().ours(link / "a_mask.nii")
    link.unlink()
    deep.write_bytes(b"corrected")
    assert not records.ours(deep) and not Records().ours(deep)
    assert not Records().ours(tmp_path / "nothing" / "here.nii")


def test_the_list_in_the_making_counts_as_it_is(tmp_path: Path, mask: Path) -> None:
    current = Written(tmp_path / "sub")
    records = Records(current)
    other = mask.with_name("b_mask.nii")
    other.touch()
    assert not records.ours(other)
    current.expect({other.name: checksum(other)})
    assert records.ours(other)


def test_each_list_is_read_once_and_one_that_cannot_be_read_says_nothing(
    tmp_path: Path, mask: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def fail(path: Path, _: int) -> bytes:
        if path.parent == tmp_path:
            read.append(path)
            raise UnreadableError("permission denied")
        raise FileNotFoundError

    monkeypatch.setattr("headtohead.predicting.results.written.read_regular", fail)
    records = Records()
    assert not records.ours(mask) and not records.ours(mask.with_name("b.nii"))
    assert read == [tmp_path / FILE]


def test_no_more_of_a_strangers_list_is_read_than_one_has(
    tmp_path: Path, mask: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (tmp_path / FILE).stat().st_size
    monkeypatch.setattr("headtohead.predicting.results.written.LARGEST", size)
    assert Records().ours(mask)
    monkeypatch.setattr("headtohead.predicting.results.written.LARGEST", size - 1)
    assert not Records().ours(mask)
    with pytest.raises(UserError, match=r"predicted\.sha256: cannot be used \(larger than .*\); remove it"):
        Written(tmp_path)


def test_what_is_no_line_of_a_list_is_left_out(tmp_path: Path, mask: Path) -> None:
    list_of = tmp_path / FILE
    list_of.write_bytes(b"\n\xff  b\n" + b"0" * 63 + b"  c\n" + list_of.read_bytes() + b"0" * 64 + b"  \n")
    assert Written(tmp_path).sums.keys() == {"sub/a_mask.nii"} and Written(tmp_path).ours(mask)


def test_a_link_in_a_circle_is_nobodys(tmp_path: Path, mask: Path) -> None:
    loop = tmp_path / "loop.nii"
    loop.symlink_to(loop)
    assert not Records().ours(loop)
