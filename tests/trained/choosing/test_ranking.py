"""The best run that is fit for the files: by validation Dice within one split, else the newest."""

from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.trained.choosing import choose_models
from tests.trained.choosing.choice import MakeRun, choose


def test_best_validation_dice_of_one_split(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("single/good", 0.7)
    best = make_run("other/best", 0.9)
    make_run("single/unscored", None)
    make_run("single/undefined", float("nan"))
    make_run("single/half", 0.99, status="running")
    make_run("single/broken", 0.99, status="failed")
    choice = choose(tmp_path)
    assert choice.run == best
    assert choice.line == (
        "model other/best (trained on 2 patients of LGG MRI segmentation; best validation Dice 0.900 of 4 trained runs)"
    )


def test_of_several_splits_or_data_sets_the_newest(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("lgg/best", 0.95)
    for fold in range(2):  # the folds of one table are ranked together, though each has a key of its own
        make_run(f"cv/f{fold}", 0.6 + fold / 10, split=f"f{fold}", plan="p", ended=f"2026-02-0{2 - fold}")
    make_run("own/old", 0.99, data="own", ended="2025-01-01")
    choice = choose(tmp_path)
    assert choice.name == "cv/f1"
    assert choice.reason == "best validation Dice 0.700 of 2 trained runs, the newest of 3 data sets or splits"


def test_ties(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("single/a", 0.8, ended="2026-01-02")
    make_run("single/c", 0.8)
    make_run("single/d", None, ended="2026-01-03")
    assert choose(tmp_path).name == "single/a", "the later of equal Dice, and none before an unknown one"
    make_run("single/b", 0.8, ended="2026-01-02")
    assert choose(tmp_path).name == "single/b", "the last by name of equal age"


def test_other_data_is_for_its_own_files_or_on_request(make_run: MakeRun, tmp_path: Path) -> None:
    masker = make_run("masker/buda", 0.95, data="volumes", kind="nifti")
    assert choose(tmp_path).line.endswith("passed over: 1 trained on other data (`data=nifti`))")
    for choice in (choose(tmp_path, "volumes/sub-01.nii"), choose(tmp_path, data="nifti")):
        assert choice.run == masker
        assert choice.origin == "trained on 2 NIfTI volumes of volumes"
    make_run("pictures/buda", 0.95, data="slices", kind="images")
    assert choose(tmp_path, data="images").origin == "trained on pictures of 2 cases of slices"


def test_a_kind_that_is_written_out_holds_for_the_files_data_set_too(make_run: MakeRun, tmp_path: Path) -> None:
    masker = make_run("masker/buda", 0.95, data="volumes", kind="nifti")
    other = make_run("single/lgg", 0.7)
    for kind, expected in (("lgg", other), ("nifti", masker)):
        named = from_flat({"runs_dir": str(tmp_path / "runs"), "data": kind}, given=["data"])
        [choice] = choose_models(named, tmp_path / "volumes/sub-01.nii")
        assert choice.run == expected


def test_runs_of_the_files_data_set_go_first(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("single/newer", 0.95, data="other", ended="2027-01-01")
    own = make_run("single/own", 0.05)
    assert choose(tmp_path, "real/case/case_1.tif").run == own
    assert choose(tmp_path, "real/case/case_1.tif").reason == "the only trained run on this data set"


def test_runs_without_a_model_or_with_a_damaged_record_are_passed_over(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("single/baseline", 0.99).best.unlink()
    (make_run("single/damaged").path / "run.json").write_text("{")
    assert choose(tmp_path).name == "ours"
    good = make_run("single/good", 0.2)
    assert choose(tmp_path).run == good
    assert choose(tmp_path).reason == "the only trained run"


def test_comparison_narrows(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("demo/best", 0.9)
    other = make_run("lgg/good", 0.8)
    assert choose(tmp_path, comparison="lgg").run == other
    with pytest.raises(UserError, match=r"no trained model in .*nothing; train one first: `train`"):
        choose(tmp_path, comparison="nothing")
