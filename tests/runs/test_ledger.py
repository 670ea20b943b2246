"""The ledger reads what is there, leaves out what is broken and refuses what may not be compared."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.errors import UserError
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.runs.reading import read_ledger
from headtohead.task import Target, Targets

HEADER = "case,site,dice,iou,precision,recall,tp,fp,fn\n"


def names(runs: list[Any]) -> list[str]:
    return [run.name for run in runs]


def test_sorts_runs_by_status(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none")
    write_run("unet", "cosine", status="failed", error="ValueError: bad")
    write_run("resnext", "none", status="running")
    write_run("resnext", "cosine", status="trained")
    ledger = read_ledger(comparison)
    assert names(ledger.finished) == ["unet-none-s0-f0"]
    assert names(ledger.failed) == ["unet-cosine-s0-f0"]
    assert names(ledger.unfinished) == ["resnext-cosine-s0-f0", "resnext-none-s0-f0"]
    assert ledger.notes == ()


def test_cases_in_long_form(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", 1, counts=[(5, 1, 1), (0, 0, 0)])
    write_run("flair-threshold", "-", None, counts=[(0, 3, 4), (0, 1, 0)], name="flair-threshold")
    cases = read_ledger(comparison).cases
    scores = ["tp", "fp", "fn", "lesion_voxels", "dice", "iou", "precision", "recall"]
    assert list(cases.columns) == ["model", "schedule", "seed", "fold", "case", "site", *scores]
    assert len(cases) == 4
    unet = cases[cases["model"] == "unet"]
    assert unet["seed"].tolist() == [1, 1]
    assert unet["case"].tolist() == ["case0", "case1"]
    assert unet["dice"].iloc[0] == pytest.approx(10 / 12)
    assert math.isnan(unet["dice"].iloc[1])
    assert cases[cases["model"] == "flair-threshold"]["seed"].isna().all()


def test_a_site_called_na_is_not_taken_for_missing(comparison: Path, write_run: Any) -> None:
    write_run()
    assert set(read_ledger(comparison).cases["site"]) == {"NA"}


def test_is_derived_from_the_folders_alone(comparison: Path, write_run: Any) -> None:
    folder = write_run()
    assert len(read_ledger(comparison).finished) == 1
    (folder / "run.json").write_text((folder / "run.json").read_text().replace("finished", "failed"))
    assert len(read_ledger(comparison).finished) == 0


@pytest.mark.parametrize(
    ("shared", "change"),
    [
        ("data", {"data": {"key": "d2"}}),
        ("split", {"split": {"kind": "patient", "seed": 1, "key": "s2"}}),
        ("protocol", {"protocol": "2"}),
        ("protocol", {"protocol": None}),
    ],
)
def test_refuses_to_mix(comparison: Path, write_run: Any, shared: str, change: dict[str, Any]) -> None:
    write_run("unet", "none")
    write_run("unet", "cosine", **change)
    with pytest.raises(UserError) as caught:
        read_ledger(comparison)
    message = str(caught.value)
    assert f"unet-cosine-s0-f0 and unet-none-s0-f0 differ in {shared} (" in message
    assert "\n" not in message


def test_names_the_entries_of_a_protocol_that_differ(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", protocol={"version": 1, "threshold": 0.5})
    write_run("unet", "cosine", protocol={"version": 1, "threshold": 0.3})
    with pytest.raises(UserError, match=r"protocol: threshold 0\.3 against 0\.5"):
        read_ledger(comparison)


def test_runs_without_scores_do_not_block_the_others(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none")
    write_run("unet", "cosine", status="failed", data={"key": "old"})
    assert names(read_ledger(comparison).finished) == ["unet-none-s0-f0"]


def test_refuses_runs_with_other_test_cases(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", counts=[(5, 1, 1)] * 4)
    write_run("unet", "cosine", counts=[(5, 1, 1)] * 3)
    with pytest.raises(UserError, match=r"not the same test cases.*case3"):
        read_ledger(comparison)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '"x"',
        '{"status": "finished"}',
        '{"status": 1, "experiment": 2}',
        '{"status": "failed", "experiment": {}}',
    ],
)
def test_broken_run_json_is_left_out_with_a_note(comparison: Path, write_run: Any, content: str) -> None:
    write_run()
    (comparison / "broken").mkdir()
    (comparison / "broken" / "run.json").write_text(content)
    ledger = read_ledger(comparison)
    assert names(ledger.finished) == ["unet-none-s0-f0"]
    assert len(ledger.notes) == 1
    assert ledger.notes[0].startswith("broken left out: its run.json does not describe a run")


@pytest.mark.parametrize("content", [None, "", "case,site\n", HEADER, "case,site,dice\na,b,c\n", "half of a li"])
def test_finished_without_whole_cases_is_left_out_with_a_note(
    comparison: Path, write_run: Any, content: str | None
) -> None:
    folder = write_run()
    (folder / "cases.csv").unlink()
    if content is not None:
        (folder / "cases.csv").write_text(content)
    ledger = read_ledger(comparison)
    assert ledger.runs == ()
    assert "cases.csv is missing or broken" in ledger.notes[0]


def test_foreign_folders_and_files(comparison: Path, write_run: Any) -> None:
    write_run()
    for name in ("figures", ".hidden", "notes of mine"):
        (comparison / name).mkdir()
    (comparison / "results.csv").write_text("x")
    assert read_ledger(comparison).notes == ("notes of mine left out: it has no run.json",)


def test_the_same_experiment_is_counted_once(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none")
    write_run("unet", "none", name="unet-again")
    ledger = read_ledger(comparison)
    assert len(ledger.cases) == 4
    assert ledger.notes == (
        "unet-none-s0-f0 left out: it is the same experiment as unet-again, which is counted already",
    )


def test_a_comparison_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such comparison"):
        read_ledger(tmp_path / "nowhere")


def test_an_empty_comparison(comparison: Path) -> None:
    ledger = read_ledger(comparison)
    assert ledger.cases.empty
    assert "dice" in ledger.cases


def in_fold(fold: int, plan: str = "p", folds: int = 3) -> dict[str, Any]:
    """What run.json says of a fold's split."""
    return {"kind": "patient", "seed": 0, "key": f"s{fold}", "plan": plan, "folds": folds, "leaking_patients": 0}


