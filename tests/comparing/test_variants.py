"""One model under several settings in one comparison, and sequences that a model is not shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.batches.augmentation import droppable
from headtohead.batches.datamodule import SliceDataset
from headtohead.cli import main
from headtohead.cohort import Cohort
from headtohead.comparing.experiment import open_experiment, run_folder, settings_of
from headtohead.comparing.grid import experiments_of
from headtohead.comparing.variants import variants_of
from headtohead.errors import UserError
from headtohead.options import table as option_table
from headtohead.parsing import parse
from headtohead.preparing.recipe import InputRecipe, chain_of
from headtohead.readers.lgg import TASK

BLIND = "blind=buda.inputs=flair"


def test_a_variant_is_an_entrant_beside_its_model(options_for: Any, tmp_path: Path, phantom_cohort: Cohort) -> None:
    asked = options_for(
        tmp_path,
        models=["buda"],
        schedules=["none"],
        model_settings=["buda.num_epochs=2", "buda.batch_size=4"],
        variants=[BLIND, "blind=buda.num_epochs=5", "flat=unet.width=2"],
    )
    grid = [open_experiment(one, phantom_cohort) for one in experiments_of(asked)]
    names = [(one.identity["model"], one.identity.get("architecture"), one.name) for one in grid]
    assert names == [
        ("buda", None, "buda-none-s0-f0"),
        ("blind", "buda", "blind-none-s0-f0"),
        ("flat", "unet", "flat-none-s0-f0"),
    ]
    training = [(one.options.training.num_epochs, one.options.training.batch_size) for one in grid]
    assert training[:2] == [(2, 4), (5, 4)]
    assert [one.recipe.channels for one in grid] == [5, 3, 5], "FLAIR, and FLAIR of the slices before and after"
    again = option_table.replace(grid[1].options, entrant="blind")
    assert run_folder(again).path == grid[1].folder.path and settings_of(again)["entrant"] == "blind"


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ("unet=buda.width=2", "--variants unet: there is an entrant or a model of that name; choose another"),
        ("flair-threshold=buda.width=2", "--variants flair-threshold: there is an entrant or a model of that name"),
        ("a=buda.width=2,a=unet.num_epochs=2", "--variants a: is of buda and of unet; give each a name of its own"),
        ("a=buda.seed=2", "--variants a: buda.seed=2: seed cannot differ between the models"),
        ("a=nut.width=2", "--variants a: nut: no such model; "),
        ("a=buda.image_size=40", "--variants a: --image_size 40: buda needs a multiple of 16; write 32 or 48"),
        ("a=buda.width=2,a=buda.width=3", "--variants a: buda.width=3: buda.width is given twice"),
        ("a=fetal_unet.inputs=flair", "--variants a: fetal_unet.inputs: fetal_unet has no such setting"),
        ("a/b=buda.width=2", "must have the form NAME=MODEL.OPTION=VALUE"),
        ("buda.width=2", "must have the form NAME=MODEL.OPTION=VALUE"),
    ],
)
def test_mistakes_are_refused_before_anything_is_begun(
    variants: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--compare", "--models", "buda,unet", "--variants", variants]) == 2
    line = capsys.readouterr().err
    assert said in line and line.count("\n") == 1


def test_settings_of_a_model_that_is_only_a_variant() -> None:
    comparison = parse(["--compare", "--models", "unet", "--variants", "small=buda.width=2"]).comparison
    assert variants_of(comparison, 128) == [("small", "buda", {"width": 2})]


@pytest.mark.parametrize(("inputs", "shown"), [("flair+t1", [1, 0]), ("T1ce + FLAIR", [2, 1]), ("", [])])
def test_a_model_is_shown_the_chosen_sequences(
    options_for: Any, tmp_path: Path, phantom_cohort: Cohort, inputs: str, shown: list[int]
) -> None:
    recipe = open_experiment(options_for(tmp_path, inputs=inputs), phantom_cohort).recipe
    assert recipe.to_dict().get("shown", []) == shown
    whole = InputRecipe(32, "inner", 1)
    seen, every = (SliceDataset(phantom_cohort, one)[(0, 7)] for one in (recipe, whole))
    order = [*(shown or range(3)), 3, 4]  # the neighbours come last
    # OpenCV rounds images of two channels otherwise than those of three.
    np.testing.assert_allclose(seen["image"].astype(int), every["image"][..., order].astype(int), atol=1)
    np.testing.assert_array_equal(seen["statistics"], every["statistics"][order])
    assert chain_of(recipe.to_dict()) == recipe.chain


def test_of_sequences_that_are_not_shown_none_is_dropped() -> None:
    assert droppable(TASK) == ((2, 1), (0, 1))
    assert droppable(TASK, shown=(1, 0)) == ((1, 0),)
    assert droppable(TASK, reverse=True, shown=(1, 2)) == ((0, 1),)
    assert droppable(TASK, shown=(1,)) == ()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("t1", "`inputs` t1: the primary sequence is flair; add it: flair+t1"),
        ("flair+t2", "`inputs` flair+t2: there is no t2; there are: t1+flair+t1c"),
        ("flair+flair", "`inputs` flair+flair: name each sequence once"),
    ],
)
def test_sequences_that_cannot_be_shown(
    options_for: Any, tmp_path: Path, phantom_cohort: Cohort, inputs: str, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        open_experiment(options_for(tmp_path, inputs=inputs), phantom_cohort)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("shown", [[0], [0, 1, 9], "12", [True], [-1, 1]])
def test_a_recipe_from_a_file_is_not_believed(shown: Any) -> None:
    with pytest.raises(ValueError, match=r"shown|primary|other settings"):
        chain_of({"image_size": 32, "normalise": "inner", "neighbours": 0, "shown": shown})


def test_code_that_only_a_file_names_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.py").write_text("raise SystemExit('code ran')\n")
    config = tmp_path / "a.yaml"
    config.write_text(f"models: [unet]\nvariants: [mine={tmp_path}/net.py:Net.num_epochs=2]\n")
    assert main(["--compare", "--config", str(config)]) == 2
    line = capsys.readouterr().err
    assert "net.py" in line and "code ran" not in line and line.count("\n") == 1
