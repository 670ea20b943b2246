"""A run folder under other options or data: refused, kept or made anew; and a test that takes its options from it."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headtohead.cohort import open_cohort
from headtohead.comparing import training
from headtohead.comparing.experiment import Experiment, as_trained, open_experiment, refuse_other_run
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.runs.folder import RunFolder
from headtohead.scoring.protocol import PROTOCOL, SAME_PREDICTIONS_SINCE


def changed(experiment: Experiment, **changes: Any) -> Experiment:
    return open_experiment(option_table.replace(experiment.options, **changes), experiment.cohort)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_epochs": 9}, "`num_epochs` 3, now 9"),
        ({"learning_rate": 0.02}, "`learning_rate` 0.03, now 0.02"),
        ({"normalise": "unit"}, "`normalise` inner, now unit"),
        ({"threshold": 0.5}, "`threshold` 0.3, now 0.5"),
        ({"width": 4}, "`width` 2, now 4"),
        ({"augmentation": "none"}, "`augmentation` standard, now none"),
    ],
)
@pytest.mark.parametrize("carry_out", [run_training, run_test])
def test_other_options_under_the_same_name_are_refused(
    copied: Experiment, carry_out: Callable[[Experiment], None], change: dict[str, Any], said: str
) -> None:
    before = copied.folder.config.read_bytes()
    with pytest.raises(UserError) as caught:
        carry_out(changed(copied, **change))
    assert said in str(caught.value)
    assert ("`overwrite`" in str(caught.value)) == (carry_out is run_training), "--test does not take it"
    assert copied.folder.config.read_bytes() == before


def test_another_split_under_the_same_name_is_refused(copied: Experiment) -> None:
    with pytest.raises(UserError, match=r"made with `split(_seed)?` "):
        run_training(changed(copied, split_seed=5))


def test_changed_data_are_refused(copied: Experiment, tmp_path: Path, phantom_root: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(phantom_root, moved)
    run_training(open_experiment(option_table.replace(copied.options, root_dir=str(moved))))  # the same data elsewhere
    masks = sorted(moved.rglob("*_mask.tif"))
    shutil.copyfile(next(mask for mask in masks if mask.read_bytes() != masks[0].read_bytes()), masks[0])
    cohort = open_cohort(moved, Path(copied.options.data.cache_dir))
    assert cohort.key != copied.cohort.key
    with pytest.raises(UserError, match=r"made from other data \(.*`overwrite`"):
        run_training(open_experiment(option_table.replace(copied.options, root_dir=str(moved)), cohort))


def test_what_does_not_touch_the_result_may_differ(copied: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    run_training(changed(copied, num_workers=2, gpus="auto", models=["unet"], seeds=[7], output="x", debug=True))
    assert "already trained" in capsys.readouterr().out


def test_overwrite_trains_anew(copied: Experiment, spared: dict[str, Any]) -> None:
    stale = copied.folder.path / "stale"
    stale.touch()
    with pytest.raises(spared["exception"]):
        run_training(changed(copied, overwrite=True, num_epochs=7))
    assert spared["trainer"].max_epochs == 7
    assert not stale.exists() and not copied.folder.last.exists()


def test_overwrite_removes_nothing_that_a_report_is_reading(
    copied: Experiment, spared: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []

    @contextmanager
    def held(folder: Path) -> Iterator[None]:
        seen.append((f"{folder.name} held", copied.folder.path.exists()))
        yield
        seen.append(("let go", copied.folder.path.exists()))

    monkeypatch.setattr(training, "comparison_held", held)
    with pytest.raises(spared["exception"]):
        run_training(changed(copied, overwrite=True))
    assert seen == [(f"{copied.folder.path.parent.name} held", True), ("let go", False)]


def test_overwrite_spares_what_was_trained_while_it_waited(
    copied: Experiment, spared: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    anew = dataclasses.replace(copied, options=option_table.replace(copied.options, overwrite=True))
    before = copied.folder.made()
    copied.folder.note(started="later", status="trained")
    run_training(anew, before)
    assert "already trained, kept" in capsys.readouterr().out and "trainer" not in spared
    with pytest.raises(spared["exception"]):
        run_training(anew, copied.folder.made())


def test_a_test_needs_no_option_of_the_training_again(options_for: Any, tmp_path: Path) -> None:
    options = options_for(tmp_path, num_epochs=1)
    folder = training.train(options)
    places = {name: getattr(options.data, name) for name in ("root_dir", "cache_dir")}
    short = option_table.replace(
        option_table.Options(), **places, runs_dir=str(tmp_path), comparison=options.comparison.comparison,
        run_name=folder.name,
    )  # fmt: skip
    record = RunFolder(folder).record()
    RunFolder(folder).note(protocol=record["protocol"] | {"version": SAME_PREDICTIONS_SINCE})
    assert training.test(short) == folder
    assert RunFolder(folder).record()["protocol"] == PROTOCOL, "scored as now, and it says so"
    with pytest.raises(UserError, match="made with `width` 2, now 4"):
        training.test(option_table.replace(short, width=4))


def test_a_run_from_before_an_option_came_is_one_made_with_its_default(copied: Experiment) -> None:
    later = ("channel_order", "test_flips", "model_settings", "case_gifs")
    config = {name: value for name, value in copied.folder.read_config().items() if name not in later}
    copied.folder.write_config(config)
    refuse_other_run(changed(copied, model_settings=["unet.seed=1"], case_gifs="all"))
    for name, value in (("test_flips", True), ("channel_order", "bgr")):
        with pytest.raises(
            UserError, match=rf"made with `{name}` {not value if value is True else 'rgb'}, now {value}"
        ):
            refuse_other_run(changed(copied, **{name: value}))
    assert as_trained(copied.options).input.channel_order == "rgb"


def test_a_default_that_is_written_out_is_not_taken_from_the_run(copied: Experiment) -> None:
    default = option_table.replace(copied.options, num_epochs=Options().training.num_epochs)
    trained = copied.options.training.num_epochs
    assert as_trained(default).training.num_epochs == trained != default.training.num_epochs
    said = dataclasses.replace(default, given=frozenset({"num_epochs"}))
    with pytest.raises(UserError, match=f"made with `num_epochs` {trained}, now {default.training.num_epochs}"):
        refuse_other_run(dataclasses.replace(copied, options=as_trained(said)))


@pytest.mark.parametrize(("name", "value"), [("num_epochs", "many"), ("learning_rate", [1]), ("batch_size", {"a": 1})])
def test_an_option_of_a_wrong_kind_in_the_run_is_named(copied: Experiment, name: str, value: object) -> None:
    copied.folder.write_config(copied.folder.read_config() | {name: value})
    default = option_table.flat(Options())[name]
    with pytest.raises(UserError, match=rf"config\.yaml: {name} .*: takes a"):
        as_trained(option_table.replace(copied.options, **{name: default}))
