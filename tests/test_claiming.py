"""Locks on what is written, and what killed processes left."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from headtohead import claiming, saving


def test_a_held_file_is_free_once_its_holder_has_closed_it(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with pytest.raises(FileNotFoundError):
        claiming.hold(path, make=False)
    handle = claiming.hold(path, make=True)
    with pytest.raises(BlockingIOError):
        claiming.hold(path, make=True)
    path.unlink()
    other = claiming.hold(path, make=True)  # another file of this name
    os.close(handle)
    os.close(other)
    os.close(claiming.hold(path, make=False))


def test_a_file_that_is_removed_while_it_is_waited_for_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, really = tmp_path / "list", fcntl.flock
    path.touch()

    def removed_first(handle: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", really)
        path.unlink()
        really(handle, how)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    handle = claiming.hold(path, make=True)
    assert os.path.samestat(os.fstat(handle), path.stat())
    os.close(handle)


def test_what_killed_processes_left_is_swept_and_what_is_written_is_not(tmp_path: Path) -> None:
    dead, packing = tmp_path / ".writing-0123abcd.nii.gz", tmp_path / ".packing-0123abcd"
    dead.touch()
    packing.mkdir()
    (packing / "images.u8").touch()
    live, alive = tmp_path / ".writing-0123abce.csv", tmp_path / ".packing-0123abce"
    live.touch()
    alive.mkdir()
    own = tmp_path / ".writing-notes-of-mine and more.txt"
    own.touch()
    held = [os.open(path, os.O_RDONLY) for path in (live, alive)]
    for handle in held:
        fcntl.flock(handle, fcntl.LOCK_EX)
    saving.write_text(tmp_path / "a.txt", "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", live.name, alive.name, own.name}
    for handle in held:
        os.close(handle)


def test_what_another_process_writes_is_locked_until_it_is_killed(tmp_path: Path) -> None:
    with saving.atomic_path(tmp_path / "a.txt") as temporary:
        claiming._swept.clear()
        claiming.sweep(tmp_path)
        assert temporary.is_file()
    with saving.temporary_folder(tmp_path) as folder:
        claiming._swept.clear()
        claiming.sweep(tmp_path)
        assert folder.is_dir()


@pytest.mark.parametrize("lacks", ["a file system", "a system"])
def test_where_there_are_no_locks_leftovers_go_by_age(
    lacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    if lacks == "a file system":
        monkeypatch.setattr(fcntl, "flock", unknown)
    else:
        monkeypatch.setattr("headtohead.claiming.fcntl", None)
    young, old = tmp_path / ".writing-0123abcd", tmp_path / ".writing-0123abce"
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    saving.write_text(tmp_path / "a.txt", "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", young.name}
