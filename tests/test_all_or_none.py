"""Several files come to their places, or none does."""

import errno
import re
from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.saving import _move_all, all_or_none


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A staging folder with three new files."""
    place = tmp_path / "out" / ".writing-x"
    place.mkdir(parents=True)
    for name in "abc":
        (place / name).write_text(f"new {name}")
    return place


def move(place: Path) -> dict[str, str]:
    _move_all([place / name for name in "abc"], [place.parent / "sub" / name for name in "abc"], place)
    return there(place)


def there(place: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (place.parent / "sub").iterdir()}


def test_new_and_old(place: Path) -> None:
    (place.parent / "sub").mkdir()
    (place.parent / "sub" / "b").write_text("old b")
    (place.parent / "sub" / "c").symlink_to("gone")
    assert move(place) == {name: f"new {name}" for name in "abc"}


def test_a_folder_in_a_place_stays(place: Path) -> None:
    (place.parent / "sub" / "b").mkdir(parents=True)
    (place.parent / "sub" / "a").write_text("old a")
    with pytest.raises(OSError, match="b"):
        move(place)
    assert (place.parent / "sub" / "b").is_dir() and not (place.parent / "sub" / "c").exists()
    assert (place.parent / "sub" / "a").read_text() == "old a"


@pytest.mark.parametrize("fails", ["a", "b", "c"])
@pytest.mark.parametrize("what", ["aside", "moved"])
def test_a_fault_on_the_way_leaves_what_was_there(
    place: Path, monkeypatch: pytest.MonkeyPatch, fails: str, what: str
) -> None:
    old = {"a": "old a", "b": "old b", "c": "old c"}
    (place.parent / "sub").mkdir()
    for name, content in old.items():
        (place.parent / "sub" / name).write_text(content)
    really = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self == (place / fails if what == "moved" else place.parent / "sub" / fails):
            raise OSError(28, "No space left on device", str(target))
        return really(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        move(place)
    assert there(place) == old


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", range(7))
def test_a_signal_at_any_change_leaves_what_was_there(
    place: Path, monkeypatch: pytest.MonkeyPatch, change: int, when: str
) -> None:
    # Five changes until all have their names, as `a` and `c` stood there before; more strike while they are put back.
    (place.parent / "sub").mkdir()
    old = {"a": "old a", "c": "old c"}
    for name, content in old.items():
        (place.parent / "sub" / name).write_text(content)
    really, signals = Path.replace, {min(change, 4), change}
    changes = 0

    def struck(self: Path, target: Path) -> Path:
        nonlocal changes
        number, changes = changes, changes + 1
        if number in signals and when == "before":
            raise KeyboardInterrupt
        moved = really(self, target)
        if number in signals:
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(Path, "replace", struck)
    with pytest.raises(KeyboardInterrupt):
        move(place)
    assert there(place) == old


def test_a_fault_of_the_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, _: bool) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("headtohead.claiming._make", refuse)
    folder = tmp_path / "out"
    said = rf"^{re.escape(str(folder))}: no permission to write there"
    with pytest.raises(UserError, match=said), all_or_none([folder / "a"], folder):
        pass
