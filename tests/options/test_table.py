"""Options as a whole: their checks, and their way into one flat dictionary and back."""

import json
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.models.registry import MODELS
from headtohead.options.declaring import description_of
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS, OPTIONS, Options, flat, from_flat, replace

CHANGES = {"train": True, "lr_scheduler": True, "seeds": [1, 2], "models": "buda,unet", "gpus": 0, "config": "a.yaml"}


def test_every_name_is_used_once() -> None:
    assert len(OPTIONS) == sum(len(declarations(group)) for group in GROUPS.values())


def test_every_option_has_a_line_of_help() -> None:
    for name, declared in OPTIONS.items():
        words = description_of(declared).help
        assert words, name
        assert not words.endswith("."), name


def test_default_models_exist() -> None:
    options = Options()
    assert {options.model.architecture, *options.comparison.models} <= set(MODELS)


def test_flat_leaves_and_comes_back() -> None:
    options = replace(Options(), **CHANGES)
    assert from_flat(flat(options, verbs=True)) == options
    assert from_flat(json.loads(json.dumps(flat(options, verbs=True)))) == options


def test_flat_has_stable_order_and_no_verbs_unless_asked() -> None:
    verbs = [one.name for one in declarations(GROUPS["verbs"])]
    names = list(flat(Options()))
    assert not set(verbs) & set(names)
    assert list(flat(Options(), verbs=True)) == verbs + names
    assert names == [name for name in OPTIONS if name in names]


def test_flat_leaves_out_what_concerns_one_command() -> None:
    assert set(OPTIONS) - set(flat(Options(), verbs=True)) == {"config", "print_config"}


def test_replace_changes_only_what_is_named() -> None:
    changed = replace(Options(), **CHANGES)
    assert changed.training.lr_scheduler == "cosine"
    assert changed.comparison.seeds == (1, 2)
    assert changed.machine.gpus == "0"
    assert changed.machine.config == "a.yaml"
    again = replace(changed, seed=3)
    assert again.machine.config == "a.yaml"
    assert replace(again, seed=0) == changed
    assert again != changed


def test_unknown_name_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"`batchsize`: no such option; did you mean batch_size\?"):
        from_flat({"batchsize": 1})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("root_dir", ["a"], [""]),
        ("cache_dir", ["a"], [""]),
        ("runs_dir", ["a"], [""]),
        ("split", ["slice"], ["fold"]),
        ("split_seed", [0, 2**32 - 1], [-1, 2**32]),
        ("folds", ["", 2, "5", "patients", "sites"], [0, 1, -5, "2.5", "patient", "five"]),
        ("fold", [0, 4], [-1]),
        ("image_size", [16], [0, -64]),
        ("normalise", ["unit", "imagenet", "zscore", "inner"], ["z"]),
        ("neighbours", [0, 2], [-1, 9]),
        ("width", [0, 16], [-1]),
        ("encoder_weights", ["imagenet"], [""]),
        ("num_epochs", [1], [0]),
        ("batch_size", [1], [0]),
        ("learning_rate", [1e-6, 1], [0, -1, "nan", "inf"]),
        ("optimizer", ["sgd"], ["lion"]),
        ("lr_scheduler", ["plateau", "restarting_warmup"], ["step"]),
        ("augmentation", ["none"], ["strong"]),
        ("sequence_dropout", [0, 1], [-0.1, 1.1]),
        ("empty_slices", [0.01, 1], [0, 1.1]),
        ("early_stopping", [0, 5], [-1]),
        ("gradient_clip", [0, 1.5], [-1]),
        ("seed", [0], [-1, 2**32]),
        ("models", [("buda",)], [()]),
        ("schedules", [("plateau",)], [("step",), ("none", "none")]),
        ("seeds", [(1, 2)], [(-1,), (0, 0)]),
        ("comparison", ["", "lgg"], ["a/b", ".."]),
        ("run_name", ["", "mine"], ["a/b", ".."]),
        ("threshold", [0, 0.3], [-0.1, 1]),
        ("gpus", ["auto", "cpu", "0,1"], ["gpu", "0,"]),
        ("precision", ["bf16", 32], ["16"]),
        ("num_workers", [-1, 0], [-2]),
    ],
)
def test_range(name: str, good: list[Any], bad: list[Any]) -> None:
    needs = {"folds": "5"} if name == "fold" else {}
    for value in good:
        replace(Options(), **needs, **{name: value})
    for value in bad:
        with pytest.raises(UserError, match=f"^`{name}`"):
            replace(Options(), **needs, **{name: value})
