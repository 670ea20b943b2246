"""A training that starts from weights that exist: what it takes over, freezes, records and refuses, and resuming it."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from headtohead.cohort import Cohort
from headtohead.comparing import grid, training
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.starting import refuse_start
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.learning.module import SegmentationModule
from headtohead.models.parts import layer_name, net_parts
from headtohead.models.registry import build_model
from headtohead.options import table
from headtohead.runs.record import read_record
from headtohead.trained.bundle import write_bundle
from headtohead.trained.facts import read_facts
from headtohead.trained.shipped import SHIPPED
from headtohead.trained.source import open_source
from tests.models.nets_of_others import write_net

EPOCHS, THAW = 4, 2
RATE = 0.1
ENCODER = frozenset(net_parts(build_model("buda", 5, 2))["encoder"])


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of another number of channels and targets, as another program saves them."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("start") / "other.pt"
    torch.save({"epoch": 3, "model_state_dict": build_model("buda", 3, 2, out_channels=2).state_dict()}, path)
    return path


def tuned(options_for: Any, cohort: Cohort, place: Path, start: Path | str, **changes: Any) -> Experiment:
    wanted = {"num_epochs": EPOCHS, "init_from": str(start), "freeze": "encoder", "thaw_epoch": THAW}
    return open_experiment(options_for(place, **wanted | {"old_layers_rate": RATE, **changes}), cohort)


@pytest.fixture
def each_last(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """The weights of the net at the beginning of each epoch that is trained."""
    found: list[dict[str, torch.Tensor]] = []
    begin = SegmentationModule.on_train_epoch_start

    def noted(module: SegmentationModule) -> None:
        found.append({name: value.clone() for name, value in module.model.state_dict().items()})
        begin(module)

    monkeypatch.setattr(SegmentationModule, "on_train_epoch_start", noted)
    return found


@pytest.fixture
def no_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "keep_model", lambda _: None)


def die_in(epoch: int, patch: pytest.MonkeyPatch) -> None:
    step = SegmentationModule.training_step

    def deadly(self: SegmentationModule, batch: Any, index: int) -> Any:
        if self.current_epoch == epoch and index == 2:
            raise KeyboardInterrupt
        return step(self, batch, index)

    patch.setattr(SegmentationModule, "training_step", deadly)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("no_onnx")
def test_a_fine_tuning_freezes_thaws_and_goes_on_where_it_was_stopped(
    start: Path,
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Path,
    same_weights: Any,
    metrics_of: Any,
    each_last: list[dict[str, torch.Tensor]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stopped while frozen, as it thaws, and thawed; the weights that it started from are gone by then."""
    whole = tuned(options_for, phantom_cohort, tmp_path / "whole", start)
    run_training(whole)
    said = capsys.readouterr()
    assert "40 of 41 layers" in said.out and "3 input channels averaged and repeated for 5" in said.out
    assert f"warning: --init_from {start}: nothing says which cases it was trained on" in said.err

    stored = torch.load(start, weights_only=True)["model_state_dict"]
    for epoch, now in enumerate([*each_last[1:], torch.load(whole.folder.last, weights_only=True)["state_dict"]], 1):
        now = {name.removeprefix("model."): value for name, value in now.items()}
        same = {layer_name(name) for name in stored if torch.equal(now[name], each_last[0][name])}
        assert same >= ENCODER if epoch <= THAW else not ENCODER & same, "statistics of batch norm as well"
    first = each_last[0]
    assert all(
        torch.equal(first[name], stored[name]) for name in stored if "enc1conv1" not in name and name[:5] != "conv."
    )
    average = stored["encoder1.enc1conv1.weight"].sum(dim=1, keepdim=True) / 5
    assert torch.equal(first["encoder1.enc1conv1.weight"], average.expand(-1, 5, -1, -1))

    copied = tmp_path / "gone.pt"
    shutil.copy(start, copied)
    stopped = tuned(options_for, phantom_cohort, tmp_path / "stopped", copied)
    for epoch in (1, 2, 3):
        with pytest.MonkeyPatch.context() as patch:
            die_in(epoch, patch)
            with pytest.raises((KeyboardInterrupt, SystemExit)):
                run_training(stopped)
        copied.unlink(missing_ok=True)
    run_training(stopped)
    assert same_weights(whole, stopped) and same_weights(whole, stopped, "best")
    pd.testing.assert_frame_equal(metrics_of(whole), metrics_of(stopped))
    for one in (whole, stopped):
        groups = torch.load(one.folder.last, weights_only=True)["optimizer_states"][0]["param_groups"]
        assert [group["initial_lr"] for group in groups] == [0.03, 0.03 * RATE]
    assert stopped.folder.record()["start"] == whole.folder.record()["start"] | {"from": str(copied), "name": "gone.pt"}


