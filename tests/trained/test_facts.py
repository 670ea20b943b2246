"""model.json: it comes back as it was written, and nothing else passes for it."""

import json
from pathlib import Path

import pytest

from headtohead.batches.recipe import InputRecipe
from headtohead.cohort.cohort import IMAGE
from headtohead.errors import UserError
from headtohead.trained.facts import FILE, ModelFacts, read_facts

RECIPE = {"image_size": 64, "normalise": "inner", "neighbours": 1}
FACTS = ModelFacts(
    "lgg/buda", "buda", 16, 5, RECIPE, sequences=IMAGE, plane="acquired", threshold=0.4, familiar={"side": [1, 2]}
)


def test_comes_back(tmp_path: Path) -> None:
    FACTS.write(tmp_path)
    assert read_facts(tmp_path) == FACTS
    recipe = read_facts(tmp_path).input_recipe
    assert (recipe.image_size, recipe.normalise, recipe.neighbours) == (64, "inner", 1)
    assert isinstance(recipe, InputRecipe)


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
    ],
)
def test_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"model\.json: damaged; make the bundle again"):
        read_facts(tmp_path)


def test_of_another_format(tmp_path: Path) -> None:
    FACTS.write(tmp_path)
    path = tmp_path / FILE
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(UserError, match="written by another version"):
        read_facts(tmp_path)
