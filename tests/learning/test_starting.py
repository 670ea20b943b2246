"""Layers matched by name and shape, and first convolutions fitted to other channels."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from headtohead.errors import UserError
from headtohead.learning.starting import for_channels, match_layers
from headtohead.models.registry import build_model


def weights(
    model: str = "buda", in_channels: int = 3, width: int = 2, out_channels: int = 1
) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return build_model(model, in_channels, width, out_channels=out_channels).state_dict()


def net(model: str = "buda", in_channels: int = 3, width: int = 2, out_channels: int = 1) -> nn.Module:
    torch.manual_seed(8)
    return build_model(model, in_channels, width, out_channels=out_channels)


@pytest.mark.parametrize("prefix", ["", "model.", "module.", "module.model.", "model._orig_mod.", "network."])
def test_all_layers_match_under_any_wrapper(prefix: str) -> None:
    stored, fresh = weights(), net()
    found = match_layers(fresh, {f"{prefix}{name}": value for name, value in stored.items()}, "")
    found.load_into(fresh)
    assert all(torch.equal(value, stored[name]) for name, value in fresh.state_dict().items())
    whole = sum(weight.numel() for weight in fresh.parameters())
    assert found.parameters == (whole, whole) and not found.fresh and not found.unused and not found.adapted
    assert found.lines == [f"41 of 41 layers, {whole:,} of {whole:,} weights"]


def test_a_prefix_that_belongs_to_the_net_stays() -> None:
    own = nn.Module()
    own.model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 1))
    stored = {f"model.{name}": value + 1 for name, value in own.state_dict().items()}
    assert set(match_layers(own, stored, "").taken) == {
        "model.0.weight",
        "model.0.bias",
        "model.1.weight",
        "model.1.bias",
    }


@pytest.mark.parametrize(("there", "here"), [(3, 5), (5, 3), (3, 1), (1, 3), (5, 4)])
def test_another_number_of_channels_answers_equal_ones_as_before(there: int, here: int) -> None:
    stored, fresh = weights(in_channels=there), net(in_channels=here)
    match_layers(fresh, stored, "").load_into(fresh)
    old = net(in_channels=there)
    old.load_state_dict(stored)
    grey = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        answers = [one.eval()(grey.expand(-1, count, -1, -1)) for one, count in ((old, there), (fresh, here))]
    torch.testing.assert_close(*answers, rtol=1e-4, atol=1e-5)


def test_channels_by_hand() -> None:
    weight = torch.tensor([[[[1.0]], [[2.0]], [[6.0]]], [[[0.0]], [[3.0]], [[3.0]]]])  # [2, 3, 1, 1]
    assert for_channels(weight, 2).flatten(1).tolist() == [[4.5, 4.5], [3.0, 3.0]]
    assert for_channels(weight, 1).flatten(1).tolist() == [[9.0], [6.0]]
    volume = torch.rand(4, 2, 3, 3, 3)
    assert for_channels(volume, 5).shape == (4, 5, 3, 3, 3)
    image = torch.rand(1, 1, 6, 6, 6)
    same = [
        functional.conv3d(image.expand(-1, one.shape[1], -1, -1, -1), one) for one in (volume, for_channels(volume, 5))
    ]
    torch.testing.assert_close(*same)


def test_another_number_of_targets_is_a_new_head() -> None:
    stored, fresh = weights(out_channels=3), net(in_channels=5)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    found = match_layers(fresh, stored, "")
    found.load_into(fresh)
    after = fresh.state_dict()
    kept = {
        name for name in after if torch.equal(after[name], before[name]) and not torch.equal(after[name], stored[name])
    }
    assert kept == {"conv.weight", "conv.bias"}
    assert all(
        torch.equal(after[name], stored[name]) for name in after if not name.startswith(("conv", "encoder1.enc1conv1"))
    )
    taken = sum(weight.numel() for name, weight in fresh.named_parameters() if not name.startswith("conv"))
    assert found.lines == [
        f"40 of 41 layers, {taken:,} of {taken + 3:,} weights",
        "  encoder1.enc1conv1: 3 input channels averaged and repeated for 5",
        "  new: conv (weight is 3x2x1x1 there, 1x2x1x1 here)",
    ]


def test_what_is_not_taken_is_named_and_stays_as_drawn() -> None:
    stored, fresh = weights(), net()
    del stored["decoder1.dec1conv2.weight"], stored["decoder2.dec2norm1.running_mean"]
    stored["decoder3.dec3conv1.bias"] = torch.ones(8)
    stored["classifier.weight"] = torch.ones(3, 3)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    found = match_layers(fresh, stored, "")
    assert found.fresh == {
        "decoder3.dec3conv1": "has a bias there",
        "decoder2.dec2norm1": "no running_mean there",
        "decoder1.dec1conv2": "not there",
    }
    assert found.unused == ["classifier"] and found.lines[-1] == "  not used: classifier"
    found.load_into(fresh)
    for layer in found.fresh:
        assert all(
            torch.equal(fresh.state_dict()[name], before[name]) for name in before if name.startswith(f"{layer}.")
        )


def test_a_layer_in_the_middle_of_other_inputs_is_not_averaged() -> None:
    """Only layers on the input are, though a later one may differ in its input channels as well."""
    stored = weights()
    stored["decoder4.dec4conv1.weight"] = stored["decoder4.dec4conv1.weight"][:, :20]
    assert list(match_layers(net(), stored, "").fresh) == ["decoder4.dec4conv1"]
    assert list(match_layers(net(in_channels=5), stored, "").fresh) == ["decoder4.dec4conv1"]


def test_weights_of_half_precision_and_without_counters_are_taken() -> None:
    stored = {name: value.half() for name, value in weights().items() if "num_batches" not in name}
    found = match_layers(net(), stored, "")
    assert not found.fresh and {value.dtype for value in found.taken.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("stored", "scalable", "said"),
    [
        (
            weights(width=4),
            True,
            "its first layer, encoder1.enc1conv1, has 4 channels, that of this net 2, .*; write `width` 4$",
        ),
        (weights(width=4), False, "widths must agree; name other weights$"),
        (
            weights("unet"),
            True,
            "none of its 15 layers .down1.0, down1.2, down2.0 and 12 more. is one of this net .*; name other weights$",
        ),
        ({"module.model.far.weight": torch.zeros(2)}, True, r"none of its 1 layers \(far\) is one"),
        (weights() | {"bottleneck.bottleneckconv1.weight": torch.full((32, 16, 3, 3), torch.nan)}, True, "not finite"),
    ],
)
def test_what_cannot_be_a_start_is_refused(stored: Any, scalable: bool, said: str) -> None:
    with pytest.raises(UserError, match=f"^`init_from` x: .*{said}"):
        match_layers(net(), stored, "`init_from` x", scalable=scalable)
