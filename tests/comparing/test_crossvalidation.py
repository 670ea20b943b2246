"""Cross-validation from --compare to the tables: three folds of the made-up patients, a net of two channels."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.comparing import training
from headtohead.comparing.experiment import as_trained, folds_of, open_experiment
from headtohead.comparing.grid import compare, experiments_of
from headtohead.comparing.training import run_training
from headtohead.errors import UserError
from headtohead.learning.module import pl
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import FOLD_FILE
from headtohead.runs.reading import read_ledger

FOLDS = 3
RUNS = [f"buda-none-s0-f{fold}" for fold in range(FOLDS)]
BASELINES = [f"flair-threshold-f{fold}" for fold in range(FOLDS)]
GRID = {"comparison": "cv", "folds": "3"}


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Trainer, "fit", None)


def home(options: Options) -> Path:
    return Path(options.comparison.runs_dir) / "cv"


def record(folder: Path, name: str) -> dict[str, Any]:
    return RunFolder(folder / name).record()


def test_each_patient_is_tested_once_by_each_entrant(compared: Path, phantom_cohort: Cohort) -> None:
    cases = pd.read_csv(compared / "cases.csv")
    patients = phantom_cohort.table.set_index("case")["patient"]
    for _, rows in cases.groupby("model"):
        assert sorted(rows["case"]) == sorted(patients.index)
        assert sorted(rows["patient"]) == sorted(patients)
    assert set(cases["model"]) == {"buda", "flair-threshold"}
    table = pd.read_csv(compared / FOLD_FILE).set_index("case")["fold"]
    assert cases["fold"].tolist() == table[cases["case"]].tolist()
    results = pd.read_csv(compared / "results.csv").query("score == 'dice'")
    assert (results["n"] == len(phantom_cohort)).all()
    assert "3-fold cross-validation by patient" in (compared / "results.md").read_text()


def test_every_fold_has_its_own_run_and_baseline(compared: Path, phantom_cohort: Cohort) -> None:
    assert {run.name for run in read_ledger(compared).finished} == {*RUNS, *BASELINES}
    tested: list[int] = []
    for fold, (run, baseline) in enumerate(zip(RUNS, BASELINES, strict=True)):
        mine, theirs = record(compared, run), record(compared, baseline)
        assert mine["split"] == theirs["split"]
        assert mine["split"]["folds"] == FOLDS and mine["split"]["leaking_patients"] == 0
        assert mine["experiment"]["fold"] == theirs["experiment"]["fold"] == fold
        parts = pd.read_csv(compared / run / "split.csv")
        sides = parts.merge(phantom_cohort.table[["case", "patient"]], on="case").groupby("patient")["part"].nunique()
        assert (sides == 1).all(), "no patient stands on two sides"
        assert set(parts["part"]) == {"train", "val", "test"}
        tested += parts.loc[parts["part"] == "test", "case"].unique().tolist()
    assert sorted(tested) == sorted(phantom_cohort.table["case"])
    assert len({record(compared, run)["split"]["key"] for run in RUNS}) == FOLDS
    assert len({record(compared, run)["split"]["plan"] for run in [*RUNS, *BASELINES]}) == 1


def test_the_layout_of_all_runs_is_there(compared: Path) -> None:
    assert len(list(compared.glob("events.out.tfevents.*.layout"))) == 1


def test_the_written_folds_make_the_same_splits_again(
    compared: Path, wanted: Options, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    path = str(compared / FOLD_FILE)
    again = option_table.replace(wanted, folds="", fold_file=path, comparison="again", runs_dir=str(tmp_path))
    made, read = folds_of(wanted.data, phantom_cohort), folds_of(again.data, phantom_cohort)
    assert made is not None and read is not None
    assert read.key == made.key and len(read) == FOLDS
    for one in experiments_of(again, FOLDS):
        split = open_experiment(one, phantom_cohort).split
        assert split.key == record(compared, RUNS[one.data.fold])["split"]["key"]


def test_folds_of_a_user_are_taken_as_they_are(
    wanted: Options, phantom_cohort: Cohort, tmp_path: Path, compared: Path
) -> None:
    table = pd.read_csv(compared / FOLD_FILE)
    table["fold"] = (table["fold"] + 1) % FOLDS
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "mine.csv", index=False)
    mine = option_table.replace(wanted, folds="", fold_file=str(tmp_path / "mine.csv"), fold=2)
    split = open_experiment(mine, phantom_cohort).split
    cases = phantom_cohort.table["case"].iloc[split.cases(phantom_cohort, "test")]
    assert sorted(cases) == sorted(table.loc[table["fold"] == 2, "case"])
    assert split.plan != record(compared, RUNS[0])["split"]["plan"]


def test_finished_folds_are_kept_and_a_missing_one_is_made_again_as_it_was(
    copied_grid: Options, no_report: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home(copied_grid)
    before = {name: (folder / name / "run.json").read_bytes() for name in RUNS}
    scores = (folder / RUNS[1] / "cases.csv").read_bytes()
    shutil.rmtree(folder / RUNS[1])
    trained = []
    fit = pl.Trainer.fit
    monkeypatch.setattr(pl.Trainer, "fit", lambda self, *a, **k: trained.append(1) or fit(self, *a, **k))
    compare(copied_grid)
    said = capsys.readouterr().out
    assert len(trained) == 1
    assert [f"{name}: finished, kept" in said for name in RUNS] == [True, False, True]
    for name in (RUNS[0], RUNS[2]):
        assert (folder / name / "run.json").read_bytes() == before[name]
    assert (folder / RUNS[1] / "cases.csv").read_bytes() == scores


def test_a_comparison_goes_on_with_the_table_of_folds_it_wrote(
    copied_grid: Options, no_training: None, no_report: None, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(option_table.replace(copied_grid, folds="", fold_file=str(home(copied_grid) / FOLD_FILE)))
    said = capsys.readouterr().out
    assert all(f"{name}: finished, kept" in said for name in RUNS)


def test_one_fold_trained_by_hand_is_the_run_of_the_grid(
    compared: Path, wanted: Options, tmp_path: Path, no_report: None, capsys: pytest.CaptureFixture[str]
) -> None:
    one = option_table.replace(wanted, model="buda", lr_scheduler="none", fold=1, runs_dir=str(tmp_path))
    assert training.train(one) == training.test(one) == tmp_path / "cv" / RUNS[1]
    for file in ("cases.csv", "slices.csv", "split.csv", "masks.npz", "probabilities.npz"):
        assert (tmp_path / "cv" / RUNS[1] / file).read_bytes() == (compared / RUNS[1] / file).read_bytes(), file
    metrics = [pd.read_csv(place / RUNS[1] / "metrics.csv") for place in (compared, tmp_path / "cv")]
    pd.testing.assert_frame_equal(*(table.drop(columns="seconds") for table in metrics))
    mine, theirs = record(tmp_path / "cv", RUNS[1]), record(compared, RUNS[1])
    assert all(mine[key] == theirs[key] for key in ("experiment", "split", "data", "protocol", "recipe", "test_dice"))
    capsys.readouterr()
    compare(option_table.replace(wanted, runs_dir=str(tmp_path)))
    assert f"{RUNS[1]}: finished, kept" in capsys.readouterr().out, "and the grid goes on from it"


def test_a_fold_is_known_again_by_a_test_without_its_options(copied_grid: Options) -> None:
    places = {name: getattr(copied_grid.data, name) for name in ("root_dir", "cache_dir")}
    short = option_table.replace(
        option_table.Options(), **places, runs_dir=copied_grid.comparison.runs_dir, comparison="cv", run_name=RUNS[2]
    )  # fmt: skip
    before = (home(copied_grid) / RUNS[2] / "cases.csv").read_bytes()
    assert training.test(short) == home(copied_grid) / RUNS[2]
    assert (home(copied_grid) / RUNS[2] / "cases.csv").read_bytes() == before


def test_a_file_of_folds_is_known_again_by_a_test_without_its_options(copied_grid: Options) -> None:
    folder = RunFolder(home(copied_grid) / RUNS[2])
    folder.write_config(folder.read_config() | {"folds": "", "fold_file": "mine.csv"})
    short = option_table.replace(
        option_table.Options(), runs_dir=copied_grid.comparison.runs_dir, comparison="cv", run_name=RUNS[2]
    )
    assert as_trained(short).data.fold_file == "mine.csv"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folds": "4"}, "made with `folds` 3, now 4"),
        ({"folds": ""}, "made with `folds` 3, now none; "),
        ({"split_seed": 1}, "made with `split_seed` 0, now 1"),
    ],
)
def test_other_folds_under_the_same_name_are_refused_before_anything_is_written(
    copied_grid: Options, change: dict[str, Any], said: str
) -> None:
    before = {path: path.read_bytes() for path in home(copied_grid).rglob("*") if path.is_file()}
    with pytest.raises(UserError) as caught:
        compare(option_table.replace(copied_grid, **change))
    assert said in str(caught.value) and "\n" not in str(caught.value)
    after = {
        path: path.read_bytes() for path in home(copied_grid).rglob("*") if path.is_file() and path.suffix != ".lock"
    }
    assert after == {path: content for path, content in before.items() if path.suffix != ".lock"}


def test_an_edited_table_of_folds_is_refused(copied_grid: Options, tmp_path: Path) -> None:
    path = tmp_path / "moved.csv"
    table = pd.read_csv(home(copied_grid) / FOLD_FILE)
    table.loc[0, "fold"] = (table.loc[0, "fold"] + 1) % FOLDS
    table.to_csv(path, index=False)
    moved = option_table.replace(copied_grid, folds="", fold_file=str(path), models=["unet"])
    with pytest.raises(UserError, match="differs in split from what is asked for"):
        compare(moved)


def test_a_fold_that_is_not_there(wanted: Options, phantom_cohort: Cohort) -> None:
    with pytest.raises(UserError, match="`fold` 3: give a number from 0 to 2"):
        open_experiment(option_table.replace(wanted, fold=3), phantom_cohort)


def test_one_failed_fold_keeps_the_entrant_out_of_the_table(
    copied_grid: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home(copied_grid)
    shutil.rmtree(folder / RUNS[0])
    fail = {"on": True}

    def train(experiment: Any, *before: Any) -> None:
        if fail["on"]:
            raise RuntimeError("no memory")
        run_training(experiment, *before)

    monkeypatch.setattr("headtohead.comparing.grid.run_training", train)
    with pytest.raises(UserError, match="1 of 3 experiments failed; the first error: RuntimeError: no memory"):
        compare(copied_grid)
    text = (folder / "results.md").read_text()
    assert "buda, no schedule is left out: 2 of 3 folds are finished" in text
    assert set(pd.read_csv(folder / "results.csv")["entrant"]) == {"flair-threshold"}
    assert json.loads((folder / RUNS[0] / "run.json").read_text())["status"] == "failed"
    fail["on"] = False
    compare(copied_grid)
    results = pd.read_csv(folder / "results.csv")
    assert set(results["entrant"]) == {"buda none", "flair-threshold"}
    assert np.isfinite(results.query("score == 'dice'")["mean"]).all()


def test_leaving_one_patient_out(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    asked = options_for(tmp_path, folds="patients", fold=11)
    folds = folds_of(asked.data, phantom_cohort)
    assert folds is not None and len(folds) == phantom_cohort.table["patient"].nunique()
    assert len(open_experiment(asked, phantom_cohort).split.cases(phantom_cohort, "test")) == 1
