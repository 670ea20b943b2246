"""The line of a file, the table and summary.csv."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.results.summary import Row, measure_mask, read_summary, write_summary
from headtohead.predicting.results.table import SHOWN, print_table

DONE = Row("a.nii", 12.345678, 1000, 20, 4, 2, 0.8123, 0.5, "largest", "lgg/buda", 1.25, ("dark",), "")
PICTURE = Row("b.png", None, 33, 1, 1, 1, None, 0.5, "", "lgg/buda", 0.5)


def test_measure() -> None:
    mask = np.zeros((4, 8, 8), bool)
    mask[1, 2:4, 2:4] = mask[2, 2:4, 2:4] = mask[2, 7, 7] = True
    truth = mask.copy()
    truth[2, 7, 7] = False
    assert measure_mask(mask, truth, (5.0, 1.0, 2.0)) == {
        "volume_ml": pytest.approx(0.09),
        "voxels": 9,
        "slices": 4,
        "slices_with_lesion": 2,
        "lesions": 2,
        "dice": pytest.approx(16 / 17),
    }
    assert measure_mask(mask, None, None)["volume_ml"] is None
    assert measure_mask(mask, None, None)["dice"] is None
    empty = np.zeros_like(mask)
    assert math.isnan(float(measure_mask(empty, empty, None)["dice"] or 0))
    assert measure_mask(empty, mask, None)["dice"] == 0
    assert math.isnan(float(measure_mask(mask, empty, None)["dice"] or 0)), "a false alarm has no Dice"
    assert measure_mask(empty, None, None)["lesions"] == 0


def test_line() -> None:
    assert DONE.line == "a.nii: 12.35 ml, 4 of 20 slices, 2 lesions, Dice 0.812, 1.25 s"
    assert PICTURE.line == "b.png: 33 voxels, 1 of 1 slice, 1 lesion, 0.50 s"
    nothing = replace(DONE, voxels=0, volume_ml=0.0, slices_with_lesion=0, lesions=0, dice=math.nan)
    assert nothing.line.startswith(
        "a.nii: nothing found, 0 of 20 slices, 0 lesions, no lesion in the truth: left alone"
    )
    alarm = replace(DONE, dice=math.nan)
    assert alarm.line == "a.nii: 12.35 ml, 4 of 20 slices, 2 lesions, no lesion in the truth: false alarm, 1.25 s"


def test_csv(tmp_path: Path) -> None:
    failed = Row("c, d.nii", error='damaged, "quoted"')
    write_summary([PICTURE, DONE, failed], tmp_path)
    path = tmp_path / "summary.csv"
    rows = {row["file"]: row for row in csv.DictReader(path.open(newline=""))}
    assert list(rows) == ["a.nii", "b.png", "c, d.nii"]
    assert rows["a.nii"]["volume_ml"] == "12.3457"
    assert rows["a.nii"]["warnings"] == "dark"
    assert rows["a.nii"]["seen"] == rows["b.png"]["warnings"] == ""
    assert rows["b.png"]["volume_ml"] == rows["b.png"]["dice"] == ""
    assert rows["c, d.nii"]["error"] == 'damaged, "quoted"'
    assert [one.name for one in tmp_path.iterdir()] == ["summary.csv"]


def test_earlier_lines_on_other_files_stay(tmp_path: Path) -> None:
    write_summary([PICTURE, DONE], tmp_path)
    write_summary([replace(DONE, voxels=7)], tmp_path)
    rows = read_summary(tmp_path / "summary.csv")
    assert [(row["file"], row["voxels"]) for row in rows] == [("a.nii", "7"), ("b.png", "33")]


def test_warnings_with_semicolons_and_an_older_table(tmp_path: Path) -> None:
    path = tmp_path / "summary.csv"
    write_summary([replace(DONE, warnings=("dark; grainy", "small"), seen="val")], tmp_path)
    [row] = read_summary(path)
    assert (row["warnings"], row["seen"]) == ("dark; grainy; small", "val")
    lines = path.read_text().splitlines()
    for newer in (1, 2):  # from before `notes`, and from before `seen`
        path.write_text("".join(line.rsplit(",", newer)[0] + "\n" for line in lines))
        write_summary([replace(PICTURE, notes=("taken as FLAIR",))], tmp_path)
        rows = {row["file"]: row for row in read_summary(path)}
        assert (rows["a.nii"]["seen"], rows["a.nii"]["notes"]) == ("val" if newer == 1 else "", "")
        assert rows["b.png"]["notes"] == "taken as FLAIR"


def test_the_mean_is_of_unseen_cases(capsys: pytest.CaptureFixture[str]) -> None:
    trained, chosen = replace(DONE, dice=0.99, seen="train"), replace(DONE, dice=0.98, seen="val")
    print_table([DONE, replace(DONE, dice=0.7), trained, chosen], 4)
    *_, sums, left_out = capsys.readouterr().out.splitlines()
    assert sums.startswith("all 4, mean Dice ") and "0.756" in sums
    assert left_out == "not in the mean Dice: 2 files that the model was trained on or chosen by"
    print_table([trained], 1)
    *_, sums, left_out = capsys.readouterr().out.splitlines()
    assert sums.startswith("all 1  ") and "0.9" not in sums
    assert left_out == "not in the mean Dice: 1 file that the model was trained on or chosen by"


def test_files_without_a_lesion_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """In the mean, a false alarm would count as 0 and a mask that is rightly empty would not count."""
    alarm = replace(DONE, file="b.nii", dice=math.nan)
    alone = replace(alarm, voxels=0, volume_ml=0.0, slices_with_lesion=0, lesions=0)
    print_table([DONE, alarm, alone, replace(alone, seen="train")], 4)
    *_, sums, seen, healthy = capsys.readouterr().out.splitlines()
    assert sums.startswith("all 4, mean Dice ") and "0.812" in sums
    assert seen == "not in the mean Dice: 1 file that the model was trained on or chosen by"
    assert healthy == "not in the mean Dice: 2 files without a lesion in the truth, 1 left alone, 1 false alarm"
    print_table([alone], 1)
    *_, sums, healthy = capsys.readouterr().out.splitlines()
    assert sums.startswith("all 1  ")
    assert healthy == "not in the mean Dice: 1 file without a lesion in the truth, 1 left alone, 0 false alarms"


def test_totals_say_what_they_leave_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([DONE, PICTURE], 5)
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 of 5 predicted, mean Dice ")


@pytest.mark.parametrize("content", [b"", b"file,other\n", b"\xff\xfe\0\0"])
def test_another_table_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "summary.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"summary\.csv: not written by `predict`"):
        write_summary([DONE], tmp_path)
    assert path.read_bytes() == content
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="not written by `predict`"):
        read_summary(path)


def test_table_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([DONE, replace(DONE, file="much/longer.nii", dice=math.nan), PICTURE], 3)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["file", "ml", "voxels", "slices", "lesions", "Dice", "seconds"]
    assert lines[1].split() == ["a.nii", "12.35", "1,000", "4/20", "2", "0.812", "1.25"]
    assert "no lesion" in lines[2]
    assert lines[3].split() == ["b.png", "33", "1/1", "1", "0.50"]
    assert lines[4].startswith("all 3, mean Dice") and "24.69" in lines[4] and "0.812" in lines[4]
    assert len(set(map(len, lines[:5]))) == 1
    print_table([PICTURE] * (SHOWN + 1), SHOWN + 1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "Dice" not in lines[0]
    assert lines[1].split() == ["all", "41", "1,353", "41/41", "41", "20.50"]


def test_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    print_table([replace(DONE, file="[red]a.nii")], 1)
    shown = capsys.readouterr().out
    assert "┃" in shown
    assert "[red]a.nii" in shown
