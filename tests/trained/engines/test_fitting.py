"""A model.onnx that does not fit its model.json is refused before any file is read, in one line, by both engines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from headtohead.errors import UserError
from headtohead.trained.engines.onnx_engine import OnnxEngine
from headtohead.trained.engines.openvino_engine import OpenVinoEngine

ENGINES = {
    "onnx": lambda path, facts: OnnxEngine(path, facts),
    "openvino": lambda path, facts: OpenVinoEngine(path, facts, "32"),
}
TAKES, GIVES = ("n", 5, 32, 32), ("n", 1, 32, 32)


def written(
    path: Path,
    takes: Sequence[Any] | None = TAKES,
    gives: Sequence[Any] | None = GIVES,
    dtype: int = TensorProto.FLOAT,
    more: bool = False,
    weights: tuple[int, int] = (1, 5),
) -> Path:
    """Write a net of one convolution, [out, in] channels; the shapes are what it declares, None for nothing."""
    inputs = [helper.make_tensor_value_info("image", dtype, takes)]
    outputs = [helper.make_tensor_value_info("probability", TensorProto.FLOAT, gives)]
    last = helper.make_node("Sigmoid", ["sum"], ["probability"])
    if more:
        inputs.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, (1,)))
        last = helper.make_node("Add", ["sum", "age"], ["probability"])
    cast = helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT)
    nodes = [cast, helper.make_node("Conv", ["float", "w"], ["sum"]), last]
    tensor = helper.make_tensor("w", TensorProto.FLOAT, (*weights, 1, 1), [0.01] * weights[0] * weights[1])
    graph = helper.make_graph(nodes, "net", inputs, outputs, [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"takes": ("n", 3, 32, 32), "weights": (1, 3)},
            "takes float32 [n, 3, 32, 32], but model.json wants float32 [n, 5, 32, 32]",
        ),
        ({"takes": ("n", 5, 64, 32), "gives": ("n", 1, 64, 32)}, "takes float32 [n, 5, 64, 32], but model.json wants"),
        ({"takes": (1, 5, 32, 32), "gives": (1, 1, 32, 32)}, "takes float32 [1, 5, 32, 32], but model.json wants"),
        ({"more": True}, "takes float32 [n, 5, 32, 32] and float32 [1], but model.json wants"),
        (
            {"weights": (2, 5), "gives": ("n", 2, 32, 32)},
            "gives float32 [n, 2, 32, 32], but model.json wants float32 [n,",
        ),
        ({"weights": (2, 5), "gives": ("n", "c", "h", "w")}, "gives float32 [n, 2, 32, 32], but model.json wants"),
    ],
    ids=["channels", "side", "one at a time", "two inputs", "two maps", "two maps undeclared"],
)
def test_another_shape_is_refused_in_a_line(
    made: Any, tmp_path: Path, engine: str, settings: dict[str, Any], message: str
) -> None:
    path = written(tmp_path / "model.onnx", **settings)
    with pytest.raises(UserError) as caught:
        ENGINES[engine](path, made.source.facts)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert str(caught.value).endswith("; run `test` again, or export the bundle again")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_another_type_is_refused(made: Any, tmp_path: Path, engine: str) -> None:
    path = written(tmp_path / "model.onnx", dtype=TensorProto.DOUBLE)
    with pytest.raises(UserError, match=r"model\.onnx: takes (tensor\(double\)|f64) \[n, 5, 32, 32\], but model\.json"):
        ENGINES[engine](path, made.source.facts)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_declared_openly_and_fits_is_taken(made: Any, tmp_path: Path, engine: str) -> None:
    open_wide = ("n", "c", "h", "w")
    for takes, gives in ((TAKES, GIVES), (TAKES, None), (TAKES, open_wide), (open_wide, open_wide)):
        path = written(tmp_path / "model.onnx", takes, gives)
        assert ENGINES[engine](path, made.source.facts)(made.slices).shape == (len(made.slices), 1, 32, 32)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_declared_openly_and_fails_inside_is_refused(made: Any, tmp_path: Path, engine: str) -> None:
    path = written(tmp_path / "model.onnx", ("n", "c", "h", "w"), ("n", "c", "h", "w"), weights=(1, 3))
    with pytest.raises(UserError, match=r"model\.onnx: (does not take|takes) float32 \[n, "):
        ENGINES[engine](path, made.source.facts)
