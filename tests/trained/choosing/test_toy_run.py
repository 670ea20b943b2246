"""A later run that has learned nothing displaces nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.trained.choosing.choice import MakeRun, choose

TOY = {"name": "single/toy", "dice": 0.013, "ended": "2027-01-01"}


@pytest.mark.parametrize("data", ["real", "other"])
def test_not_the_shipped_model(make_run: MakeRun, tmp_path: Path, data: str) -> None:
    make_run(**TOY, data=data)
    assert choose(tmp_path).name == "ours"
    assert choose(tmp_path).reason.endswith("passed over: 1 with a validation Dice below 0.1")
    assert choose(tmp_path, comparison="single").name == "single/toy"


@pytest.mark.parametrize(
    "toy",
    [
        {},
        {"split": "s2"},
        {"data": "phantoms", "made_up": True},
        {"data": "volumes", "kind": "nifti", "dice": 0.9},
        {"dice": 0.5},
    ],
    ids=["same split", "other split", "made-up", "other data", "better, but not the best"],
)
def test_not_a_good_run(make_run: MakeRun, tmp_path: Path, toy: dict[str, Any]) -> None:
    good = make_run("lgg/good", 0.82)
    make_run(**(TOY | toy))
    assert choose(tmp_path).run == good


def test_not_a_good_run_of_the_same_files(make_run: MakeRun, tmp_path: Path) -> None:
    good = make_run("demo/good", 0.7, data="phantoms", made_up=True)
    make_run(**TOY, data="phantoms", made_up=True, split="s2")
    chosen = choose(tmp_path, "phantoms/a.tif")
    assert chosen.run == good
    assert chosen.reason.endswith(
        "the only trained run on this data set; passed over: 1 with a validation Dice below 0.1"
    )


def test_for_the_files_of_its_own_data_where_there_is_no_other(make_run: MakeRun, tmp_path: Path) -> None:
    toy = make_run(**TOY, data="phantoms", made_up=True)
    assert choose(tmp_path, "phantoms/a.tif").run == toy