def test_folds_stand_in_one_table_though_their_splits_differ(comparison: Path, write_run: Any) -> None:
    for fold in range(3):
        write_run(fold=fold, split=in_fold(fold), cases=[f"case{fold}{place}" for place in range(4)])
    ledger = read_ledger(comparison)
    assert ledger.folds == 3
    assert ledger.partial == {}
    assert ledger.comparable["case"].nunique() == len(ledger.cases) == 12


@pytest.mark.parametrize("other", [{"plan": "q"}, {"plan": ""}])
def test_other_folds_are_refused(comparison: Path, write_run: Any, other: dict[str, Any]) -> None:
    write_run(fold=0, split=in_fold(0))
    write_run(fold=1, split=in_fold(1, **other))
    with pytest.raises(UserError, match=r"differ in split \(split: p against (q|s1)\)"):
        read_ledger(comparison)


def test_an_entrant_without_all_its_folds_is_not_comparable(comparison: Path, write_run: Any) -> None:
    names = [[f"case{fold}{place}" for place in range(4)] for fold in range(3)]
    for fold in range(3):
        for seed in (0, 1):
            write_run("unet", seed=seed, fold=fold, split=in_fold(fold), cases=names[fold])
            if (seed, fold) != (1, 2):
                write_run("buda", seed=seed, fold=fold, split=in_fold(fold), cases=names[fold])
    write_run("resnext", fold=0, split=in_fold(0), cases=names[0])
    ledger = read_ledger(comparison)
    assert ledger.partial == {("resnext", "none"): "1 of 3 folds"}
    assert ledger.incomplete == {("buda", "none"): {1: 2}, ("resnext", "none"): {0: 1}}
    assert set(ledger.comparable["model"]) == {"unet", "buda"}
    assert set(ledger.cases["model"]) == {"unet", "buda", "resnext"}


def test_the_complete_seeds_of_an_entrant_count_without_those_that_lack_a_fold(
    comparison: Path, write_run: Any
) -> None:
    names = [[f"case{fold}{place}" for place in range(4)] for fold in range(3)]
    for fold in range(3):
        write_run("unet", seed=2, fold=fold, split=in_fold(fold), cases=names[fold])
        if fold:
            write_run("unet", seed=0, fold=fold, split=in_fold(fold), cases=names[fold])
    ledger = read_ledger(comparison)
    assert ledger.comparable["seed"].unique().tolist() == [2]
    assert ledger.comparable["case"].tolist() == [name for own in names for name in own]
    assert [run.name for run in ledger.counted] == [f"unet-none-s2-f{fold}" for fold in range(3)]
    assert len(ledger.finished) == 5


