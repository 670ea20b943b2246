"""After `make demo`: models of made-up patients are for their own files, or on request."""

from pathlib import Path
from typing import Any

import pytest

from tests.trained.choosing.choice import MakeRun, choose, choose_several

PHANTOM = "TCGA_CS_9003_19001216"


@pytest.mark.parametrize("image", ["elsewhere/scan.tif", "phantoms-of-others/a.nii", None])
def test_other_files_get_the_shipped_model(demo: None, tmp_path: Path, image: str | None) -> None:
    assert choose(tmp_path, image).line == (
        "model ours (trained on 2 patients of LGG MRI segmentation; shipped with the program; "
        "passed over: 4 trained on made-up patients)"
    )


def test_so_does_an_export(demo: None, tmp_path: Path) -> None:
    assert choose(tmp_path, None, export="onnx").name == "ours"


def test_their_own_files_get_them_and_the_line_says_so(demo: None, tmp_path: Path) -> None:
    for image in ("phantoms", f"phantoms/{PHANTOM}/{PHANTOM}_1.tif"):
        assert choose(tmp_path, image).line == (
            "model demo/unet-none-s0-f0 (trained on 2 made-up patients; "
            "best validation Dice 0.713 of 4 trained runs on this data set)"
        )


@pytest.mark.parametrize(
    "settings", [{"comparison": "demo"}, {"run_name": "unet-none-s0-f0"}, {"comparison": "demo", "ensemble": True}]
)
def test_named_they_are_used(demo: None, tmp_path: Path, settings: dict[str, Any]) -> None:
    for choice in choose_several(tmp_path, **settings):
        assert choice.name.startswith("demo/") and "trained on 2 made-up patients" in choice.line


def test_an_older_run_is_known_by_the_names_of_its_cases(make_run: MakeRun, tmp_path: Path) -> None:
    old = make_run("demo/old", made_up=None)
    assert choose(tmp_path).run is not None, "where nothing is known, patients count as real"
    old.split.write_text(f"case,slice,part\n{PHANTOM},1,train\n")
    assert choose(tmp_path).name == "ours"
    assert "trained on made-up patients" in choose(tmp_path, run_name="old").line


def test_a_bundle_of_one(demo: None, tmp_path: Path) -> None:
    bundle = str(tmp_path / "runs" / "demo" / "unet-none-s0-f0")
    assert choose(tmp_path, model_path=bundle).line.endswith("(trained on 2 made-up patients; named by `model_path`)")


def test_a_real_run_goes_before_them(demo: None, make_run: MakeRun, tmp_path: Path) -> None:
    make_run("single/mine", 0.3)
    assert choose(tmp_path).name == "single/mine"
    assert choose(tmp_path).reason == "the only trained run; passed over: 4 trained on made-up patients"
