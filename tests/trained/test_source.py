"""Weights come from a bundle, a run folder or from memory, and never from anything that could run code."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from headtohead.errors import UserError
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.runs.folder import RunFolder
from headtohead.trained.source import ONNX, WEIGHTS, Source, open_source


class Planted:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


def same(found: dict[str, torch.Tensor], model: torch.nn.Module) -> bool:
    expected = model.state_dict()
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


def checkpoint(folder: Path, made: Any) -> RunFolder:
    """Write the net as a training leaves it."""
    facts, run = made.source.facts, RunFolder(folder)
    run.best.parent.mkdir(parents=True)
    kept = {name: getattr(facts, name) for name in ("model", "width", "in_channels", "recipe", "threshold")}
    weights = {f"model.{name}": value for name, value in made.model.state_dict().items()}
    torch.save({"epoch": 0, "state_dict": weights, "hyper_parameters": kept}, run.best)
    return run


def test_bundle(made: Any) -> None:
    source = open_source(made.source.folder)
    assert source.facts == made.source.facts
    assert source.onnx == made.source.folder / ONNX
    assert same(source.weights(), made.model)


def test_run_folder_with_and_without_facts(made: Any, tmp_path: Path) -> None:
    run = checkpoint(tmp_path / "lgg" / "buda", made)
    old = open_source(run.path)
    assert old.facts.name == "lgg/buda"
    assert (old.facts.model, old.facts.width, old.facts.threshold) == ("buda", 4, 0.45)
    assert old.onnx is None
    assert same(old.weights(), made.model)
    made.source.facts.write(run.path)
    assert open_source(run.path).facts.name == "tiny"
    assert same(open_source(run.path).weights(), made.model)


def test_a_stopped_training_on_volumes_keeps_their_plane(made: Any, tmp_path: Path) -> None:
    run = checkpoint(tmp_path / "masker" / "buda", made)
    run.note(status="running", data={"kind": "nifti"})
    facts = open_source(run.path).facts
    assert facts.task == NIFTI_TASK
    run.note(status="running", data={"kind": "lgg"})
    facts = open_source(run.path).facts
    assert facts.task == LGG_TASK


def test_in_memory(made: Any) -> None:
    state = made.model.state_dict()
    assert Source(made.source.facts, None, state).weights() is state
    assert Source(made.source.facts, None, state).onnx is None


def test_nothing_there(empty: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"neither weights\.safetensors nor a checkpoint"):
        open_source(empty).weights()
    with pytest.raises(UserError, match=r"no model\.json in it"):
        open_source(tmp_path / "nowhere")


def test_planted_code_is_not_run(empty: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (empty / WEIGHTS).write_bytes(pickle.dumps(Planted(marker)))
    with pytest.raises(UserError, match="not a readable safetensors file"):
        open_source(empty).weights()
    (empty / WEIGHTS).unlink()
    run = RunFolder(empty)
    run.best.parent.mkdir()
    torch.save({"state_dict": Planted(marker)}, run.best)
    with pytest.raises(UserError, match="could run code"):
        open_source(empty).weights()
    assert not marker.exists()
    torch.load(run.best, weights_only=False)
    assert marker.exists(), "the trap must work, or the test proves nothing"


def test_half_precision_comes_back_whole(made: Any, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    half = {
        name: value.half() if value.is_floating_point() else value for name, value in made.model.state_dict().items()
    }
    save_file(half, tmp_path / WEIGHTS)
    made.source.facts.write(tmp_path)
    weights = open_source(tmp_path).weights()
    assert all(value.dtype == torch.float32 for value in weights.values() if value.is_floating_point())