def test_run_json_config_and_model_json_say_where_it_started(
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    """From a run of the same split, whose test cases are its own; a later start knows the cases of both."""
    one = tuned(options_for, phantom_cohort, tmp_path, finished.folder.path, num_epochs=1, thaw_epoch=0, run_name="one")
    run_training(one)
    run_test(one)
    record = read_record(one.folder.path)
    best = finished.folder.best.read_bytes()
    whole = sum(weight.numel() for weight in build_model("buda", 5, 2).parameters())
    assert record["start"] == {
        "from": str(finished.folder.path),
        "kind": "run",
        "name": f"single/{finished.name}",
        "sha256": hashlib.sha256(best).hexdigest(),
        **dict.fromkeys(("layers", "of_layers"), 41),
        **dict.fromkeys(("weights", "of_weights"), whole),
        **{name: [] for name in ("adapted", "new")},
        "training_cases": "known",
        "warning": "",
    }
    assert (record["frozen"], record["thaw_epoch"], record["old_layers_rate"]) == ("encoder", 0, RATE)
    assert one.folder.read_config()["init_from"] == str(finished.folder.path)
    names = phantom_cohort.table["case"]
    seen = {str(names.iloc[case]) for part in ("train", "val") for case in one.split.cases(phantom_cohort, part)}
    facts = read_facts(one.folder.path)
    assert set(record["seen_before"]) == set(facts.data["parts"]["start"]) == seen
    assert facts.data["start"] == {name: record["start"][name] for name in ("name", "sha256", "training_cases")}
    assert open_experiment(one.options).folder.record()["parameters"] == whole, "frozen ones are counted, too"


def test_weights_that_saw_test_cases_are_refused(
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    """Of the run, of its bundle, of the files of both, in a training and before a grid; nothing is written."""
    bundle = write_bundle(open_source(finished.folder.path), tmp_path / "bundle")
    names = phantom_cohort.table["case"]
    seen = {str(names.iloc[case]) for part in ("train", "val") for case in finished.split.cases(phantom_cohort, part)}
    files = [finished.folder.path, finished.folder.best, bundle, bundle / "weights.safetensors"]
    for place in files:
        other = tuned(options_for, phantom_cohort, tmp_path / "runs", place, split_seed=3)
        tested = [str(names.iloc[case]) for case in other.split.cases(phantom_cohort, "test")]
        leaking = [case for case in tested if case in seen]
        assert leaking
        said = f"trained on or chosen by {len(leaking)} of the {len(tested)} test cases? of this split .{leaking[0]}"
        with pytest.raises(UserError, match=rf"^`init_from` .*{said}.*start from a run of the same split"):
            run_training(other)
    with pytest.raises(UserError, match="would be no test"):
        grid.compare(option_replace(other, models=["buda"], schedules=["none"]))
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").rglob("run.json"))


def option_replace(experiment: Experiment, **changes: Any) -> Any:
    return table.replace(experiment.options, **changes)


@pytest.mark.usefixtures("no_onnx")
def unbuilt(_: Experiment) -> Any:
    raise AssertionError("no net is needed where nothing is matched")


def test_a_grid_with_a_model_that_cannot_start_so_trains_none(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    wanted = tuned(options_for, phantom_cohort, tmp_path, "shipped", width=16, freeze="", thaw_epoch=0)
    both = option_replace(wanted, models=["buda", "unet"], schedules=["none"])
    with pytest.raises(UserError, match=r"write `model` buda, or .*\(`model_settings` buda\.init_from=\.\.\.\)"):
        grid.compare(both)
    assert not list(tmp_path.rglob("run.json"))


def test_a_grid_with_a_model_that_cannot_be_frozen_so_trains_none(
    start: Path, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    """The first can; the second has no such part, or starts it from random weights."""
    path = write_net(tmp_path / "nets")
    torch.save(build_model(f"{path}:Net", 5).state_dict(), tmp_path / "own.pt")
    settings = [f"{path}:Net.init_from={tmp_path / 'own.pt'}"]
    wanted = tuned(options_for, phantom_cohort, tmp_path / "runs", start, schedules=["none"], model_settings=settings)
    with pytest.raises(
        UserError, match=r"^`freeze` encoder \(mynet\.py:Net\): the net has no part encoder; write head"
    ):
        grid.compare(option_replace(wanted, models=["buda", f"{path}:Net"]))
    with pytest.raises(UserError, match=r"^`freeze` decoder,head \(buda\): conv has no weights to keep"):
        grid.compare(option_replace(wanted, models=["buda"], freeze="decoder,head", model_settings=[]))
    assert not list(tmp_path.rglob("run.json"))


def test_a_grid_asks_for_no_start_that_it_needs_no_more(
    copied: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    """Of a finished run, though its last checkpoint is gone, of one that goes on, and of one that is damaged."""
    gone = option_experiment(copied, init_from="nowhere")
    copied.folder.last.unlink()
    refuse_start(gone, unbuilt)
    copied.folder.note(status="running")
    with pytest.raises(UserError, match="`init_from` nowhere: no such run"):
        refuse_start(gone, unbuilt)
    copied.folder.last.touch()
    refuse_start(gone, unbuilt)
    with pytest.raises(UserError, match="`init_from` nowhere: no such run"):
        refuse_start(option_experiment(gone, overwrite=True), unbuilt)
    copied.folder.last.unlink()
    (copied.folder.path / "run.json").write_text("{")
    refuse_start(gone, unbuilt)


def test_what_the_start_of_a_start_saw_counts_as_well(
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    """The first one's training cases are among the test cases here, those of the second are not."""
    second = tmp_path / "second"
    shutil.copytree(finished.folder.path, second)
    other = tuned(options_for, phantom_cohort, tmp_path, second, split_seed=3)
    names = phantom_cohort.table["case"]
    tested = {str(names.iloc[case]) for case in other.split.cases(phantom_cohort, "test")}
    split = pd.read_csv(second / "split.csv")
    split[~split["case"].isin(tested)].to_csv(second / "split.csv", index=False)
    record = json.loads((second / "run.json").read_text())
    (second / "run.json").write_text(json.dumps(record | {"seen_before": sorted(tested)}))
    with pytest.raises(UserError, match=f"chosen by {len(tested)} of the {len(tested)} test case"):
        run_training(other)
    (second / "run.json").write_text(json.dumps(record))
    run_training(option_experiment(other, num_epochs=1, thaw_epoch=0))


def option_experiment(experiment: Experiment, **changes: Any) -> Experiment:
    return open_experiment(option_replace(experiment, **changes), experiment.cohort)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"init_from": "nowhere"}, "`init_from` nowhere: no such run folder, bundle or file"),
        ({"init_from": "shipped"}, r"`init_from` shipped \(buda of width 16\): .*write `width` 16"),
        ({"init_from": "shipped", "model": "unet"}, r"`init_from` shipped \(buda of width 16\): none of its 41 layers"),
        ({"freeze": "encoder,head"}, "`freeze` encoder,head: conv has no weights to keep"),
        ({"freeze": "nose"}, "`freeze` nose: the net has no part nose"),
        ({"init_from": "", "freeze": "encoder"}, "`freeze` encoder: encoder1.enc1conv1 has no weights to keep"),
    ],
)
def test_a_start_that_cannot_be_leaves_nothing_behind(
    change: dict[str, Any], said: str, start: Path, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        run_training(tuned(options_for, phantom_cohort, tmp_path, start, **change))
    assert not list(tmp_path.iterdir())


def test_fold_and_seed_stand_in_the_name_of_the_start(
    finished: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, spared: dict[str, Any]
) -> None:
    """A run is found below `runs_dir` by comparison and name."""
    shutil.copytree(finished.folder.path, tmp_path / "before" / "buda-s0-f0")
    experiment = tuned(options_for, phantom_cohort, tmp_path, "before/buda-s{seed}-f{fold}")
    with pytest.raises(spared["exception"]):
        run_training(experiment)
    stored = torch.load(finished.folder.best, weights_only=True)["state_dict"]
    assert torch.equal(spared["module"].model.conv.weight, stored["model.conv.weight"])
    with pytest.raises(UserError, match="`init_from` before/buda-s4-f0: no such run folder"):
        run_training(option_experiment(experiment, seed=4))


def test_the_shipped_model_is_a_start(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Path, spared: dict[str, Any]
) -> None:
    experiment = tuned(options_for, phantom_cohort, tmp_path, "shipped", width=16, freeze="all-but-head")
    with pytest.raises(spared["exception"]):
        run_training(experiment)
    stored = open_source(SHIPPED).weights()
    assert all(torch.equal(value, stored[name]) for name, value in spared["module"].model.state_dict().items())
    assert experiment.folder.record()["start"]["new"] == []
