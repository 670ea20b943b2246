"""model.json: it comes back as it was written, and nothing else passes for it."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.options.input import InputOptions
from headtohead.preparing.recipe import InputRecipe, buda_chain
from headtohead.preparing.steps.scale import FIXED, MEASURED
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.task import Target, Targets, Task
from headtohead.task.targets import CLASSES
from headtohead.trained.facts import FILE, ModelFacts, read_facts

RECIPE = {"image_size": 64, "normalise": "inner", "neighbours": 1}
FACTS = ModelFacts("lgg/buda", "buda", 16, 5, RECIPE, threshold=0.4, familiar={"side": [1, 2]}, task=NIFTI_TASK)


def test_comes_back(tmp_path: Path) -> None:
    FACTS.write(tmp_path)
    assert read_facts(tmp_path) == FACTS
    assert read_facts(tmp_path).chain == InputRecipe(**RECIPE).chain
    replace(FACTS, recipe=FACTS.chain.to_dict()).write(tmp_path)
    assert read_facts(tmp_path).chain == FACTS.chain


@pytest.mark.parametrize(("count", "fine"), [(40, True), (256, True), (257, False)])
def test_many_targets_come_back_and_too_many_are_refused(tmp_path: Path, count: int, fine: bool) -> None:
    targets = Targets(tuple(Target(f"structure {label}", (label,)) for label in range(1, count + 1)), CLASSES)
    facts = replace(FACTS, task=replace(NIFTI_TASK, targets=targets))
    facts.write(tmp_path)
    if fine:
        assert read_facts(tmp_path) == facts
    else:
        with pytest.raises(UserError, match=r"damaged \(task\)"):
            read_facts(tmp_path)


def test_later_fields_do_no_harm(tmp_path: Path) -> None:
    FACTS.write(tmp_path)
    path = tmp_path / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"mood": "good"}))
    assert read_facts(tmp_path) == FACTS


def test_none_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no model\.json in it"):
        read_facts(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"format": 1}',
        '{"format": 1, "name": "a", "model": "buda", "width": 1, "in_channels": 5, "recipe": {"size": 3}}',
        '{"format": 1, "name": "a", "model": "buda", "width": 1, "in_channels": 5, "recipe": 7}',
        "\x80\x04",
        "[" * 100_000,
    ],
)
def test_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"model\.json: damaged( \(recipe: .*\))?; make the bundle again"):
        read_facts(tmp_path)


IN_RECIPE = ("image_size", "normalise", "neighbours", "channel_order", "primary")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 3),
        ("name", None),
        ("model", 3),
        ("model", ["buda"]),
        ("model", "gpt"),
        ("width", "4"),
        ("width", -1),
        ("width", True),
        ("width", 4.0),
        ("width", 10**7),
        ("in_channels", 3),
        ("in_channels", 0),
        ("in_channels", 65),
        ("in_channels", "5"),
        ("image_size", 0),
        ("image_size", 8),
        ("image_size", 65),
        ("image_size", 72),
        ("image_size", "64"),
        ("image_size", 64.0),
        ("image_size", 10**6),
        ("image_size", None),
        ("normalise", "evil"),
        ("normalise", ["inner"]),
        ("normalise", {}),
        ("neighbours", -1),
        ("neighbours", 9),
        ("neighbours", "1"),
        ("neighbours", True),
        ("channel_order", "gbr"),
        ("channel_order", []),
        ("task", None),
        ("task", "lgg"),
        ("task", LGG_TASK.to_dict() | {"sequences": "image"}),
        ("task", LGG_TASK.to_dict() | {"plane": "auto"}),
        ("task", LGG_TASK.to_dict() | {"targets": []}),
        ("task", LGG_TASK.to_dict() | {"citation": "x" * 2000}),
        ("primary", 3),
        ("primary", True),
        ("threshold", 0),
        ("threshold", 2),
        ("threshold", -0.1),
        ("threshold", float("nan")),
        ("threshold", float("inf")),
        ("threshold", "abc"),
        ("threshold", True),
        ("threshold", None),
        ("postprocessing", 5),
        ("postprocessing", ["largest"]),
        ("familiar", [1]),
        ("scores", [1]),
        ("scores", "high"),
        ("data", None),
    ],
)
def test_a_value_no_model_has_is_named(tmp_path: Path, name: str, value: object) -> None:
    FACTS.write(tmp_path)
    path = tmp_path / FILE
    found = json.loads(path.read_text())
    (found["recipe"] if name in IN_RECIPE else found)[name] = value
    path.write_text(json.dumps(found))
    with pytest.raises(UserError) as caught:
        read_facts(tmp_path)
    shown = f"recipe: {name}" if name in IN_RECIPE else name
    assert str(caught.value) == f"{path}: damaged ({shown}); make the bundle again with `export=bundle`"


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1, "width": 0},
        {
            "recipe": RECIPE | {"channel_order": "bgr", "image_size": 2048},
            "task": replace(NIFTI_TASK, plane="sagittal"),
        },
        {"recipe": RECIPE | {"normalise": "imagenet", "neighbours": 8}, "in_channels": 19, "width": 1024},
        {"recipe": {"image_size": 16, "normalise": "slice", "neighbours": 0}, "in_channels": 1, "task": NIFTI_TASK},
        {"recipe": buda_chain(3).to_dict(), "in_channels": 3, "task": LGG_TASK},
    ],
)
def test_the_outermost_sound_values_come_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    facts = replace(FACTS, **changes)
    facts.write(tmp_path)
    assert read_facts(tmp_path) == facts


def test_every_scaling_that_can_be_trained_with_can_be_read() -> None:
    declared = next(one for one in fields(InputOptions) if one.name == "normalise")
    assert {*MEASURED, *FIXED} == {*declared.metadata["option"].choices}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"size": 10**6}, "resize: size"),
        ({"size": 17}, "image_size"),
        ({"size": True}, "resize: size"),
        ({"size": 64, "evil": 1}, "resize: other settings than size"),
        ({"step": ["resize"]}, "a step has no name"),
    ],
)
def test_a_chain_that_no_model_has_is_named(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    steps = [step | changes if step["step"] == "resize" else step for step in FACTS.chain.to_dict()]
    replace(FACTS, recipe=steps).write(tmp_path)
    with pytest.raises(UserError, match=rf"damaged \(recipe: {fault}\); make the bundle again"):
        read_facts(tmp_path)


def test_a_step_of_a_later_version_is_refused(tmp_path: Path) -> None:
    replace(FACTS, recipe=[*FACTS.chain.to_dict(), {"step": "dream"}]).write(tmp_path)
    with pytest.raises(UserError, match="the model needs the preparation dream, which this version does not know"):
        read_facts(tmp_path)


def test_a_chain_of_more_sequences_than_the_task_has_is_named(tmp_path: Path) -> None:
    two = replace(LGG_TASK, sequences=("flair", "t2"), stand_ins={})
    replace(FACTS, task=two).write(tmp_path)
    with pytest.raises(UserError, match=r"damaged \(recipe: channels\)"):
        read_facts(tmp_path)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_published_protocol_was_once_a_name(tmp_path: Path, channels: int) -> None:
    facts = replace(FACTS, in_channels=channels, task=LGG_TASK, recipe=buda_chain(channels).to_dict())
    facts.write(tmp_path)
    path = tmp_path / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"recipe": {}, "preparation": "buda_volume"}))
    assert read_facts(tmp_path) == facts
    path.write_text(path.read_text().replace("buda_volume", "of tomorrow"))
    with pytest.raises(UserError, match="needs the preparation of tomorrow, which this version does not know"):
        read_facts(tmp_path)


def test_of_another_format(tmp_path: Path) -> None:
    FACTS.write(tmp_path)
    path = tmp_path / FILE
    path.write_text(path.read_text().replace('"format": 2', '"format": 3'))
    with pytest.raises(UserError, match="written by another version"):
        read_facts(tmp_path)


@pytest.mark.parametrize("task", [LGG_TASK, NIFTI_TASK, replace(NIFTI_TASK, plane="sagittal")])
def test_the_first_format_named_sequences_and_plane(tmp_path: Path, task: Task) -> None:
    facts = replace(FACTS, task=task)
    facts.write(tmp_path)
    path = tmp_path / FILE
    found = json.loads(path.read_text())
    del found["task"]
    old = {**found, "format": 1, "sequences": list(task.sequences), "plane": task.plane}
    path.write_text(json.dumps(old))
    assert read_facts(tmp_path) == facts
    for wrong in ({"sequences": ["flair"]}, {"sequences": [["pre"], 1, None]}, {"sequences": 3}, {"plane": "auto"}):
        path.write_text(json.dumps(old | wrong))
        with pytest.raises(UserError, match=r"damaged \(task\); make the bundle again"):
            read_facts(tmp_path)
