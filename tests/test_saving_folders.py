"""Folders that are replaced or removed: never there in part, and nothing left behind."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from headtohead import saving


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_folder_that_is_replaced_or_removed_is_never_there_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    if not exchanges:
        monkeypatch.setattr(saving, "_exchange", lambda *_: False)
    folder, seen = tmp_path / "bundle", []
    saving.write_text(folder / "old.txt", "old")
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: seen.append([path.name for path in folder.glob("*")]))
    with saving.temporary_folder(tmp_path, becomes=folder) as new:
        saving.write_text(new / "new.txt", "new")
        saving.replace_folder(new, folder)
    saving.remove_folder(folder)
    assert seen[0] == ["new.txt"] and seen[-1] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere two names cannot be exchanged")
def test_a_folder_is_replaced_without_a_moment_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bundle"
    saving.write_text(folder / "old.txt", "old")
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("one name after the other"))
    with saving.temporary_folder(tmp_path, becomes=folder) as new:
        saving.write_text(new / "new.txt", "new")
        saving.replace_folder(new, folder)
        assert [path.name for path in new.iterdir()] == ["old.txt"]
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["bundle", "bundle/new.txt"]


@pytest.mark.parametrize("stopped_after", [0, 1])
def test_a_signal_between_two_renames_puts_the_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_after: int
) -> None:
    folder, rename, renamed = tmp_path / "bundle", Path.rename, list[Path]()
    saving.write_text(folder / "old.txt", "old")

    def stopped(self: Path, target: Path) -> Path:
        renamed.append(self)
        if len(renamed) == stopped_after + 1:
            if not stopped_after:
                rename(self, target)
            raise SystemExit
        return rename(self, target)

    monkeypatch.setattr(saving, "_exchange", lambda *_: False)
    monkeypatch.setattr(Path, "rename", stopped)
    with saving.temporary_folder(tmp_path, becomes=folder) as new:
        saving.write_text(new / "new.txt", "new")
        with pytest.raises(SystemExit):
            saving.replace_folder(new, folder)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["bundle", "bundle/old.txt"]


def test_a_signal_while_leftovers_are_removed_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove, interrupts = shutil.rmtree, [KeyboardInterrupt]

    def interrupted(*given: Any, **named: Any) -> None:
        if interrupts:
            raise interrupts.pop()
        remove(*given, **named)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), saving.temporary_folder(tmp_path) as folder:
        saving.write_text(folder / "a.txt", "a")
    assert not list(tmp_path.iterdir()) and not interrupts


def test_a_folder_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    saving.write_text(tmp_path / "bundle" / "old.txt", "old")
    with pytest.raises(FileNotFoundError):
        saving.replace_folder(tmp_path / "missing", tmp_path / "bundle")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["bundle", "bundle/old.txt"]
