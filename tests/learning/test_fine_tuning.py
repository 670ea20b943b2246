"""Frozen layers, thawed ones, and rates of their own, under every optimiser and schedule."""

from itertools import product

import pytest
import torch

from headtohead.learning.fine_tuning import PLAIN, FineTuning
from headtohead.learning.schedules import OPTIMIZERS, build_optimizer, build_schedule
from headtohead.models.parts import layer_name, layers_of, net_parts
from headtohead.models.registry import build_model
from headtohead.options.training import SCHEDULES
from tests.matrices import thinned

KEPT = {("adamax", "plateau"), ("sgd", "cosine"), ("adamw", "none"), ("adam", "restarting_warmup")}


def learn(net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    net(torch.rand(2, 3, 16, 16)).square().mean().backward()
    optimizer.step()


def changed(before: dict[str, torch.Tensor], net: torch.nn.Module) -> set[str]:
    return {layer_name(name) for name, value in net.state_dict().items() if not torch.equal(value, before[name])}


def copy(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_layers_do_not_move_until_they_thaw(name: str) -> None:
    torch.manual_seed(0)
    net = build_model("buda", 3, 2)
    frozen = frozenset(net_parts(net)["encoder"])
    tuning = FineTuning(frozen, thaw_epoch=2, old=frozen, old_rate=0.5)
    optimizer = build_optimizer(name, tuning.groups(net, 0.1), 0.1)
    for epoch in range(4):
        net.train()  # as a trainer may do at any time between
        tuning.arrange(net, epoch)
        before = copy(net)
        learn(net, optimizer)
        moved = changed(before, net)
        assert moved == set(layers_of(net)) - frozen if epoch < 2 else moved == set(layers_of(net))


def test_without_an_epoch_to_thaw_they_stay() -> None:
    net = build_model("buda", 3, 2)
    FineTuning(frozenset({"conv"})).arrange(net, 1000)
    assert [name for name, weight in net.named_parameters() if not weight.requires_grad] == ["conv.weight", "conv.bias"]


def test_plain_training_hands_on_the_weights_as_they_are() -> None:
    net = build_model("buda", 3, 2)
    PLAIN.arrange(net, 0)
    assert all(weight.requires_grad for weight in net.parameters())
    assert [id(weight) for weight in PLAIN.groups(net, 0.1)] == [id(weight) for weight in net.parameters()]


@pytest.mark.parametrize(("name", "schedule"), thinned(product(OPTIMIZERS, SCHEDULES), KEPT))
def test_old_layers_learn_at_their_share_of_every_rate(name: str, schedule: str) -> None:
    net = build_model("buda", 3, 2)
    old = frozenset(net_parts(net)["encoder"])
    optimizer = build_optimizer(name, FineTuning(old=old, old_rate=0.1).groups(net, 0.2), 0.2)
    plain = build_optimizer(name, build_model("buda", 3, 2).parameters(), 0.2)
    new, taken = optimizer.param_groups
    members = {id(weight) for weight in taken["params"]}
    assert {layer_name(one) for one, weight in net.named_parameters() if id(weight) in members} == old
    assert len(new["params"]) + len(taken["params"]) == len(list(net.parameters()))
    rates = []
    schedules = [build_schedule(schedule, one, steps=20, epochs=2) for one in (optimizer, plain)]
    for _ in range(20):
        assert new["lr"] == plain.param_groups[0]["lr"], "new layers have the full rate"
        assert taken["lr"] == pytest.approx(0.1 * new["lr"], rel=1e-6, abs=1e-9)
        rates.append(new["lr"])
        optimizer.step()
        plain.step()
        for one in filter(None, schedules):
            one["scheduler"].step(*([0.0] if schedule == "plateau" else []))
    assert (len(set(rates)) > 1) == (schedule != "none")


def test_a_net_of_old_layers_alone_has_one_group() -> None:
    net = build_model("buda", 3, 2)
    [group] = FineTuning(old=frozenset(layers_of(net)), old_rate=0.5).groups(net, 0.2)
    assert group["lr"] == 0.1 and len(group["params"]) == len(list(net.parameters()))
