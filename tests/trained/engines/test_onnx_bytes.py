"""One guard for both engines that read model.onnx: no other file is read, and what is damaged is one line."""

import os
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest

from headtohead.errors import UserError
from headtohead.trained.engines.onnx_bytes import onnx_bytes
from headtohead.trained.engines.onnx_engine import OnnxEngine
from headtohead.trained.engines.openvino_engine import OpenVinoEngine

ENGINES = {
    "onnx": lambda path, facts: OnnxEngine(path, facts),
    "openvino": lambda path, facts: OpenVinoEngine(path, facts, "32"),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_external_data_is_refused(made: Any, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the file that it names is there, and holds just what it should."""
    path = tmp_path / "model.onnx"
    onnx.save(onnx.load(made.source.onnx), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").stat().st_size
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"model\.onnx: refused, since it reads other files"):
        ENGINES[engine](path, made.source.facts)


def test_external_data_is_found_wherever_it_is(made: Any, tmp_path: Path) -> None:
    def outside(tensor: onnx.TensorProto) -> onnx.TensorProto:
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/hostname")
        return tensor

    tensor = outside(onnx.helper.make_tensor("t", onnx.TensorProto.FLOAT, [1], [1.0]))
    constant = onnx.helper.make_node("Constant", [], ["x"], value=tensor)
    inner = onnx.helper.make_graph([constant], "inner", [], [])
    for change in (
        lambda model: model.graph.node.append(constant),
        lambda model: model.graph.node.append(onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner)),
        lambda model: model.functions.add().node.append(constant),
        lambda model: model.graph.sparse_initializer.add().values.CopyFrom(tensor),
    ):
        model = onnx.load(made.source.onnx)
        change(model)
        (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(UserError, match="refused, since it reads other files"):
            onnx_bytes(tmp_path / "model.onnx")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\xff" * 100, b"text", b"\x3a\xff\xff\xff\x7f", None])
def test_what_is_damaged_is_one_line(made: Any, engine: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(made.source.onnx.read_bytes()[:5000] if content is None else content)
    with pytest.raises(UserError, match=r"model\.onnx: not a readable ONNX model; run `test` again"):
        ENGINES[engine](path, made.source.facts)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.onnx")
    with pytest.raises(UserError, match="not a readable ONNX model"):
        onnx_bytes(tmp_path / "model.onnx")


def test_a_sound_model_is_given_as_it_is(made: Any, tmp_path: Path) -> None:
    path = Path(shutil.copy(made.source.onnx, tmp_path / "model.onnx"))
    assert onnx_bytes(path) == path.read_bytes()
