"""The journal of an output folder: what is believed of it, and that nothing in it does harm."""

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headtohead.claiming import hold
from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.journal import FILE, Journal
from headtohead.predicting.results.summary import Row, write_summary
from headtohead.predicting.results.table import print_table
from headtohead.predicting.results.written import checksum

SETTINGS = {"threshold": "0.5", "tta": "False"}
SOURCES: dict[str, Any] = {"files": [["a.nii", "flair", 9, 99]], "truth": []}
ROW = Row("a", 1.5, 7, 6, 3, 1, float("nan"), 0.5, "largest", "m", 0.5, ["odd; dark"], "", "val", ["turned"])
JOB = Job("a", (Path("in/a.nii"),), "nifti", ("flair",), Path("a.nii"))


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The files of every job as they are now, which a test may change."""
    now = {**SOURCES}
    monkeypatch.setattr("headtohead.predicting.results.journal.sources_of", lambda *_: now)
    return now


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A result, and the journal that tells of it."""
    path = tmp_path / "sub" / "a_mask\udcff.nii"
    path.parent.mkdir()
    path.write_bytes(b"mask")
    with Journal(tmp_path, SETTINGS) as journal:
        journal.add((ROW,), SOURCES, sums(path))
    return path


def sums(path: Path) -> dict[str, str]:
    return {f"sub/{path.name}": checksum(path)}


def found(mask: Path, settings: dict[str, str] = SETTINGS, job: Job = JOB) -> list[Row]:
    with Journal(mask.parents[1], settings) as journal:
        entry = journal.finished(job, {"mask": (mask,)}, ())
        return [Row(**row) for row in entry["rows"]] if entry else []


def test_a_row_comes_back_as_it_was(mask: Path) -> None:
    assert repr(found(mask)) == repr([ROW])  # NaN equals nothing
    rows = [replace(ROW, target=name, seconds=None if name else 1.5) for name in ("core", "edema")]
    with Journal(mask.parents[1], SETTINGS) as journal:
        journal.add(tuple(rows), SOURCES, sums(mask))
    assert repr(found(mask)) == repr(rows)
    line = json.loads((mask.parents[1] / FILE).read_text().splitlines()[1])
    assert line["outputs"] == {"sub/a_mask\udcff.nii": checksum(mask)} and line["files"] == [["a.nii", "flair", 9, 99]]


def test_a_line_of_an_earlier_version_has_one_row(mask: Path) -> None:
    path = mask.parents[1] / FILE
    head, line = map(json.loads, path.read_text().splitlines())
    [line["row"]] = line.pop("rows")
    del line["row"]["target"]
    path.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")
    assert repr(found(mask)) == repr([ROW])
    with Journal(mask.parents[1], SETTINGS | {"version": "2"}) as journal:
        assert journal.origin(mask) == "version older than this program"


@pytest.mark.parametrize(
    "other",
    [
        {"settings": SETTINGS | {"tta": "True"}},
        {"job": Job("b", (Path("in/b.nii"),), "nifti", ("flair",), Path("b.nii"))},
    ],
)
def test_it_is_of_one_command_and_job(mask: Path, other: dict[str, Any]) -> None:
    assert not found(mask, **other)


@pytest.mark.parametrize(
    "now",
    [
        {"files": [["a.nii", "flair", 10, 99]]},
        {"files": [["a.nii", "flair", 9, 98]]},
        {"files": [["a.nii", "t1", 9, 99]]},
        {"files": [*SOURCES["files"], ["b.nii", "t1", 1, 1]]},
        {"truth": [["a_mask.nii", "", 1, 1]]},
    ],
)
def test_it_is_of_one_input(mask: Path, sources: dict[str, Any], now: dict[str, Any]) -> None:
    sources |= now
    assert not found(mask)


def test_a_truth_that_cannot_be_told_is_not_compared(mask: Path, sources: dict[str, Any]) -> None:
    sources["truth"] = None
    assert found(mask)


def test_results_must_be_whole_and_all_of_them(mask: Path) -> None:
    other = mask.with_name("a_brain.nii")
    other.write_bytes(b"brain")
    with Journal(mask.parents[1], SETTINGS) as journal:
        assert journal.finished(JOB, {"mask": (mask,), "brain": (other,)}, ()) is None
        assert journal.finished(JOB, {"mask": (other,)}, ()) is None
        assert journal.left_over(mask) and not journal.left_over(other)
    mask.write_bytes(b"corrected")
    assert not found(mask)
    mask.unlink()
    assert not found(mask)


def test_what_stood_there_before_is_still_ours(mask: Path) -> None:
    # Predicted anew, since its input had changed, and killed before the new mask had its name.
    with Journal(mask.parents[1], SETTINGS) as journal:
        journal.add((ROW,), {"files": [["a.nii", "flair", 10, 100]], "truth": []}, {f"sub/{mask.name}": "0" * 64})
    with Journal(mask.parents[1], SETTINGS) as journal:
        assert journal.left_over(mask)
    assert found(mask)  # with the input as it was


@pytest.mark.parametrize(("done", "complete", "kept"), [("a", True, False), ("a", False, True), ("b", True, True)])
def test_it_goes_when_all_that_it_tells_of_is_done(mask: Path, done: str, complete: bool, kept: bool) -> None:
    with Journal(mask.parents[1], SETTINGS) as journal:
        journal.conclude({done}, complete)
    assert (mask.parents[1] / FILE).exists() == kept and bool(found(mask)) == kept


def test_other_commands_are_kept_until_their_results_are_replaced(mask: Path) -> None:
    folder, mine = mask.parents[1], mask.with_name("mine.nii")
    mine.touch()
    for target, kept in ((mine, True), (mask, False)):
        with Journal(folder, {"threshold": "0.4"}) as journal:
            assert journal.origin(mask) == "`threshold` 0.5, without `tta`"
            journal.add((ROW,), SOURCES, sums(target))
            journal.conclude({"a"}, complete=True)
        assert (folder / FILE).exists() == kept
        assert bool(found(mask)) == kept


