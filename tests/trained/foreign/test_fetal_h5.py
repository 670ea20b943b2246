"""Keras files of the masking U-Net, made here layer by layer as Keras lays them out."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from headtohead.errors import UserError
from headtohead.predicting.cleaning.postprocessing import parse_steps
from headtohead.preparing.chain import Prepared
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.foreign import fetal_h5, read_foreign
from headtohead.trained.source import Source

Layers = list[tuple[str, list[tuple[str, np.ndarray]]]]


def keras_layers(width: int = 32, in_channels: int = 1) -> Layers:
    """The net as Keras lists it: every layer in order, those without weights too; kernels [h, w, in, out]."""
    rng = np.random.default_rng(0)
    layers: Layers = [("input_1", [])]
    number = 0

    def conv(side: int, before: int, after: int) -> None:
        nonlocal number
        number += 1
        name = f"conv2d_{number}"
        kernel = rng.normal(0, (2 / (side * side * before)) ** 0.5, (side, side, before, after)).astype(np.float32)
        bias = rng.normal(0, 0.05, after).astype(np.float32)
        layers.append((name, [(f"{name}/kernel:0", kernel), (f"{name}/bias:0", bias)]))

    before = in_channels
    for times in (1, 2, 4, 8, 16):
        conv(3, before, times * width)
        conv(3, times * width, times * width)
        before = times * width
        if times >= 8:
            layers.append((f"dropout_{times}", []))
        if times < 16:
            layers.append((f"max_pooling2d_{times}", []))
    for times in (8, 4, 2, 1):
        layers.append((f"up_sampling2d_{times}", []))
        conv(2, 2 * times * width, times * width)
        layers.append((f"concatenate_{times}", []))
        conv(3, 2 * times * width, times * width)
        conv(3, times * width, times * width)
    conv(1, width, 1)
    return layers


def write_keras(path: Path, layers: Layers, below: str = "", chunks: int = 0) -> None:
    """Write a file as `save_weights` does, or as `save` does below `model_weights`; long lists of names in chunks."""
    with h5py.File(path, "w") as file:
        root = file.create_group(below) if below else file
        names = np.array([name.encode() for name, _ in layers])
        if chunks:
            for number, part in enumerate(np.array_split(names, chunks)):
                root.attrs[f"layer_names{number}"] = part
        else:
            root.attrs["layer_names"] = names
        root.attrs["backend"] = b"tensorflow"
        for name, weights in layers:
            group = root.create_group(name)
            group.attrs["weight_names"] = np.array([weight.encode() for weight, _ in weights], dtype="S64")
            for weight, array in weights:
                group.create_dataset(weight, data=array)
        if below:
            file.attrs["model_config"] = b'{"class_name": "Model"}'
            file.create_group("optimizer_weights").attrs["weight_names"] = np.array([b"Adam/iterations:0"])


def the_net_again(layers: Layers, image: torch.Tensor) -> torch.Tensor:
    """The published net with its sigmoid, written down by its facts: float [B, 1, H, W] to [B, 1, H, W]."""
    arrays = iter([torch.from_numpy(array) for _, weights in layers for _, array in weights])

    def conv(features: torch.Tensor) -> torch.Tensor:
        kernel, bias = next(arrays), next(arrays)
        side = kernel.shape[0]
        # 'same': one row more is added below than above where their number is odd.
        before = (side - 1) // 2
        after = side - 1 - before
        padded = F.pad(features, (before, after, before, after))
        return F.conv2d(padded, kernel.permute(3, 2, 0, 1), bias)

    skips = []
    features = image
    for _ in range(4):
        features = conv(conv(features).relu()).relu()
        skips.append(features)
        features = F.max_pool2d(features, 2)
    features = conv(conv(features).relu()).relu()
    for skip in reversed(skips):
        up = conv(features.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)).relu()
        features = conv(conv(torch.cat([skip, up], dim=1)).relu()).relu()
    return conv(features).sigmoid()


@pytest.mark.parametrize(("width", "below", "chunks"), [(32, "", 0), (4, "model_weights", 0), (3, "", 4)])
def test_the_weights_convert_and_answer_as_the_keras_net(width: int, below: str, chunks: int, tmp_path: Path) -> None:
    layers = keras_layers(width)
    path = tmp_path / "mask.weights.h5"
    write_keras(path, layers, below, chunks)
    facts, state = read_foreign(path, "fetal_unet")
    assert (facts.name, facts.model, facts.width, facts.in_channels) == ("mask", "fetal_unet", width, 1)
    if width == 32:
        assert sum(value.numel() for value in state.values()) == 7_759_521
    image = torch.randn(1, 1, 48, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = load_net(Source(facts, None, state))(image).sigmoid()
        expected = the_net_again(layers, image)
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_facts_carry_its_own_preparation_and_clean_up(tmp_path: Path) -> None:
    write_keras(tmp_path / "mask.h5", keras_layers(2))
    facts, _ = read_foreign(tmp_path / "mask.h5", "fetal_unet")
    assert facts.postprocessing == fetal_h5.CLEAN_UP
    assert len(parse_steps(facts.postprocessing)) == 3
    assert (facts.task, facts.threshold) == (NIFTI_TASK, 0.5)
    prepared = Prepared(facts.chain, np.random.default_rng(0).random((2, 100, 80, 1), np.float32))
    assert prepared.input(0).shape == (1, 256, 256)


Change = Callable[[Layers], Layers]


def with_array(layers: Layers, name: str, array: np.ndarray) -> Layers:
    return [(layer, [(w, array if w == name else a) for w, a in weights]) for layer, weights in layers]


def without_layer(layers: Layers, name: str) -> Layers:
    return [layer for layer in layers if layer[0] != name]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda layers: without_layer(layers, "conv2d_23"), "44 arrays instead of 46"),
        (lambda layers: [*layers, ("dense", [("dense/kernel:0", np.zeros((1, 1)))])], "47 arrays instead of 46"),
        (
            lambda layers: with_array(layers, "conv2d_11/kernel:0", np.zeros((3, 3, 64, 32))),
            r"conv2d_11/kernel:0 is \(3, 3, 64, 32\), but fetal_unet has \(2, 2, 64, 32\); is it another model\?",
        ),
        (lambda layers: with_array(layers, "conv2d_2/bias:0", np.zeros(5)), r"is \(5,\), but fetal_unet has \(4,\)"),
        (lambda layers: layers[:1], "does not begin with a convolution"),
        (lambda layers: [("dense", [("dense/kernel:0", np.zeros((4, 4)))])], "does not begin with a convolution"),
        (lambda layers: [], "no layers in it"),
        (lambda _: keras_layers(4, 3), "takes 3 channels, but slices of this model have one"),
    ],
)
def test_other_weights_are_refused_in_a_line(change: Change, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mask.h5"
    write_keras(path, change(keras_layers(4)))
    with pytest.raises(UserError, match=said) as caught:
        read_foreign(path, "fetal_unet")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n", None])
def test_damaged_files_are_refused_in_a_line(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "mask.h5"
    if content is None:
        write_keras(path, keras_layers(4))
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a readable Keras file of weights"):
        read_foreign(path, "fetal_unet")


def test_a_layer_that_is_named_but_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.h5"
    write_keras(path, keras_layers(4))
    with h5py.File(path, "a") as file:
        del file["conv2d_3"]
    with pytest.raises(UserError, match="not a readable Keras file of weights"):
        read_foreign(path, "fetal_unet")


def test_an_array_of_absurd_size_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mask.h5"
    write_keras(path, keras_layers(4))
    with h5py.File(path, "a") as file:
        del file["conv2d_1/conv2d_1/kernel:0"]
        file.create_dataset("conv2d_1/conv2d_1/kernel:0", shape=(3, 3, 1, 2**40), dtype="f4", chunks=(3, 3, 1, 64))
    assert path.stat().st_size < 2**22
    with pytest.raises(UserError, match=r"\d{13} numbers in 1 arrays up to conv2d_1/kernel:0; no fetal_unet holds"):
        read_foreign(path, "fetal_unet")


def test_many_names_of_one_array_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetal_h5, "LARGEST", 2**17)
    path = tmp_path / "mask.h5"
    write_keras(path, keras_layers(4))
    with h5py.File(path, "a") as file:
        file["conv2d_2"].create_dataset("large", shape=(2**14,), dtype="f4", chunks=(64,))
        file["conv2d_2"].attrs["weight_names"] = np.array([b"large"] * 500)
    with pytest.raises(UserError, match=r"numbers in 10 arrays up to large; no fetal_unet holds as many"):
        read_foreign(path, "fetal_unet")


@pytest.mark.parametrize("how", ["link", "soft link", "external data", "virtual", "linked layer", "linked root"])
def test_other_files_are_not_read(how: str, tmp_path: Path) -> None:
    """Though they are there, and hold just what they should."""
    path, other = tmp_path / "mask.h5", tmp_path / "other.h5"
    for file_path in (path, other):
        write_keras(file_path, keras_layers(4), "model_weights")
    place = "model_weights/conv2d_2/conv2d_2/bias:0"
    values = tmp_path / "values.bin"
    values.write_bytes(bytes(16))
    with h5py.File(path, "a") as file:
        if how == "linked root":
            del file["model_weights"]
            file["model_weights"] = h5py.ExternalLink(str(other), "model_weights")
        elif how == "linked layer":
            del file["model_weights/conv2d_2"]
            file["model_weights/conv2d_2"] = h5py.ExternalLink(str(other), "model_weights/conv2d_2")
        else:
            del file[place]
        if how == "link":
            file[place] = h5py.ExternalLink(str(other), place)
        elif how == "soft link":
            file["away"] = h5py.ExternalLink(str(other), "/")
            file[place] = h5py.SoftLink(f"/away/{place}")
        elif how == "external data":
            file.create_dataset(place, shape=(4,), dtype="f4", external=[(str(values), 0, 16)])
        elif how == "virtual":
            layout = h5py.VirtualLayout((4,), "f4")
            layout[:] = h5py.VirtualSource(str(other), place, (4,))
            file.create_virtual_dataset(place, layout)
    with pytest.raises(UserError, match=r"mask\.h5: refused, since .+ lies elsewhere"):
        read_foreign(path, "fetal_unet")
