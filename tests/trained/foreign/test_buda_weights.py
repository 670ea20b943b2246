"""Published weights of the FLAIR abnormality U-Net, made up here by the published names and shapes."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from headtohead.errors import UserError
from headtohead.preparing.recipe import buda_chain
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.foreign import read_foreign
from headtohead.trained.source import Source

State = dict[str, torch.Tensor]


def published(width: int = 32, in_channels: int = 3) -> State:
    """Names and shapes as published: blocks of two convolutions with batch norm, up-convolutions, a head."""
    blocks = [
        ("encoder1", "enc1", in_channels, 1),
        ("encoder2", "enc2", width, 2),
        ("encoder3", "enc3", 2 * width, 4),
        ("encoder4", "enc4", 4 * width, 8),
        ("bottleneck", "bottleneck", 8 * width, 16),
        ("decoder4", "dec4", 16 * width, 8),
        ("decoder3", "dec3", 8 * width, 4),
        ("decoder2", "dec2", 4 * width, 2),
        ("decoder1", "dec1", 2 * width, 1),
    ]
    rng = torch.Generator().manual_seed(0)
    state: State = {}
    for module, prefix, before, times in blocks:
        after = times * width
        for number, source in ((1, before), (2, after)):
            kernel = torch.randn((after, source, 3, 3), generator=rng) / (3 * source**0.5)
            state[f"{module}.{prefix}conv{number}.weight"] = kernel
            norm = f"{module}.{prefix}norm{number}"
            state[f"{norm}.weight"] = 1 + 0.1 * torch.randn(after, generator=rng)
            state[f"{norm}.bias"] = 0.1 * torch.randn(after, generator=rng)
            state[f"{norm}.running_mean"] = 0.1 * torch.randn(after, generator=rng)
            state[f"{norm}.running_var"] = 0.5 + torch.rand(after, generator=rng)
            state[f"{norm}.num_batches_tracked"] = torch.tensor(5000)
    for level, before, after in ((4, 16, 8), (3, 8, 4), (2, 4, 2), (1, 2, 1)):
        kernel = torch.randn((before * width, after * width, 2, 2), generator=rng) / (before * width) ** 0.5
        state[f"upconv{level}.weight"] = kernel
        state[f"upconv{level}.bias"] = 0.1 * torch.randn(after * width, generator=rng)
    state["conv.weight"] = torch.randn((1, width, 1, 1), generator=rng)
    state["conv.bias"] = torch.randn(1, generator=rng)
    return state


def the_net_again(state: State, image: torch.Tensor) -> torch.Tensor:
    """The published net with its sigmoid, written down by its facts: float [B, C, H, W] to [B, 1, H, W]."""

    def block(features: torch.Tensor, module: str, prefix: str) -> torch.Tensor:
        for number in (1, 2):
            features = F.conv2d(features, state[f"{module}.{prefix}conv{number}.weight"], padding=1)
            mean, variance, weight, bias = (
                state[f"{module}.{prefix}norm{number}.{name}"][:, None, None]
                for name in ("running_mean", "running_var", "weight", "bias")
            )
            features = ((features - mean) / (variance + 1e-5).sqrt() * weight + bias).relu()
        return features

    skips = []
    features = image
    for level in range(1, 5):
        skips.append(block(features, f"encoder{level}", f"enc{level}"))
        features = F.max_pool2d(skips[-1], 2)
    features = block(features, "bottleneck", "bottleneck")
    for level in range(4, 0, -1):
        up = F.conv_transpose2d(features, state[f"upconv{level}.weight"], state[f"upconv{level}.bias"], stride=2)
        features = block(torch.cat([up, skips[level - 1]], dim=1), f"decoder{level}", f"dec{level}")
    return F.conv2d(features, state["conv.weight"], state["conv.bias"]).sigmoid()


@pytest.mark.parametrize(("width", "in_channels"), [(32, 3), (4, 3), (6, 1)])
def test_the_weights_load_and_answer_as_the_published_net(width: int, in_channels: int, tmp_path: Path) -> None:
    state = published(width, in_channels)
    torch.save(state, tmp_path / "unet.pt")
    facts, weights = read_foreign(tmp_path / "unet.pt", "buda")
    assert (facts.name, facts.model, facts.width, facts.in_channels) == ("unet", "buda", width, in_channels)
    assert facts.task.sequences == (LGG_TASK if in_channels == 3 else NIFTI_TASK).sequences
    assert (facts.chain, facts.postprocessing, facts.threshold) == (buda_chain(in_channels), "largest", 0.5)
    image = torch.randn(1, in_channels, 48, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = load_net(Source(facts, None, weights))(image).sigmoid()
        expected = the_net_again(state, image)
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_half_precision_is_read_as_float32(tmp_path: Path) -> None:
    state = {name: value.half() if value.is_floating_point() else value for name, value in published(4).items()}
    torch.save(state, tmp_path / "unet.pt")
    _, weights = read_foreign(tmp_path / "unet.pt", "buda")
    assert {value.dtype for value in weights.values()} == {torch.float32, torch.int64}


def changed(change: str) -> object:
    state: dict[object, object] = dict(published(4))
    if change == "missing":
        del state["decoder2.dec2norm1.running_mean"]
    elif change == "unknown":
        state["decoder9.weight"] = torch.zeros(1)
    elif change == "shape":
        state["upconv3.bias"] = torch.zeros(5)
    elif change == "one number":
        state["upconv3.bias"] = torch.zeros(1).expand(10_000_000)
    elif change == "other net":
        return {"down1.0.weight": torch.zeros(4, 3, 3, 3)}
    elif change == "channels":
        return published(4, 2)
    elif change == "list":
        return [1, 2]
    elif change == "wrapped":
        return {"state_dict": state}
    return state


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("missing", "decoder2.dec2norm1.running_mean is missing"),
        ("unknown", "decoder9.weight is unknown"),
        ("shape", r"upconv3.bias is \(5,\), but should be \(16,\)"),
        ("one number", "its tensors come to more than the file holds"),
        ("other net", "encoder1.enc1conv1.weight is missing; is it another `model`"),
        ("channels", r"takes 2 channels; supported are 1, and 3 \(pre, flair, post\)"),
        ("list", "not a state dict"),
        ("wrapped", "not a state dict"),
    ],
)
def test_other_weights_are_refused_in_a_line(change: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "unet.pt"
    torch.save(changed(change), path)
    with pytest.raises(UserError, match=said) as caught:
        read_foreign(path, "buda")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


class Malicious:
    """Unpickled, it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.trace,)  # type: ignore[return-value]


