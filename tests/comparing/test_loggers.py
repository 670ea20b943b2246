"""The curves in each logger's files are whole: after a break and a resume they are those of a training without one."""

import json
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headtohead import cli
from headtohead.cohort import Cohort
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.training import run_test, run_training
from headtohead.learning.callbacks import WholeFiles
from headtohead.reporting import absent_loggers

Curves = dict[str, list[tuple[int, float]]]


def of_tensorboard(folder: Path) -> Curves:
    events = EventAccumulator(str(folder)).Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def of_csv(folder: Path) -> Curves:
    table = pd.read_csv(folder / "loggers" / "csv" / "metrics.csv")
    return {
        tag: [(int(step), float(value)) for step, value in table[["step", tag]].dropna().to_numpy()]
        for tag in table.columns.drop("step")
    }


def of_mlflow(folder: Path) -> Curves:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'loggers' / 'mlflow' / 'mlflow.db'}")
    [experiment] = [one for one in client.search_experiments() if one.name != "Default"]
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED" and run.data.params["model"] == "buda"
    return {
        tag: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, tag)]
        for tag in run.data.metrics
    }


def of_wandb(folder: Path) -> Curves:
    """Read the one file of the one offline run; each record of its history is a point."""
    from wandb.proto import wandb_internal_pb2

    [path] = (folder / "loggers" / "wandb").glob("wandb/offline-run-*/*.wandb")
    curves = Curves()
    for data in records_of(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        point = {".".join(it.nested_key) or it.key: json.loads(it.value_json) for it in record.history.item}
        for tag in point.keys() - {"trainer/global_step"}:
            if not tag.startswith("_"):
                curves.setdefault(tag, []).append((point["trainer/global_step"], point[tag]))
    return curves


def records_of(content: bytes) -> Iterator[bytes]:
    """Cut a log in LevelDB's format into records: after 7 bytes, blocks of 32 KiB with pieces that have a header."""
    place, whole = 7, b""
    while place < len(content):
        if (left := 2**15 - place % 2**15) < 7:
            place += left
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or last
            yield whole
            whole = b""


READ: dict[str, Callable[[Path], Curves]] = {
    "tensorboard": of_tensorboard,
    "csv": of_csv,
    "mlflow": of_mlflow,
    "wandb": of_wandb,
}


@pytest.fixture(scope="module")
def ended(options_for: Any, phantom_cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Trained with all loggers that are installed, and broken off twice.

    It is broken off as the checkpoint of the first epoch is written, before it is there; and after the second.
    """
    loggers = ",".join(name for name in READ if not missing(name))
    ended = open_experiment(options_for(tmp_path_factory.mktemp("ended"), loggers=loggers), phantom_cohort)
    save = WholeFiles.save_checkpoint
    for epoch, kept in ((0, False), (1, True)):

        def deadly(
            self: Any, checkpoint: Any, path: Any, *given: Any, due: int = epoch, kept: bool = kept, **named: Any
        ) -> None:
            last = Path(path).name == "last.ckpt" and checkpoint["epoch"] == due
            if not last or kept:
                save(self, checkpoint, path, *given, **named)
            if last:
                raise OSError("ended")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(WholeFiles, "save_checkpoint", deadly)
            with pytest.raises(OSError, match="ended"):
                run_training(ended)
        time.sleep(1.1)  # TensorBoard reads files of one second by the number of their writer: 10 before 9
    run_training(ended)
    return ended


def missing(name: str) -> bool:
    return any(find_spec(package) is None for package in absent_loggers.PACKAGES.get(name, ()))


def assert_alike(one: Curves, other: Curves) -> None:
    for tag in ("learning_rate", "loss/train", "loss/val", "dice/train", "dice/val"):
        assert [step for step, _ in one[tag]] == [step for step, _ in other[tag]], tag
        assert [value for _, value in one[tag]] == pytest.approx([value for _, value in other[tag]], rel=1e-6), tag


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:The ``noload``")  # MLflow's own
@pytest.mark.parametrize("name", READ)
def test_curves_are_whole_after_breaks(name: str, finished: Experiment, ended: Experiment) -> None:
    if missing(name):
        pytest.skip(f"{name} is an extra that is not installed here")
    true = of_tensorboard(finished.folder.path)
    assert len(true["dice/val"]) == 3 and len(true["learning_rate"]) > 3
    assert_alike(READ[name](ended.folder.path), true)
    assert not (finished.folder.path / "loggers").exists(), "by default there is TensorBoard alone"


def test_without_tensorboard_there_are_no_events(options_for: Any, phantom_cohort: Cohort, tmp_path: Path) -> None:
    other = open_experiment(options_for(tmp_path, loggers="csv", num_epochs=1), phantom_cohort)
    run_training(other)
    run_test(other)
    assert not list(other.folder.path.glob("events.*"))
    assert len(of_csv(other.folder.path)["dice/val"]) == 1


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_an_absent_package_is_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(absent_loggers, "find_spec", lambda _: None)
    words = ["--train", "--root_dir", str(tmp_path), "--data", "lgg", "--runs_dir", str(tmp_path / "runs")]
    assert cli.main([*words, "--loggers", f"tensorboard,{name}"]) == 2
    said = capsys.readouterr().err
    assert f"--loggers {name}: the package {name} is not installed; run pip install" in said
    assert not (tmp_path / "runs").exists()
