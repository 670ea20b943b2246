"""`--export`: which model, where to, and that each format answers as the model does."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from headtohead.errors import UserError
from headtohead.options.table import Options, from_flat
from headtohead.preparing.recipe import buda_chain
from headtohead.trained.choosing import choose_models
from headtohead.trained.engines.onnx_engine import OnnxEngine
from headtohead.trained.export import export
from headtohead.trained.facts import FILE
from headtohead.trained.onnx_file import FACTS

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "tiny-buda-none-s0-f1"


def wanted(run_folder: Path, kind: str = "bundle", **more: Any) -> Options:
    return from_flat({"export": kind, "runs_dir": str(run_folder.parents[1]), **more})


@pytest.mark.parametrize(
    ("kind", "name"),
    [("bundle", NAME), ("onnx", f"{NAME}.onnx"), ("safetensors", f"{NAME}.safetensors"), ("torchscript", f"{NAME}.pt")],
)
def test_every_format_answers_as_the_model_and_carries_its_facts(
    kind: str, name: str, run_folder: Path, made: Any, tmp_path: Path, capsys: Any
) -> None:
    path = export(wanted(run_folder, kind, output=str(tmp_path / "out")))
    assert path == tmp_path / "out" / name
    assert [one.name for one in path.parent.iterdir()] == [name]
    assert f"tiny/buda-none-s0-f1: {kind} {path}" in capsys.readouterr().out
    slices = torch.from_numpy(made.slices)
    if kind == "bundle":
        found, facts = (
            OnnxEngine(path / "model.onnx", made.source.facts)(made.slices),
            json.loads((path / FILE).read_text()),
        )
    elif kind == "onnx":
        found = OnnxEngine(path, made.source.facts)(made.slices)
        facts = json.loads({one.key: one.value for one in onnx.load(path).metadata_props}[FACTS])
    elif kind == "safetensors":
        model, state = made.model, load_file(path)
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
        found = made.expected
        with safe_open(path, "pt") as file:
            facts = json.loads(file.metadata()[FILE])
    else:
        extra = {FILE: ""}
        with torch.inference_mode():
            found = torch.jit.load(path, _extra_files=extra)(slices).numpy()
        facts = json.loads(extra[FILE])
    np.testing.assert_allclose(found, made.expected, atol=1e-4)
    assert (facts["name"], facts["recipe"]["image_size"]) == ("tiny/buda-none-s0-f1", 32)


def test_torchscript_takes_other_batches_and_sizes(run_folder: Path, made: Any, tmp_path: Path) -> None:
    traced = torch.jit.load(export(wanted(run_folder, "torchscript", output=str(tmp_path))))
    image = torch.randn(3, 5, 48, 64)
    with torch.inference_mode():
        torch.testing.assert_close(traced(image), made.model(image).sigmoid(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["bundle", "onnx"])
def test_nothing_is_replaced_unless_told_to(kind: str, run_folder: Path) -> None:
    path = export(wanted(run_folder, kind))
    with pytest.raises(UserError, match=r"already exists; .*`overwrite`$"):
        export(wanted(run_folder, kind))
    assert export(wanted(run_folder, kind, overwrite=True)) == path


class TestWhichModel:
    @pytest.fixture
    def two(self, run_folder: Path) -> Path:
        """Another run beside the first, worse in validation, and one of another comparison that is better."""
        for name, dice in (("tiny/worse", 0.5), ("other/better", 0.95)):
            folder = run_folder.parents[1] / name
            shutil.copytree(run_folder, folder)
            record = json.loads((folder / "run.json").read_text())
            (folder / "run.json").write_text(json.dumps(record | {"best_val_dice": dice}))
        return run_folder

    @pytest.mark.parametrize(
        ("given", "chosen"),
        [
            ({}, "other/better"),
            ({"comparison": "tiny"}, "tiny/buda-none-s0-f1"),
            ({"run_name": "worse"}, "tiny/worse"),
            ({"run_name": "worse", "comparison": "tiny"}, "tiny/worse"),
        ],
    )
    def test_of_the_runs(self, two: Path, given: dict[str, Any], chosen: str) -> None:
        choice = choose_models(wanted(two, **given), None)[0]
        assert choice.source.folder == two.parents[1] / chosen

    def test_a_bundle(self, run_folder: Path, tmp_path: Path) -> None:
        bundle = export(wanted(run_folder))
        again = export(wanted(run_folder, model_path=str(bundle), output=str(tmp_path)))
        assert (again / "cases.csv").read_text() == (run_folder / "cases.csv").read_text()

    def test_weights_from_elsewhere(self, run_folder: Path, tmp_path: Path) -> None:
        from headtohead.models.buda import BudaUNet

        torch.save(BudaUNet(width=2).state_dict(), tmp_path / "unet.pt")
        given = {"model": "buda", "model_path": str(tmp_path / "unet.pt"), "output": str(tmp_path / "out")}
        bundle = export(wanted(run_folder, **given))
        assert bundle.name == "unet"
        assert json.loads((bundle / FILE).read_text())["recipe"] == buda_chain(3).to_dict()

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"run_name": "nobody"}, "`run_name` nobody: no such run"),
            (
                {"comparison": "nothing"},
                "`comparison` nothing: no trained model in .*nothing; train one",
            ),
            ({"run_name": "a,b"}, "`export`: one model at a time"),
            ({"ensemble": True, "comparison": "tiny"}, "`export`: one model at a time"),
            ({"model_path": "nowhere.pt", "model": "buda"}, "`model_path` nowhere.pt: no such bundle or file"),
        ],
    )
    def test_none_or_several(self, run_folder: Path, given: dict[str, Any], said: str) -> None:
        with pytest.raises(UserError, match=said):
            export(wanted(run_folder, **given))


def test_without_output_it_goes_into_the_run_folder_or_below_the_runs(run_folder: Path) -> None:
    bundle = export(wanted(run_folder))
    assert bundle == run_folder / "export" / NAME
    moved = bundle.rename(run_folder.parents[2] / "bundle")
    assert export(wanted(run_folder, "safetensors", model_path=str(moved))).parent == run_folder.parents[1] / "export"


def test_from_the_command_line(run_folder: Path, tmp_path: Path) -> None:
    words = ["--export", "safetensors", "--runs_dir", str(run_folder.parents[1]), "--output", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "main.py", *words],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"results: {tmp_path / 'out' / NAME}.safetensors"


@pytest.mark.parametrize("kind", ["torchscript", "safetensors", "onnx"])
def test_a_limit_of_the_disk_is_told_and_leaves_nothing(run_folder: Path, kind: str, tmp_path: Path) -> None:
    options = wanted(run_folder, kind, output=str(tmp_path / "out"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(UserError, match="larger than ulimit -f"):
            export(options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "out").iterdir())
