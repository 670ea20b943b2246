"""`--model` narrows the choice, and is never ignored."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.trained.choosing import choose_models
from tests.trained.choosing.choice import MakeRun, choose, choose_several


def test_within_the_data_set_of_the_files(demo: None, tmp_path: Path) -> None:
    choice = choose(tmp_path, "phantoms/a.tif", model="resnext")
    assert choice.name == "demo/resnext-none-s0-f0"
    assert choice.reason == "best validation Dice 0.600 of 2 trained runs on this data set"


def test_among_real_runs(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("lgg/unet-none-s0-f0", 0.9)
    make_run("lgg/resnext-none-s0-f0", 0.5, model="resnext")
    assert choose(tmp_path, model="resnext").name == "lgg/resnext-none-s0-f0"
    assert choose(tmp_path, comparison="lgg", model="resnext").name == "lgg/resnext-none-s0-f0"
    assert [one.name for one in choose_several(tmp_path, comparison="lgg", ensemble=True, model="resnext")] == [
        "lgg/resnext-none-s0-f0"
    ]
    given = {"runs_dir": str(tmp_path / "runs"), "export": "onnx", "model": "resnext"}
    assert choose_models(from_flat(given), None)[0].name == "lgg/resnext-none-s0-f0"


def test_to_the_shipped_model(demo: None, tmp_path: Path) -> None:
    assert choose(tmp_path, model="buda").name == "ours"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "`model` resnext: none of its runs suits these files: 2 trained on made-up patients; to use one anyway, "
             "name its `comparison`, such as demo"),
        ({"comparison": "lgg"}, "`model` resnext: no trained run of it in .*lgg; there are runs of unet"),
        ({"comparison": "lgg", "ensemble": True}, "`model` resnext: no trained run of it in .*lgg"),
        ({"run_name": "good"}, "`model` resnext: `run_name` good is of unet; leave one of the two out"),
        ({"model_path": "shipped"}, "`model` resnext: `model_path` .*shipped is of buda"),
    ],
)  # fmt: skip
def test_to_nothing_is_refused(
    demo: None, make_run: MakeRun, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    make_run("lgg/good", 0.9)
    if "model_path" in settings:
        settings = {"model_path": str(tmp_path / "shipped")}
    with pytest.raises(UserError, match=message):
        choose_several(tmp_path, model="resnext", **settings)
