"""Whatever weights can be started from: how each kind of file is read, and which cases it is known to have seen."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from headtohead.errors import UserError
from headtohead.models.registry import build_model
from headtohead.runs.folder import RunFolder
from headtohead.trained.facts import read_facts
from headtohead.trained.shipped import SHIPPED
from headtohead.trained.start import find_start, read_weights
from tests.trained.foreign.test_fetal_h5 import keras_layers, write_keras

PARTS = {"train": ["a", "b"], "val": ["c"]}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return build_model("unet", 3, 2).state_dict()


def same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("key", ["", "state_dict", "model_state_dict", "network_weights", "net"])
def test_state_dicts_and_checkpoints_of_others(key: str, state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save({key: state, "epoch": 3, "optimizer": {"lr": 0.1}} if key else dict(state), path)
    start = find_start(str(path), tmp_path)
    assert same(start.weights(), state)
    assert (start.kind, start.seen, start.data, start.facts) == ("file", None, {}, None)


def test_safetensors_tell_what_they_have_seen(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """As `--export safetensors` writes them; those of others say nothing, nor does nonsense in the same place."""
    path = tmp_path / "own.safetensors"
    for text, seen in (
        (json.dumps({"data": {"key": "k", "parts": PARTS}}), set("abc")),
        (json.dumps({"data": {"parts": {"train": "all"}}}), None),
        ("[1", None),
        ("[1]", None),
    ):
        save_file(state, path, metadata={"model.json": text})
        start = find_start(str(path), tmp_path)
        assert same(start.weights(), state)
        assert (None if start.seen is None else set(start.seen)) == seen
    save_file(state, path)
    assert find_start(str(path), tmp_path).seen is None


def test_keras_weights_of_the_masker(tmp_path: Path) -> None:
    write_keras(tmp_path / "masker.h5", keras_layers(4))
    found = find_start(str(tmp_path / "masker.h5"), tmp_path).weights()
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in build_model("fetal_unet", 1, 4).state_dict().items()
    }


def test_the_shipped_model_is_found_by_its_word() -> None:
    start = find_start("shipped", Path("runs"))
    parts = read_facts(SHIPPED).data["parts"]
    assert (start.kind, start.model, start.given) == ("bundle", "buda of width 16", "shipped")
    assert start.seen is not None and set(start.seen) == {*parts["train"], *parts["val"]}
    assert start.path == SHIPPED / "weights.safetensors"


def write_run(folder: Path, state: dict[str, torch.Tensor], **record: Any) -> RunFolder:
    run = RunFolder(folder)
    run.best.parent.mkdir(parents=True)
    torch.save({"state_dict": {f"model.{name}": value for name, value in state.items()}, "epoch": 1}, run.best)
    (folder / "run.json").write_text(json.dumps({"status": "trained", "data": {"key": "k"}} | record))
    run.split.write_text("case,slice,part\na,1,train\na,2,test\nb,1,val\nc,1,test\n")
    return run


def test_a_run_says_by_slice_what_it_has_seen(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """By its folder, its name below `runs_dir`, or its checkpoint; what came before it counts by case."""
    run = write_run(tmp_path / "runs" / "c" / "r", state, seen_before=["d", "b"])
    for given in (str(run.path), "c/r", str(run.best)):
        start = find_start(given, tmp_path / "runs")
        assert start.seen == {"a": {1}, "b": set(), "d": set()}
        assert (start.kind, start.data["key"], start.whole, start.path) == ("run", "k", True, run.best)
        assert len(start.weights()) == len(state)
    run.split.unlink()
    assert find_start("c/r", tmp_path / "runs").seen is None
    run.split.write_text("case,slice,part\na,one,train\n")
    with pytest.raises(UserError, match=r"split\.csv: damaged .*it is not known what the run has seen"):
        find_start("c/r", tmp_path / "runs")


def test_a_start_of_unknown_cases_stays_in_doubt(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    before = {"name": "x", "sha256": "0", "training_cases": "unknown", "new": []}
    run = write_run(tmp_path / "r", state, start=before)
    assert not find_start(str(run.path), tmp_path).whole


class Deadly:
    def __reduce__(self) -> Any:
        return os.mkdir, ("ran",)


def test_what_is_no_start_is_refused_in_a_line(
    state: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.onnx").write_bytes(b"onnx")
    (tmp_path / "text.pt").write_text("weights")
    (tmp_path / "cut.safetensors").write_bytes(b"12345678")
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n1234")
    (tmp_path / "deadly.pt").write_bytes(pickle.dumps(Deadly()))
    torch.save({"state_dict": Deadly()}, tmp_path / "deadly.ckpt")
    torch.save({"weight": torch.zeros(1).expand(10**9)}, tmp_path / "one.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"weight": torch.empty(3, device="meta")}, tmp_path / "meta.pt")
    torch.jit.script(torch.nn.Conv2d(1, 1, 1)).save(tmp_path / "script.pt")
    faults = {
        "nowhere": "no such run folder, bundle or file; check the path",
        "empty": "no weights in it",
        "a.onnx": "cannot be taken from ONNX; name the run, or its bundle",
        "text.pt": "refused, since it holds more than tensors",
        "cut.safetensors": "not a readable safetensors file; name another file",
        "cut.h5": "not a readable Keras file of weights",
        "deadly.pt": "could run code",
        "deadly.ckpt": "could run code",
        "one.pt": "holds no weights",
        "list.pt": "holds no weights",
        "meta.pt": "holds no weights",
        "script.pt": "a TorchScript file",
    }
    for name, said in faults.items():
        with pytest.raises(UserError, match=rf"{name}.*{said}") as caught:
            find_start(name, tmp_path).weights()
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_tensor_of_another_kind_beside_the_weights_is_left_out(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "more.pt"
    torch.save({**state, "sparse": torch.eye(3).to_sparse(), "text": "x"}, path)
    assert same(read_weights(path), state)
