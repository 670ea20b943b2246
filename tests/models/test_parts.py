"""The parts of each net, held against what changes when it is built for other inputs and other targets."""

import re

import pytest
import torch
from torch import nn

from headtohead.errors import UserError
from headtohead.models.parts import layer_name, layers_of, named_layers, net_parts
from headtohead.models.registry import MODELS, build_model


def built(name: str, in_channels: int = 3, out_channels: int = 1) -> nn.Module:
    with torch.device("meta"):
        return build_model(name, in_channels, out_channels=out_channels)


def differing(one: nn.Module, other: nn.Module) -> set[str]:
    here, there = one.state_dict(), other.state_dict()
    return {layer_name(name) for name in here if here[name].shape != there[name].shape}


@pytest.mark.parametrize("name", MODELS)
def test_parts_of_every_net(name: str) -> None:
    net = built(name)
    parts = net_parts(net)
    assert [*parts["encoder"], *parts["decoder"], *parts["head"]] == layers_of(net), "in order, each layer once"
    assert differing(net, built(name, out_channels=4)) <= set(parts["head"]), "new targets renew the head alone"
    assert differing(net, built(name, in_channels=5)) <= set(parts["encoder"])
    assert parts["all-but-head"] == [*parts["encoder"], *parts["decoder"]]
    sizes = [dict(net.named_parameters())[f"{layer}.weight"].numel() for layer in parts["encoder"]]
    assert sum(sizes) > 1e6 > dict(net.named_parameters())[f"{parts['head'][-1]}.weight"].numel()


def test_a_net_of_others_is_asked_too() -> None:
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.pool = nn.MaxPool2d(2)
            self.rest = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
            self.scale = nn.Parameter(torch.ones(1))
            self.last = nn.Conv2d(4, 1, 1)
            self.act = nn.Sigmoid()

    parts = net_parts(Other())
    assert "encoder" not in parts and "decoder" not in parts
    assert parts["head"] == ["last"] and parts["rest"] == ["rest.0", "rest.1"] and parts["scale"] == ["scale"]
    assert sorted(parts["all-but-head"]) == ["first", "rest.0", "rest.1", "scale"]
    whole = nn.Sequential(Other())
    assert net_parts(whole)["head"] == ["0.last"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "encodr",
            "has no part encodr (did you mean encoder?); write encoder, decoder, head, all-but-head, or one of",
        ),
        ("encoder,", "has no part "),
        ("encoder,decoder,head", "names the whole net, and nothing would be learned"),
    ],
)
def test_words_that_name_no_part_are_refused(words: str, said: str) -> None:
    with pytest.raises(UserError, match=f"^`freeze` {words}: .*{re.escape(said)}"):
        named_layers(built("unet"), words, f"`freeze` {words}")


def test_several_parts_are_given_in_the_order_of_the_net() -> None:
    assert named_layers(built("unet"), "head, down1", "") == ["down1.0", "down1.2", "head"]


@pytest.mark.parametrize("name", ["unet", "buda"])
def test_the_heads_of_lower_levels_are_of_the_head(name):
    plain, deep = (net_parts(build_model(name, 3, width=4, deep_supervision=asked)) for asked in (False, True))
    assert set(deep["head"]) - set(plain["head"]) and all("deep_heads" in one for one in deep["head"][1:])
    assert {part: layers for part, layers in deep.items() if part != "head"} == {
        part: layers for part, layers in plain.items() if part != "head"
    }