def refused(folder: Path) -> None:
    with pytest.raises(UserError, match=f"^`output` {folder}: another `predict` is writing there"):
        Journal(folder, SETTINGS).__enter__()


@pytest.mark.parametrize("place", [".", "new", "new/below"])
def test_it_is_held_by_one_before_anything_is_looked_at(tmp_path: Path, mask: Path, place: str) -> None:
    folder = tmp_path / place
    with Journal(folder, SETTINGS):
        refused(folder)
        refused(folder)  # the first refusal has let go of nothing
    assert found(mask)
    assert not (tmp_path / "new").exists(), "nothing came of it"


def test_a_second_command_reads_what_the_first_one_left(tmp_path: Path, mask: Path) -> None:
    for _ in range(2):  # nor does a command that adds nothing remove anything
        with Journal(tmp_path, SETTINGS | {"tta": "True"}) as journal:
            assert journal.origin(mask) == "without `tta`"


def test_nothing_is_left_where_nothing_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "new" / "below"):
        with Journal(folder, SETTINGS):
            assert (folder / FILE).exists()
        monkeypatch.setattr("headtohead.predicting.results.journal.read_journal", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Journal(folder, SETTINGS).__enter__()
        monkeypatch.undo()
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]
    with Journal(tmp_path / "new" / "below", SETTINGS) as journal:
        (journal.folder / "mine").touch()
    assert {path.name for path in (tmp_path / "new").rglob("*")} == {"below", "mine"}


def test_only_the_journal_that_is_held_is_removed(tmp_path: Path, mask: Path) -> None:
    with Journal(tmp_path, SETTINGS) as first:
        first.conclude({"a"}, complete=True)
        second = Journal(tmp_path, SETTINGS).__enter__()  # as another command that was waiting for this moment
    refused(tmp_path)
    second.__exit__()
    assert not second.path.exists()


def test_the_folder_is_removed_by_another_command_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removals = [tmp_path / "new" / "below", tmp_path / "new"]

    def late(path: Path, make: bool) -> int:
        while removals:
            removals.pop(0).rmdir()
        return hold(path, make)

    monkeypatch.setattr("headtohead.predicting.results.journal.hold", late)
    with Journal(tmp_path / "new" / "below", SETTINGS):
        refused(tmp_path / "new" / "below")
    assert not (tmp_path / "new").exists()


def linked(path: Path) -> None:
    (path.parent / "theirs").write_text("")
    path.symlink_to("theirs")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, linked])
def test_what_is_no_file_is_refused_in_a_line(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / FILE)
    with pytest.raises(UserError, match=r"\.predicting\.jsonl: cannot be used \(.*\); remove it, or choose another"):
        Journal(tmp_path, SETTINGS).__enter__()


@pytest.mark.parametrize(
    "change",
    [
        {"row": 1},
        {"row": {}},
        *({"row": {name: value}} for name, value in (
            ("file", None), ("voxels", None), ("voxels", 1.5), ("voxels", 10**400), ("slices", -1), ("target", 1),
            ("seconds", float("inf")), ("dice", 2), ("volume_ml", "1"), ("warnings", "odd"), ("notes", [1]),
            ("model", "\ud800"), ("error", "failed"), ("nobody", 1), ("threshold", True),
        )),
        {"files": None},
        {"files": [["a.nii", "flair", 9]]},
        {"files": [["a.nii", "flair", "9", 99]]},
        {"truth": [[]]},
        {"outputs": []},
        {"outputs": {"sub/a_mask\udcff.nii": 5}},
        {"outputs": {"../../outside": "0" * 64}},
        {"by": "somebody"},
        {"by": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_line_with_a_wrong_value_is_left_out(mask: Path, change: dict[str, Any]) -> None:
    path = mask.parents[1] / FILE
    head, line = path.read_text().splitlines()
    values = json.loads(line)
    for name, value in change.items():
        if name == "row":
            values["rows"] = [{**values["rows"][0], **value} if value and value != 1 else value]
        else:
            values[name] = value
    path.write_text(f"{head}\n{json.dumps(values)}\n")
    assert not found(mask)


@pytest.mark.parametrize("content", [b"", b"\xff\n\0", b"[" * 100_000, b"{}", b"null\n[]\n1\n", b'{"by": 1}'])
def test_what_is_not_a_journal_says_nothing_and_is_continued(mask: Path, content: bytes) -> None:
    path = mask.parents[1] / FILE
    before = path.read_bytes()
    path.write_bytes(content)
    assert not found(mask)
    with Journal(mask.parents[1], SETTINGS) as journal:
        journal.add((ROW,), SOURCES, sums(mask))
    assert found(mask)
    assert path.read_bytes() == (content + b"\n" * bool(content) if content[-1:] != b"\n" else content) + before


def test_damaged_anywhere_it_ends_in_no_fault(mask: Path, tmp_path: Path) -> None:
    path = mask.parents[1] / FILE
    whole, rng = path.read_bytes(), random.Random(0)
    survived = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            start = rng.randrange(len(damaged))
            damaged[start : start + rng.choice((0, 1, 1, 9))] = rng.choice(
                (b"", b"\n", b"9", b'"', b"\xff", b"-", b"}")
            )
        path.write_bytes(damaged)
        with Journal(mask.parents[1], SETTINGS) as journal:
            journal.left_over(mask)
            journal.origin(mask)
        if rows := found(mask):
            survived += 1
            write_summary(rows, tmp_path / "summary")
            print_table(rows, 1)
    assert survived
