"""Options of one model alone: they reach that model's experiments, and mistakes are refused in a line at once."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.cohort import Cohort
from headtohead.comparing.experiment import open_experiment, run_folder, settings_of, trained_model
from headtohead.comparing.grid import experiments_of
from headtohead.comparing.model_settings import own_settings, with_own_settings
from headtohead.comparing.training import train
from headtohead.errors import UserError
from headtohead.options import table as option_table
from headtohead.options.table import Options
from headtohead.parsing import parse

SMALL = ["resnext.image_size=64", "resnext.num_epochs=2"]


@pytest.fixture
def asked(options_for: Any, tmp_path: Path) -> Options:
    return options_for(tmp_path, models=["buda", "resnext"], schedules=["none"], seeds=[0, 1], model_settings=SMALL)


def test_they_reach_all_experiments_of_their_model_and_no_other(asked: Options) -> None:
    seen = {
        (one.model.model, one.training.seed): (one.input.image_size, one.training.num_epochs)
        for one in experiments_of(asked)
    }
    assert seen == {("buda", 0): (32, 3), ("buda", 1): (32, 3), ("resnext", 0): (64, 2), ("resnext", 1): (64, 2)}


def test_a_run_keeps_what_was_in_effect(asked: Options, phantom_cohort: Cohort) -> None:
    experiment = open_experiment(experiments_of(asked)[-1], phantom_cohort)
    assert experiment.recipe.image_size == 64
    stored = settings_of(experiment.options)
    assert (stored["image_size"], stored["num_epochs"], stored["model"]) == (64, 2, "resnext")


def test_one_trained_by_hand_is_that_of_the_grid(
    asked: Options, spared: dict[str, Any], phantom_cohort: Cohort
) -> None:
    one = option_table.replace(asked, model="resnext", width=0)
    with pytest.raises(spared["exception"]):
        train(one)
    assert spared["batches"].recipe.image_size == 64 and spared["trainer"].max_epochs == 2
    assert with_own_settings(option_table.replace(asked, model="buda"), "buda").input.image_size == 32


@pytest.mark.parametrize("value", ["resnext.num_epochs=2,resnext.learning_rate=1e-4,buda.optimizer=sgd", ""])
def test_flags_and_yaml_mean_the_same(value: str, tmp_path: Path) -> None:
    flags = parse(["--compare", "--models", "buda,resnext", "--model_settings", value])
    (tmp_path / "a.yaml").write_text(f"models: [buda, resnext]\nmodel_settings: [{value}]\n")
    assert parse(["--compare", "--config", str(tmp_path / "a.yaml")]) == flags
    expected = {"num_epochs": 2, "learning_rate": 1e-4} if value else {}
    assert own_settings(flags.comparison.model_settings, "resnext") == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("resnxt.num_epochs=2", "`model_settings` resnxt: no such model; did you mean resnext?"),
        ("unet.num_epochs=2", "`model_settings` unet.num_epochs=2: unet is not in `models` buda,resnext; add it"),
        ("resnext.num_epoch=2", "`model_settings` resnext.num_epoch: no such option; did you mean num_epochs?"),
        ("resnext.num_epochs=two", "`model_settings` resnext.num_epochs two: takes a whole number"),
        ("resnext.optimizer=adm", "`model_settings` resnext.optimizer adm: not one of adamax, "),
        ("resnext.image_size=40", "`model_settings` resnext.image_size 40: resnext needs a multiple of 32"),
        ("resnext.folds=3", "`model_settings` resnext.folds=3: folds cannot differ between the models of a comparison"),
        ("resnext.root_dir=x", "root_dir cannot differ between the models"),
        ("resnext.seed=3", "seed cannot differ between the models"),
        ("resnext.train=True", "train cannot differ between the models"),
        ("resnext.width=8", "`model_settings` resnext.width: resnext has no such setting"),
        ("buda.encoder_weights=imagenet", "`model_settings` buda.encoder_weights: buda has no such setting"),
        ("resnext.seed", "--model_settings resnext.seed: must have the form MODEL.OPTION=VALUE"),
        ("num_epochs=3", "must have the form MODEL.OPTION=VALUE"),
        ("buda.num_epochs=2,buda.num_epochs=3", "buda.num_epochs is given twice"),
        ("buda.num_epochs=2,buda.num_epochs=2", "buda.num_epochs=2 is given twice"),
    ],
)
def test_mistakes_are_refused_before_anything_is_begun(settings: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(["--compare", "--models", "buda,resnext", "--model_settings", settings])
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_size_that_only_others_can_have_is_mended_by_a_setting() -> None:
    argv = ["--compare", "--models", "buda,resnext", "--image_size", "48"]
    with pytest.raises(UserError, match="resnext needs a multiple of 32"):
        parse(argv)
    assert parse([*argv, "--model_settings", "resnext.image_size=64"]).input.image_size == 48


@pytest.mark.parametrize("setting", ["sequence_dropout=0", "channel_order=bgr", "neighbours=2"])
def test_a_model_that_sees_one_sequence_takes_no_setting_of_several(setting: str) -> None:
    with pytest.raises(UserError, match=f"fetal_unet.{setting.split('=')[0]}: fetal_unet has no such setting"):
        parse(["--train", "--model", "fetal_unet", "--model_settings", f"fetal_unet.{setting}"])


def test_a_test_of_a_named_run_takes_the_settings_of_its_model(asked: Options) -> None:
    named = option_table.replace(asked, model="", run_name="mine")
    folder = run_folder(named)
    folder.path.mkdir(parents=True)
    assert trained_model(named) == "unet"
    folder.write_config({"model": "resnext"})
    assert trained_model(named) == "resnext"
    assert trained_model(option_table.replace(named, model="buda")) == "buda"
