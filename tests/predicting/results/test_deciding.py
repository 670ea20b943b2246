"""What makes two commands alike: options, models and weights; and what does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headtohead.effects import READ
from headtohead.options.table import OPTIONS, Options, from_flat
from headtohead.predicting.cleaning.postprocessing import parse_clean_up
from headtohead.predicting.predictor import Predictor, open_predictor
from headtohead.predicting.results.deciding import Settings, deciding_settings, key_of, what_differs
from tests.predicting.conftest import FACTS, Brightness

ELSEWHERE = {"output", "pattern"}
"""Where results go, and which inputs are chosen."""
CHOOSING = {"runs_dir", "comparison", "run_name", "model", "model_path", "data", "ensemble"}
"""They choose models, and models are compared."""
OF_THE_MODEL = {"threshold", "postprocessing"}
VALUES = {"channels": "flair=1", "plane": "coronal", "mask_suffix": "_x.nii", "outputs": "0:_b.nii", "engine": "torch",
          "gpus": "cpu", "precision": "32", "save_uncertainty": "entropy"}  # fmt: skip


def decided_by(predictor: Predictor, options: Options) -> Settings:
    return deciding_settings(predictor, options, options.files)


@pytest.mark.parametrize("name", sorted(READ["predict"] - CHOOSING - OF_THE_MODEL))
def test_every_option_that_changes_results_decides(name: str) -> None:
    value = VALUES.get(name, "x" if OPTIONS[name].type is str else True)
    usual, other = (decided_by(Brightness(), from_flat(given)) for given in ({}, {name: value}))
    assert (key_of(usual) == key_of(other)) == (name in ELSEWHERE)
    assert what_differs(usual, usual) == ""
    if name not in ELSEWHERE:
        words = what_differs(other, usual)
        assert words == (f"`{name}`" if value is True else f"`{name}` {value}")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": 0.25}, "`threshold` 0.25"),
        ({"clean_up": parse_clean_up("fill", FACTS.task.targets)}, "`postprocessing` fill"),
        ({"name": "mine"}, "model mine"),
        ({"facts": replace(FACTS, familiar={"mean": 1})}, "other weights"),
    ],
)
def test_models_decide(change: dict[str, Any], words: str) -> None:
    usual, other = (decided_by(models, from_flat({})) for models in (Brightness(), replace(Brightness(), **change)))
    assert what_differs(other, usual) == words and key_of(other) != key_of(usual)


def test_what_a_test_adds_to_a_model_decides_nothing() -> None:
    tested = replace(FACTS, scores={"mean": 0.8}, threshold=0.4, postprocessing="fill")  # the last two are overruled
    usual, other = (decided_by(Brightness(facts=facts), from_flat({})) for facts in (FACTS, tested))
    assert usual == other


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_the_weights_that_are_read_decide(make_run: Callable[..., Any], tmp_path: Path, engine: str) -> None:
    run = make_run(onnx=True)
    options = from_flat({"runs_dir": str(tmp_path / "runs"), "run_name": run.path.name, "engine": engine})
    before = decided_by(open_predictor(options), options)
    assert decided_by(open_predictor(options), options) == before
    path = run.best if engine == "torch" else run.path / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    assert what_differs(before, decided_by(open_predictor(options), options)) == "other weights"
