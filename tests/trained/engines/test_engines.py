"""Every engine says what the net says, on its own kind of file, and refuses what is damaged in one line."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headtohead
from headtohead.errors import DamagedModel, UserError
from headtohead.trained.engines import opening, openvino_engine, torch_engine
from headtohead.trained.engines.opening import open_engine, pick_engine
from headtohead.trained.source import ONNX, WEIGHTS, Source

ENGINES = ("torch", "onnx", "openvino")


@pytest.mark.parametrize("engine", ENGINES)
def test_says_what_the_net_says(made: Any, engine: str) -> None:
    found = open_engine(made.source, engine, "cpu", "32")(made.slices)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, made.expected, atol=1e-5)
    assert np.ptp(made.expected) > 0.05, "a constant would prove nothing"


@pytest.mark.parametrize("engine", ENGINES)
def test_any_number_of_slices_in_any_memory_layout(made: Any, engine: str) -> None:
    opened = open_engine(made.source, engine, "cpu", "32")
    np.testing.assert_allclose(opened(made.slices[:1]), made.expected[:1], atol=1e-5)
    mirrored = opened(made.slices[..., ::-1])
    assert mirrored.shape == made.expected.shape
    assert np.abs(mirrored - made.expected).max() > 1e-3


def test_parts_of_a_batch_go_through_openvino_at_once(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "PART", made.slices[0, 0].size)  # each slice is a part
    opened = open_engine(made.source, "openvino", "cpu", "32")
    order = np.random.default_rng(0).integers(0, len(made.slices), 23)
    for count in (1, 23, 5, 12):
        found = opened(made.slices[order[:count]])
        np.testing.assert_allclose(found, made.expected[order[:count]], atol=1e-5)
        opened(np.zeros_like(made.slices))  # does not reach into what was answered before
        np.testing.assert_allclose(found, made.expected[order[:count]], atol=1e-5)


def test_openvino_is_asked_by_several_threads(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "PART", made.slices[0, 0].size)
    opened = open_engine(made.source, "openvino", "cpu", "32")
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(opened, [made.slices] * 16):
            np.testing.assert_allclose(found, made.expected, atol=1e-5)


def test_a_width_made_up_to_exhaust_the_memory_costs_none(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    built, build = [], torch_engine.build_model

    def noted(*given: Any, **named: Any) -> torch.nn.Module:
        model = build(*given, **named)
        built.append(next(model.parameters()).device.type)
        return model

    monkeypatch.setattr(torch_engine, "build_model", noted)
    source = Source(replace(made.source.facts, width=1024), None, made.model.state_dict())
    with pytest.raises(DamagedModel, match=r"ask for has far more numbers than its weights; restore them$"):
        torch_engine.load_net(source)
    source = replace(source, facts=replace(source.facts, width=64))  # not large enough to be stopped
    with pytest.raises(UserError, match="the weights do not fit model"):
        torch_engine.load_net(source)
    assert built == ["meta"]


def test_openvino_goes_on_after_what_it_cannot_take(made: Any) -> None:
    opened = open_engine(made.source, "openvino", "cpu", "32")
    with pytest.raises(RuntimeError):
        opened(made.slices[:, :1])
    np.testing.assert_allclose(opened(made.slices), made.expected, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_own_precision_is_near(made: Any, engine: str) -> None:
    np.testing.assert_allclose(open_engine(made.source, engine)(made.slices), made.expected, atol=0.03)


def test_auto_is_the_fastest_installed(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = made.source
    monkeypatch.setattr(opening, "sees_gpu", lambda: False)
    assert pick_engine(source, "auto", "auto", many=True) == "openvino"
    assert pick_engine(source, "auto", "auto", many=False) == "onnx"
    assert pick_engine(source, "torch", "auto", many=True) == "torch"
    assert pick_engine(source, "auto", "auto", many=False, precision="bf16") == "openvino"
    monkeypatch.setattr(opening, "installed", lambda name: name != "openvino")
    assert pick_engine(source, "auto", "cpu", many=True) == "onnx"
    assert pick_engine(source, "auto", "cpu", many=True, precision="bf16") == "torch"  # ONNX Runtime has no bf16
    monkeypatch.setattr(opening, "installed", lambda name: name == "torch")
    assert pick_engine(source, "auto", "cpu", many=False) == "torch"


def test_auto_is_torch_where_there_is_a_gpu_or_no_onnx(made: Any, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pick_engine(made.source, "auto", "0", many=True) == "torch"
    assert pick_engine(Source(made.source.facts, empty), "auto", "cpu", many=True) == "torch"
    monkeypatch.setattr(opening, "sees_gpu", lambda: True)
    assert pick_engine(made.source, "auto", "auto", many=True) == "torch"
    assert pick_engine(made.source, "auto", "auto", many=False) == "onnx"  # done before a GPU has started


def test_not_installed(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "installed", lambda name: False)
    with pytest.raises(UserError, match="`engine` onnx: onnxruntime is not installed; run pip install onnxruntime"):
        open_engine(made.source, "onnx")


def test_not_on_a_gpu(made: Any) -> None:
    with pytest.raises(UserError, match="`engine` onnx: runs on the processor; leave `gpus=0` out"):
        open_engine(made.source, "onnx", "0")


@pytest.mark.parametrize(("engine", "file"), [("torch", WEIGHTS), ("onnx", ONNX), ("openvino", ONNX)])
def test_missing_or_damaged(made: Any, empty: Path, engine: str, file: str) -> None:
    source = Source(made.source.facts, empty)
    with pytest.raises(UserError, match=rf"{file}|neither"):
        open_engine(source, engine, "cpu")
    whole = (made.source.folder / file).read_bytes()
    for content in (b"", b"no model at all", whole[: len(whole) // 2]):
        (empty / file).write_bytes(content)
        with pytest.raises(UserError, match=rf"{file}: not a readable") as caught:
            open_engine(source, engine, "cpu")
        assert "\n" not in str(caught.value)


def test_weights_of_another_net(made: Any) -> None:
    other = replace(made.source, facts=replace(made.source.facts, width=8))
    with pytest.raises(UserError, match="the weights do not fit model buda"):
        open_engine(other, "torch", "cpu")


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_without_importing_torch(made: Any, engine: str) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(headtohead.__file__).parents[1])!r})\n"
        "from pathlib import Path\nimport numpy as np\n"
        "from headtohead.trained.source import open_source\nfrom headtohead.trained.engines import open_engine\n"
        f"source = open_source(Path({str(made.source.folder)!r}))\n"
        f"open_engine(source, {engine!r}, 'cpu')(np.zeros((1, 5, 32, 32), np.float32))\n"
        "print({'torch', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "set()"


def test_all_models_of_a_process_share_one_core(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from headtohead.trained.engines import openvino_engine

    open_engine(made.source, "openvino", "cpu", "32")
    monkeypatch.setattr(openvino_engine.openvino, "Core", lambda: pytest.fail("a second core"))
    open_engine(made.source, "openvino", "cpu", "32")