def test_two_seeds_that_both_lack_a_fold_do_not_make_one_whole(comparison: Path, write_run: Any) -> None:
    names = [[f"case{fold}{place}" for place in range(4)] for fold in range(3)]
    for seed, folds in ((0, (0, 1)), (1, (1, 2))):
        for fold in folds:
            write_run("unet", seed=seed, fold=fold, split=in_fold(fold), cases=names[fold])
    ledger = read_ledger(comparison)
    assert ledger.partial == {("unet", "none"): "4 of 6 folds"}
    assert ledger.comparable.empty and ledger.counted == []


def test_an_empty_comparison_has_nothing_to_compare_but_columns(comparison: Path) -> None:
    comparable = read_ledger(comparison).comparable
    assert comparable.empty
    assert {"model", "schedule", "case", "dice"} <= set(comparable.columns)


def test_an_edited_dice_is_left_out_with_a_note(comparison: Path, write_run: Any) -> None:
    path = write_run("unet", "none") / "cases.csv"
    write_run("buda", "none")
    table = pd.read_csv(path, keep_default_na=False)
    table.loc[0, "dice"] = 0.99
    table.to_csv(path, index=False)
    ledger = read_ledger(comparison)
    assert names(ledger.finished) == ["buda-none-s0-f0"]
    assert "unet-none-s0-f0 left out: its cases.csv was edited" in ledger.notes[0]
    pd.concat([table.iloc[1:], table.iloc[1:2]]).to_csv(path, index=False)
    assert "a case is listed twice" in read_ledger(comparison).notes[0]


def test_one_fold_has_one_split(comparison: Path, write_run: Any) -> None:
    """Two models tested on the same patients, one of them validated on others."""
    split = {"kind": "patient", "seed": 0, "plan": "p", "folds": 1, "leaking_patients": 0}
    write_run("unet", "none", split={**split, "key": "a"})
    write_run("buda", "none", split={**split, "key": "b"})
    with pytest.raises(UserError, match="are of one fold but not of one split"):
        read_ledger(comparison)


def test_a_case_has_a_row_for_each_of_several_targets(comparison: Path, write_run: Any) -> None:
    pairs = {"cases": ["a", "a", "b", "b"], "extra": {"target": ["whole", "core"] * 2}, "data": TWO}
    write_run("unet", **pairs)
    assert read_ledger(comparison).cases["target"].tolist() == ["whole", "core"] * 2
    path = write_run("buda", **pairs) / "cases.csv"
    table = pd.read_csv(path)
    pd.concat([table.iloc[:3], table.iloc[2:3]]).to_csv(path, index=False)
    assert "a case is listed twice" in read_ledger(comparison).notes[0]
    table.iloc[:3].to_csv(path, index=False)
    with pytest.raises(UserError, match=r"the same split but not the same test cases \(b: core\)"):
        read_ledger(comparison)


REGIONS = Targets((Target("whole", (1, 2)), Target("core", (2,))))
TWO = {"key": "d1", "task": dataclasses.replace(LGG_TASK, targets=REGIONS).to_dict()}


def test_runs_on_other_targets_are_refused(comparison: Path, write_run: Any) -> None:
    """The files of the data may be the same, and what counts as a lesion another."""
    write_run("unet")
    other = dataclasses.replace(LGG_TASK, targets=Targets((Target("core", (2,)),)))
    write_run("buda", data={"key": "d1", "task": other.to_dict()})
    with pytest.raises(UserError, match=r"differ in targets \(targets: labels .*core.* against .*lesion"):
        read_ledger(comparison)
    drawn = dataclasses.replace(LGG_TASK, targets=Targets((Target("lesion", (1,), (0, 0, 255)),)))
    other_colour = {"key": "d1", "task": drawn.to_dict()}
    (comparison / "buda-none-s0-f0" / "run.json").unlink()
    write_run("resnext", data=other_colour)
    assert names(read_ledger(comparison).finished) == ["resnext-none-s0-f0", "unet-none-s0-f0"]
