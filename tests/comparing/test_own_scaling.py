"""A model that brings its own intensity scaling stands in one comparison with models that take the common one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.cohort import Cohort
from headtohead.comparing.experiment import open_experiment
from headtohead.comparing.grid import experiments_of
from headtohead.comparing.model_settings import own_settings
from headtohead.errors import UserError
from headtohead.preparing.chain import Prepared
from headtohead.preparing.recipe import InputRecipe
from headtohead.runs.folder import RunFolder
from headtohead.runs.reading import read_ledger
from headtohead.scoring.prediction_files import read_mask
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.source import open_source

SLICE = {"image_size": 32, "normalise": "slice", "neighbours": 0}
GRID = {"models": ["fetal_unet", "buda"], "batch_size": 4, "comparison": "both"}  # its own scaling comes first


@pytest.mark.parametrize("model", ["fetal_unet", "buda"])
def test_the_scaling_of_the_model_decides(model: str, options_for: Any, phantom_cohort: Cohort, tmp_path: Any) -> None:
    recipe = open_experiment(options_for(tmp_path, model=model, neighbours=2), phantom_cohort).recipe
    assert recipe.to_dict() == (SLICE if model == "fetal_unet" else {**SLICE, "normalise": "inner", "neighbours": 2})
    assert recipe.channels == (1 if model == "fetal_unet" else 7)


@pytest.mark.parametrize("option", ["normalise=zscore", "neighbours=2"])
def test_another_scaling_for_it_alone_is_refused(option: str, options_for: Any, tmp_path: Any) -> None:
    options = options_for(tmp_path, models=["fetal_unet"], model_settings=[f"fetal_unet.{option}"])
    with pytest.raises(UserError, match=r"fetal_unet has no such setting; leave it out$"):
        own_settings(options.comparison.model_settings, "fetal_unet")
    with pytest.raises(UserError, match="no such setting"):
        experiments_of(options)


class TestComparison:
    def test_both_are_scored_in_one_table(self, compared: Path) -> None:
        ledger = read_ledger(compared)
        assert {run.entrant[0] for run in ledger.finished} == {"fetal_unet", "buda", "flair-threshold"}
        recipes = {run.entrant[0]: run.record["recipe"]["normalise"] for run in ledger.finished}
        assert (recipes["fetal_unet"], recipes["buda"]) == ("slice", "inner")
        table = (compared / "results.md").read_text()
        assert "fetal_unet" in table and "buda" in table

    def test_its_prediction_is_that_of_the_test(self, compared: Path, phantom_cohort: Cohort) -> None:
        run = RunFolder(compared / "fetal_unet-none-s0-f0")
        source = open_source(run.path)
        assert source.facts.in_channels == 1 and source.facts.chain == InputRecipe(**SLICE).chain
        case = next(row["case"] for _, row in read_ledger(compared).tables[run.path.name].iterrows())
        index = int(np.flatnonzero(phantom_cohort.table["case"] == case)[0])
        volume = phantom_cohort.images(index)
        prepared = Prepared(source.facts.chain, volume)
        with torch.inference_mode():
            slices = torch.from_numpy(np.stack([prepared.input(place) for place in range(prepared.n)]))
            probability = prepared.restore(load_net(source)(slices)[:, 0].sigmoid().numpy())
        assert probability.std() > 0
        tested = read_mask(run.masks, case, volume.shape[:3])
        assert ((probability >= source.facts.threshold) == tested).mean() > 0.999
