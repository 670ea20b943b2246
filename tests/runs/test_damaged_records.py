"""One damaged record is named in a line, and the runs beside it go on."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from headtohead.runs.finding import list_comparisons, trained_runs
from headtohead.runs.folder import DamagedRecordError, RunFolder
from headtohead.runs.reading import read_ledger

SOUND = {"status": "finished", "experiment": {"model": "unet", "seed": 0, "fold": 0}}


def with_fields(**fields: Any) -> bytes:
    """A record that is sound but for some fields."""
    return json.dumps(SOUND | fields).encode()


DAMAGED = {
    "null": b"null",
    "list": b"[]",
    "text": b'"finished"',
    "number": b"1",
    "empty": b"",
    "cut short": b'{"status": ',
    "not UTF-8": b'{"status": "\xff"}',
    "NUL": b"\0" * 100,
    "half a character": b'{"status": "\\ud800"}',
    "deep lists": b'{"status": "finished", "x": ' + b"[" * 100_000,
    "deep objects": b'{"status": "finished", "x": ' + b'{"a": ' * 500 + b"1" + b"}" * 501,
    "5,000 digits": b'{"status": "finished", "seed": ' + b"9" * 5_000 + b"}",
    "too large": b'{"status": "finished", "x": "' + b"x" * (17 << 20) + b'"}',
    "status": with_fields(status=["finished"]),
    "experiment": with_fields(experiment=[]),
    "model": with_fields(experiment={"model": {}, "seed": 0}),
    "seed": with_fields(experiment={"model": "unet", "seed": "0"}),
    "fold": with_fields(experiment={"model": "unet", "seed": 0, "fold": 10**300}),
    "data": with_fields(data=[1]),
    "data key": with_fields(data={"key": 1}),
    "data root": with_fields(data={"root": ["/"]}),
    "made up": with_fields(data={"made_up": "no"}),
    "split": with_fields(split=None),
    "folds": with_fields(split={"folds": "5"}),
    "recipe": with_fields(recipe="inner"),
    "members": with_fields(members=["a"]),
    "best_val_dice": with_fields(best_val_dice="high"),
    "infinite": b'{"status": "finished", "best_val_dice": 1e999}',
    "epochs": with_fields(epochs=[1]),
    "versions": with_fields(versions={"torch": 2}),
}


@pytest.mark.parametrize("name", [*DAMAGED, "pipe", "directory"])
def test_it_is_named_and_the_others_go_on(
    name: str, comparison: Path, write_run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = comparison / "damaged" / "run.json"
    healthy = write_run()
    for folder in (healthy, path.parent):
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "checkpoints" / "best.ckpt").touch()
    if name == "pipe":
        os.mkfifo(path)
    elif name == "directory":
        path.mkdir()
    else:
        path.write_bytes(DAMAGED[name])

    assert [run.path for run in trained_runs(comparison.parent)] == [healthy]
    assert list_comparisons(comparison.parent) == {"lgg": "lgg: 1 finished run"}
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith(f"warning: {path}: damaged (") and line.endswith("); this run is left out")
        assert len(line) < 150 + len(str(path))

    ledger = read_ledger(comparison)
    assert [run.folder for run in ledger.finished] == [healthy]
    assert len(ledger.notes) == 1
    assert ledger.notes[0].startswith("damaged left out: its run.json does not describe a run (")
    with pytest.raises(
        DamagedRecordError, match=r"run\.json: damaged \(.+\); restore it, or delete the folder damaged to train"
    ):
        RunFolder(path.parent).record()
    assert RunFolder(path.parent).made() == ()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("cases.csv", b"\xff\xfe\xff"),
        ("cases.csv", b"case,site,dice,iou,precision,recall,tp,fp,fn\na,b,1,1,1,1,1,0,0,7,7\n"),
        ("cases.csv", b'"' * 5_000),
        ("cases.csv", b"case,site,dice,iou,precision,recall,tp,fp,fn\na,b,1,1,1,1," + b"9" * 5_000 + b",0,0\n"),
        ("cases.csv", None),
        ("slices.csv", b""),
        ("slices.csv", b"\0\0\0"),
        ("slices.csv", b"case,slice,tp,fp,fn\na,one,1,1,1\n"),
        ("slices.csv", b"case,slice\na,1\n"),
        ("slices.csv", None),
        ("split.csv", b"case\na\n"),
        ("split.csv", b"\xff"),
        ("split.csv", None),
    ],
)
def test_a_broken_table_leaves_its_run_out(comparison: Path, write_run: Any, file: str, content: bytes | None) -> None:
    healthy, broken = write_run("unet"), write_run("buda")
    (broken / file).unlink(missing_ok=True)
    if content is None:
        os.mkfifo(broken / file)
    else:
        (broken / file).write_bytes(content)
    ledger = read_ledger(comparison)
    assert [run.folder for run in ledger.finished] == [healthy]
    assert len(ledger.notes) == 1 and f"{broken.name} left out" in ledger.notes[0] and file in ledger.notes[0]


def test_what_is_made_again_replaces_its_damaged_record(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "run.json").write_text("[")
    assert folder.record_if_sound() == {}
    folder.note(status="finished")
    assert folder.record_if_sound() == folder.record() == {"status": "finished"}
