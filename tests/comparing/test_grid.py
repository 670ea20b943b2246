"""The grid: every combination once, what is finished is kept, what fails does not take the others down."""

import errno
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

from headtohead.batches.folds import make_folds
from headtohead.cohort import Cohort
from headtohead.comparing import grid
from headtohead.comparing.experiment import open_experiment, run_folder, settings_of
from headtohead.comparing.grid import compare, experiments_of, keep_folds
from headtohead.comparing.training import run_training
from headtohead.errors import UserError
from headtohead.learning import module as module_of_learning
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.runs.folder import RunFolder

TINY = {"models": ["buda", "unet"], "schedules": ["none"], "num_epochs": 1, "batch_size": 32, "comparison": "tiny"}


@pytest.fixture
def wanted(options_for: Any, tmp_path: Path) -> Options:
    return options_for(tmp_path, **TINY)


@pytest.fixture
def no_unet(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let every `unet` fail when it is built."""
    build = module_of_learning.build_model

    def fail(name: str, *given: Any, **named: Any) -> Any:
        if name == "unet":
            raise RuntimeError("no memory\nat all")
        return build(name, *given, **named)

    monkeypatch.setattr(module_of_learning, "build_model", fail)
    return monkeypatch


def status(folder: Path, name: str) -> str:
    return RunFolder(folder / name).record()["status"]


def test_every_combination_once(options_for: Any, tmp_path: Path) -> None:
    asked = options_for(tmp_path, models=["unet", "resnext"], schedules=["none", "cosine"], seeds=[0, 4], run_name="x")
    found = experiments_of(asked)
    names = [(one.model.model, one.training.lr_scheduler, one.training.seed) for one in found]
    assert names == [(m, s, i) for m in ("unet", "resnext") for s in ("none", "cosine") for i in (0, 4)]
    assert {one.comparison.run_name for one in found} == {""}, "one name for all would mix them in one folder"
    assert {one.data.fold for one in found} == {0}


def test_every_fold_of_every_combination_once(options_for: Any, tmp_path: Path) -> None:
    asked = options_for(tmp_path, models=["unet", "resnext"], schedules=["none"], seeds=[0, 4], folds="3")
    found = experiments_of(asked, folds=3)
    names = [(one.model.model, one.training.seed, one.data.fold) for one in found]
    assert names == [(m, s, k) for m in ("unet", "resnext") for s in (0, 4) for k in range(3)]
    assert len({run_folder(one).path for one in found}) == len(found)


def test_a_comparison_without_a_name_keeps_apart_from_runs_made_one_by_one(options_for: Any, tmp_path: Path) -> None:
    unnamed = options_for(tmp_path, comparison="")
    assert {one.comparison.home.name for one in experiments_of(unnamed)} == {"grid"}
    assert unnamed.comparison.home.name == "single"


def test_a_setting_that_a_model_does_not_know_does_not_stop_the_others(options_for: Any, tmp_path: Path) -> None:
    asked = options_for(tmp_path, models=["unet", "resnext"], schedules=["none"], width=4, encoder_weights="imagenet")
    given = {one.model.model: (one.model.width, one.model.encoder_weights) for one in experiments_of(asked)}
    assert given == {"unet": (4, "none"), "resnext": (0, "imagenet")}


def test_one_that_fails_is_reported_and_tried_again_while_the_finished_is_kept(
    wanted: Options, no_unet: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = option_table.replace(wanted, models=["unet", "buda"])  # the one that fails comes first
    with pytest.raises(UserError, match="1 of 2 experiments failed; the first error: RuntimeError: no memory"):
        compare(wanted)
    folder = Path(wanted.comparison.runs_dir, "tiny")
    said = capsys.readouterr().out
    assert "unet-none-s0-f0: FAILED: RuntimeError: no memory\n" in said
    assert status(folder, "unet-none-s0-f0") == "failed"
    assert status(folder, "buda-none-s0-f0") == status(folder, "flair-threshold") == "finished"
    assert {"results.csv", "results.md", "results.tex", "report.html"} <= {path.name for path in folder.iterdir()}
    assert set(pd.read_csv(folder / "cases.csv")["model"]) == {"buda", "flair-threshold"}
    assert set(pd.read_csv(folder / "results.csv")["entrant"]) == {"buda none", "flair-threshold"}

    no_unet.undo()
    before = (folder / "buda-none-s0-f0" / "run.json").read_bytes()
    compare(wanted)
    said = capsys.readouterr().out
    assert "buda-none-s0-f0: finished, kept" in said
    assert (folder / "buda-none-s0-f0" / "run.json").read_bytes() == before
    assert status(folder, "unet-none-s0-f0") == "finished"
    assert RunFolder(folder / "unet-none-s0-f0").record()["error"] is None
    assert set(pd.read_csv(folder / "cases.csv")["model"]) == {"buda", "unet", "flair-threshold"}
    assert set(pd.read_csv(folder / "results.csv")["entrant"]) == {"buda none", "unet none", "flair-threshold"}

    with pytest.raises(UserError, match=r"-none-s0-f0: made with `num_epochs` 1, now 2; .*`overwrite`"):
        compare(option_table.replace(wanted, num_epochs=2))


def test_all_failed_is_an_error(options_for: Any, tmp_path: Path, no_unet: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="`compare`: every experiment failed; the first error: RuntimeError: no memory"):
        compare(options_for(tmp_path, **(TINY | {"models": ["unet"]})))
    assert set(pd.read_csv(tmp_path / "tiny" / "results.csv")["entrant"]) == {"flair-threshold"}


def test_no_room_for_its_lock_fails_an_experiment_alone(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(lock: FileLock, **_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", lock.lock_file)

    monkeypatch.setattr(FileLock, "acquire", full)
    experiment = open_experiment(options_for(tmp_path), phantom_cohort)
    assert str(grid._carry_out(experiment, (), wait=False)).startswith("no space left on ")


@pytest.mark.parametrize("debug", [False, True])
def test_debug_shows_where_it_failed(
    debug: bool,
    options_for: Any,
    tmp_path: Path,
    no_unet: pytest.MonkeyPatch,
    no_report: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(UserError):
        compare(options_for(tmp_path, **(TINY | {"models": ["unet"], "debug": debug})))
    assert ("Traceback" in capsys.readouterr().err) == debug


@pytest.mark.parametrize("change", [{"image_size": 40}, {"models": ["unet", "resnxt"]}])
def test_what_cannot_work_is_refused_before_anything_is_trained(wanted: Options, change: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        compare(option_table.replace(wanted, **change))
    assert not Path(wanted.comparison.runs_dir, "tiny").exists()


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what would be trained, and take it as finished."""
    trained: list[str] = []

    def train(experiment: Any, *_: Any) -> None:
        trained.append(experiment.name)
        experiment.folder.path.mkdir(parents=True, exist_ok=True)
        experiment.folder.note(status="finished", experiment=experiment.identity)

    monkeypatch.setattr(grid, "run_training", train)
    for name in ("run_test", "run_baseline", "write_reports", "write_layout"):
        monkeypatch.setattr(grid, name, lambda *_, **__: None)
    return trained


def test_overwrite_trains_what_is_finished(wanted: Options, no_training: list[str]) -> None:
    compare(wanted)
    compare(wanted)
    assert no_training == ["buda-none-s0-f0", "unet-none-s0-f0"]
    compare(option_table.replace(wanted, overwrite=True))
    assert no_training == ["buda-none-s0-f0", "unet-none-s0-f0"] * 2


def test_what_another_process_is_at_comes_last_and_is_not_repeated(
    wanted: Options, no_training: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other one finishes while this one waits."""
    folder = RunFolder(Path(wanted.comparison.runs_dir) / "tiny" / "buda-none-s0-f0")
    taken, waiting = threading.Event(), threading.Event()

    def other_process() -> None:
        with folder.held(wait=False):
            taken.set()
            waiting.wait(20)
            folder.note(status="finished")

    other = threading.Thread(target=other_process)
    other.start()
    taken.wait(20)

    def noticed(*words: Any) -> None:
        print(*words)
        if "another process is working on it" in str(words[0]):
            waiting.set()

    monkeypatch.setattr(grid, "print", noticed, raising=False)
    try:
        compare(wanted)
    finally:
        waiting.set()
        other.join()
    assert no_training == ["unet-none-s0-f0"]
    said = capsys.readouterr().out
    assert said.index("another process is working on it; waiting") < said.index("buda-none-s0-f0: finished, kept")


def test_overwrite_spares_what_another_process_finished_since(wanted: Options, no_training: list[str]) -> None:
    compare(wanted)
    asked = option_table.replace(wanted, overwrite=True)
    other = RunFolder(Path(wanted.comparison.runs_dir) / "tiny" / "unet-none-s0-f0")
    train = grid.run_training

    def both(experiment: Any, *given: Any) -> None:
        """While this one trains the first, the other process trains the second."""
        other.note(status="finished", started="later", ended="later still")
        train(experiment, *given)

    no_training.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "run_training", both)
        compare(asked)
    assert no_training == ["buda-none-s0-f0"]
    no_training.clear()
    other.write_config(settings_of(experiments_of(wanted)[1]) | {"num_epochs": 7})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "run_training", both)
        other.note(started="before")
        compare(asked)
    assert no_training == ["buda-none-s0-f0", "unet-none-s0-f0"], "what it finished is another experiment"


def test_a_trained_one_is_only_scored(wanted: Options, no_report: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between training and test."""
    one = option_table.replace(wanted, models=["buda"])
    experiment = open_experiment(experiments_of(one)[0])
    run_training(experiment)
    monkeypatch.setattr(module_of_learning.pl.Trainer, "fit", None)
    folder = compare(one)
    assert status(folder, "buda-none-s0-f0") == "finished"
    assert "seconds" in RunFolder(folder / "buda-none-s0-f0").record()


def test_runs_of_other_data_are_refused_before_anything_is_written(wanted: Options, no_report: None) -> None:
    wanted = option_table.replace(wanted, models=["buda"])
    folder = compare(wanted)
    baseline = (folder / "flair-threshold" / "run.json").read_bytes()
    other = option_table.replace(wanted, models=["unet"], split_seed=1)
    with pytest.raises(UserError, match="differs in split from what is asked for"):
        compare(other)
    assert (folder / "flair-threshold" / "run.json").read_bytes() == baseline
    assert not (folder / "unet-none-s0-f0").exists()


def test_overwrite_keeps_the_old_run_where_the_new_one_is_refused(wanted: Options, no_report: None) -> None:
    folder = compare(wanted)
    before = (folder / "buda-none-s0-f0" / "run.json").read_bytes()
    wrong = option_table.replace(wanted, overwrite=True, image_size=40)
    with pytest.raises(UserError):
        compare(wrong)
    assert (folder / "buda-none-s0-f0" / "run.json").read_bytes() == before


def test_an_edited_table_of_folds_is_not_put_back(phantom_cohort: Cohort, tmp_path: Path) -> None:
    folds, others = (make_folds(phantom_cohort, "3", seed) for seed in (0, 1))
    path = tmp_path / "folds.csv"
    keep_folds(folds, path, phantom_cohort, overwrite=False)
    keep_folds(folds, path, phantom_cohort, overwrite=False)
    before = path.read_bytes()
    with pytest.raises(UserError, match="holds other folds than the options ask for; use it with `fold_file`"):
        keep_folds(others, path, phantom_cohort, overwrite=False)
    assert path.read_bytes() == before
    keep_folds(others, path, phantom_cohort, overwrite=True)
    assert path.read_bytes() != before