@pytest.mark.parametrize("torch_format", [True, False])
def test_code_is_refused_and_not_run(torch_format: bool, tmp_path: Path) -> None:
    path, trace = tmp_path / "unet.pt", tmp_path / "was-here"
    content = {"encoder1.enc1conv1.weight": Malicious(trace)}
    if torch_format:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(
        UserError, match=r"refused, since it holds more than tensors and plain data and could run code$"
    ):
        read_foreign(path, "buda")
    assert not trace.exists()


@pytest.mark.parametrize("kind", ["pickle", "torchscript"])
def test_our_line_is_the_only_one(kind: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "unet.pt"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"a": 1}))
        said = "refused, since it holds more than tensors and plain data and could run code"
    else:
        torch.jit.script(torch.nn.Linear(2, 2)).save(path)
        said = "a TorchScript file, not a state dict; name a file of weights"
    recwarn.clear()  # of what scripting itself says
    with pytest.raises(UserError) as caught:
        read_foreign(path, "buda")
    assert str(caught.value) == f"{path}: {said}"
    assert not recwarn.list


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"\x89HDF\r\n\x1a\n", b"hello"])
def test_damaged_files_are_refused_in_a_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "unet.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"unet\.pt: ") as caught:
        read_foreign(path, "buda")
    assert "\n" not in str(caught.value)


def test_a_model_without_published_weights_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="third-party weights can be read for buda and fetal_unet, not for unet"):
        read_foreign(tmp_path / "unet.pt", "unet")
    with pytest.raises(UserError, match=r"unet\.pt: no such file"):
        read_foreign(tmp_path / "unet.pt", "buda")
