"""Which run predicts: the best one, the named one, or a clear word that there is none."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.options import ComparisonOptions
from headtohead.predicting.choosing import Choice, choose_run, part_of_split
from headtohead.runs.folder import RunFolder

MakeRun = Callable[..., RunFolder]
IMAGE = Path("image.png")


def choose(folder: Path, image: Path = IMAGE, **settings: Any) -> Choice:
    """Choose among the runs of a test's folder."""
    return choose_run(ComparisonOptions(runs_dir=str(folder / "runs"), **settings), image)


def test_best_validation_dice_wins(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("good", dice=0.7)
    best = make_run("best", "other", dice=0.9)
    make_run("unscored", dice=None)
    make_run("undefined", dice=float("nan"))
    make_run("half", dice=0.99, status="running")
    make_run("broken", dice=0.99, status="failed")
    choice = choose(tmp_path)
    assert choice.folder == best
    assert choice.name == "other/best"
    assert choice.reason == "best validation Dice 0.900 of 4 trained runs"


def test_runs_without_a_model_or_with_a_damaged_record_are_passed_over(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("baseline", dice=0.99).best.unlink()
    (make_run("damaged").path / "run.json").write_text("{")
    good = make_run("good", dice=0.2)
    assert choose(tmp_path).folder == good
    assert choose(tmp_path).reason == "the only trained run"


def test_run_of_the_same_data_set_goes_first(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("phantoms", dice=0.95)
    own = make_run("real", dice=0.8, root=tmp_path / "lgg")
    image = tmp_path / "lgg" / "case" / "case_1.tif"
    assert choose(tmp_path, image).folder == own
    assert choose(tmp_path).folder.path.name == "phantoms"


def test_comparison_narrows(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("best", "demo", dice=0.9)
    other = make_run("good", "lgg", dice=0.8)
    assert choose(tmp_path, comparison="lgg").folder == other
    with pytest.raises(UserError, match=r"no trained model in .*nothing; train one first: --train"):
        choose(tmp_path, comparison="nothing")


def test_named_run(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("best", dice=0.9)
    named = make_run("mine", dice=0.1, status="running")
    assert choose(tmp_path, run_name="mine").folder == named
    with pytest.raises(UserError, match=r"--run_name mime: no such run in .*; there are: best, mine"):
        choose(tmp_path, run_name="mime")
    named.best.unlink()
    with pytest.raises(UserError, match="holds no trained model yet"):
        choose(tmp_path, run_name="mine")


def test_one_name_in_several_comparisons(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("twin", "a")
    second = make_run("twin", "b")
    with pytest.raises(UserError, match="one in each of a, b; choose with --comparison"):
        choose(tmp_path, run_name="twin")
    assert choose(tmp_path, run_name="twin", comparison="b").folder == second


def test_nothing_trained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train one first: --train"):
        choose(tmp_path)
    with pytest.raises(UserError, match="train first: --train"):
        choose(tmp_path, run_name="mine")


def test_part_of_split(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(root=tmp_path / "lgg")
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), ("c", 1, "train"), ("c", 2, "val"), ("d", 1, "test")])
    choice = choose(tmp_path)
    folder = tmp_path / "lgg"
    assert part_of_split(choice, folder / "c" / "c_1.tif", 0) == "train"
    assert part_of_split(choice, folder / "c" / "c_2.tif", 1) == "val"
    assert part_of_split(choice, folder / "d" / "d_1.tif", 0) == "test"
    assert part_of_split(choice, folder / "e" / "e_1.tif", 0) == ""
    assert part_of_split(choice, tmp_path / "elsewhere" / "c" / "c_1.tif", 0) == ""
