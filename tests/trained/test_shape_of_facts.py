"""Everything in model.json that prediction looks into is checked before anything is written."""

import json
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.predicting.trust import familiarity
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.trained import shape_of_facts
from headtohead.trained.facts import FILE, read_facts
from headtohead.trained.shipped import SHIPPED

GREY = "familiar.volume.grey"
ROW = " ".join(["1.0"] * 15)

WRONG: list[tuple[str, Any]] = [
    ("familiar.sequences", ["flair"]),
    ("familiar.slices", [1]),
    ("familiar.slices", ["few", "many"]),
    ("familiar.slices", None),
    ("familiar.slices", [1, float("nan")]),
    ("familiar.volume", []),
    ("familiar.slice", None),
    ("familiar.volume.head", [0.1]),
    ("familiar.slice.texture", {}),
    ("familiar.slice.texture", [None, None]),
    (GREY, []),
    (f"{GREY}.centre", [1.0]),
    (f"{GREY}.centre", 7),
    (f"{GREY}.scale", [0.0] * 15),
    (f"{GREY}.scale", ["1"] * 15),
    (f"{GREY}.correlation", ["1 2"] * 15),
    (f"{GREY}.correlation", ["one"] * 15),
    (f"{GREY}.correlation", [ROW] * 15),
    (f"{GREY}.correlation", [1.0] * 15),
    ("data.parts", ["a"]),
    ("data.parts.train", "abc"),
    ("data.parts.train", 7),
    ("data.parts.val", [["a"]]),
    ("data.kind", 1),
    ("data.key", {}),
    ("data.cases", "110"),
    ("data.made_up", "no"),
    ("scores.mean", "high"),
    ("scores.n", 1.5),
    ("scores.val_dice", []),
    ("name", "x" * 2000),
    ("postprocessing", "largest," * 1000),
]


@pytest.mark.parametrize(("place", "value"), WRONG)
def test_a_wrong_field_is_named(tmp_path: Path, place: str, value: Any) -> None:
    facts = json.loads((SHIPPED / FILE).read_text(encoding="utf-8"))
    *outer, last = place.split(".")
    inner = facts
    for name in outer:
        inner = inner[name]
    inner[last] = value
    (tmp_path / FILE).write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(UserError, match=rf"model\.json: damaged \({place}.*\); make the bundle again"):
        read_facts(tmp_path)


@pytest.mark.parametrize("name", ["slices", "volume", "sequences"])
def test_a_missing_field_is_named(tmp_path: Path, name: str) -> None:
    facts = json.loads((SHIPPED / FILE).read_text(encoding="utf-8"))
    del facts["familiar"][name]
    (tmp_path / FILE).write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(UserError, match=rf"damaged \(familiar\.{name}\)"):
        read_facts(tmp_path)


def test_what_is_measured_in_training_is_what_is_checked(phantom_cohort: Any) -> None:
    assert (shape_of_facts.MEASURED, shape_of_facts.LEVELS) == (familiarity.VERSION, familiarity.LEVELS)
    measured = json.loads(json.dumps(familiarity.measure_cohort(phantom_cohort, range(10))))
    assert measured["volume"]["grey"] is not None
    assert shape_of_facts.wrong_in_familiar(measured, phantom_cohort.task) is None
    few = json.loads(json.dumps(familiarity.measure_cohort(phantom_cohort, range(2))))
    assert shape_of_facts.wrong_in_familiar(few, phantom_cohort.task) is None


def test_measurements_of_another_version_are_not_looked_into() -> None:
    assert shape_of_facts.wrong_in_familiar({"version": 2, "slices": "many"}, NIFTI_TASK) is None
