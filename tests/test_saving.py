"""Files on their way to the disk: whole or not at all, and full disks told in a line."""

import collections
import errno
import json
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
import torch

from headtohead import disk_faults, saving
from headtohead.errors import UserError

matplotlib.use("Agg")


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond some bytes, as `ulimit -f` does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def figure() -> "matplotlib.figure.Figure":
    """Draw something."""
    from matplotlib.figure import Figure

    drawn = Figure()
    drawn.subplots().plot([1, 2])
    return drawn


def checkpoint(path: Path) -> None:
    """Save tensors as a training does."""
    from headtohead.learning.callbacks import WholeFiles

    WholeFiles().save_checkpoint({"state_dict": {"weight": torch.zeros(9000)}}, path)


def raw(path: Path) -> None:
    """Write through a library of one's own choice."""
    with saving.atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, a=np.random.default_rng(0).random(9000))


NOISE = np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)
WRITERS: dict[str, Callable[[Path], object]] = {
    "a.txt": lambda path: saving.write_text(path, "a" * 9000),
    "a.json": lambda path: saving.write_json(path, ["a" * 9000]),
    "a.csv": lambda path: saving.write_table(path, pd.DataFrame({"a": range(9000)})),
    "a.png": lambda path: saving.write_picture(path, NOISE),
    "a.tif": lambda path: saving.write_picture(path, NOISE),
    "b.png": lambda path: saving.write_figure(path, figure()),
    "a.ckpt": checkpoint,
    "a.npz": raw,
    "a.sha256": lambda path: saving.append_text(path, "a" * 9000),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_limit_is_told_with_the_file_and_leaves_what_was_there(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes(b"before")
    with files_up_to(4096), pytest.raises(UserError) as told:
        WRITERS[name](path)
    assert str(told.value).startswith(f"{path}: larger than ulimit -f")
    assert "\n" not in str(told.value)
    assert [one.name for one in path.parent.iterdir()] == [name]
    assert path.read_bytes().startswith(b"before") and (name == "a.sha256" or path.read_bytes() == b"before")
    assert capfd.readouterr().err == ""
    WRITERS[name](path)
    assert path.stat().st_size > 4096


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "list"
    saving.append_text(path, "first\n")
    saving.append_text(path, "torn")  # killed on the way
    saving.append_text(path, "second\n")
    saving.append_text(path, "third\n")
    assert path.read_text() == "first\ntorn\nsecond\nthird\n"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, r"^no space left on /\S* for \S*/a\.txt; free some and run the command again$"),
        (errno.EDQUOT, r"^no space left of your quota on /\S* for \S*/a\.txt; free some"),
        (errno.EROFS, r"a\.txt: /\S* is read-only; "),
        (errno.EACCES, r"a\.txt: no permission to write there; "),
        (errno.EIO, r"a\.txt: /\S* failed while it was written; "),
    ],
)
def test_faults_of_the_disk_name_file_device_and_mend(number: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message), saving.atomic_path(tmp_path / "a.txt"):
        raise OSError(number, os.strerror(number))
    assert not list(tmp_path.iterdir())


def test_a_fault_that_a_library_wraps_is_told(tmp_path: Path) -> None:
    fault = RuntimeError("file write failed")
    fault.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(UserError, match="no space left"), saving.atomic_path(tmp_path / "a.pt"):
        raise fault


def test_other_faults_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), saving.atomic_path(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/that/is/read")
    with pytest.raises(FileNotFoundError), saving.atomic_path(tmp_path / "a.txt"):
        (tmp_path / "missing").read_text()


def test_files_within_a_temporary_folder_are_told_under_their_own_names(tmp_path: Path) -> None:
    with saving.temporary_folder(tmp_path, becomes=tmp_path / "bundle") as folder:
        saving.write_text(folder / "b.txt", "whole")
        assert [path.name for path in folder.iterdir()] == ["b.txt"]
        with files_up_to(4096), pytest.raises(UserError, match=rf"^{tmp_path}/bundle/a\.txt: larger"):
            saving.write_text(folder / "a.txt", "a" * 9000)
    assert not list(tmp_path.iterdir())


def test_new_files_and_folders_are_as_readable_as_any(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        saving.write_text(tmp_path / "a.txt", "a")
        with saving.temporary_folder(tmp_path) as folder:
            folder.rename(tmp_path / "kept")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o750


def test_what_lasts_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: order.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink()}"))

    def rename(self: Path, target: Path) -> Path:
        order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", rename)
    saving.write_json(tmp_path / "run.json", {})
    assert [step.split()[0] for step in order] == ["sync", "rename", "sync"]
    assert ".writing-" in order[0] and order[2] == f"sync {tmp_path}"
    assert json.loads((tmp_path / "run.json").read_text()) == {}


def test_the_device_is_the_mount_point() -> None:
    assert disk_faults.device_of(Path("/proc/self/status")) == Path("/proc")
    assert disk_faults.device_of(Path("/nowhere/at/all")) == Path("/")


@pytest.mark.exhaustive
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]).returncode:
        pytest.skip("needs the right to mount")
    try:
        (disk / "filler").write_bytes(bytes(56 * 1024))
        for name, write in WRITERS.items():
            path, line = disk / name, rf"^no space left on {disk} for {disk}/{name}; free some and run"
            with pytest.raises(UserError, match=line):
                collections.deque(write(path) for _ in range(9))
            (disk / name).unlink(missing_ok=True)
            assert [path.name for path in disk.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
