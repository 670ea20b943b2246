"""A net that is larger than its weights is not built to its end."""

import threading
import time
from collections.abc import Callable

import pytest
import torch
from torch import nn

from headtohead.models.bounded import FREE_NUMBERS, NetTooLarge, bounded_to
from headtohead.models.registry import build_model

FEW = {"weight": torch.zeros(3)}
Make = Callable[[], object]


def test_a_net_may_be_built_for_its_own_weights() -> None:
    with torch.device("meta"):
        weights = build_model("buda", 3).state_dict()
        with bounded_to(weights):
            assert build_model("buda", 3).state_dict().keys() == weights.keys()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: nn.Sequential(*(nn.Linear(1, 1) for _ in range(10**6))), "tensors"),
        (lambda: [nn.Sequential(nn.Sequential(nn.ReLU())) for _ in range(10**6)], "layers"),
        (lambda: nn.Conv2d(10**5, 10**5, 3), "numbers"),
        (lambda: nn.Module().register_buffer("table", torch.empty(FREE_NUMBERS, 2, device="meta")), "numbers"),
    ],
)
def test_one_that_is_far_larger_is_stopped_at_once(make: Make, what: str) -> None:
    began = time.monotonic()
    with torch.device("meta"), bounded_to(FEW), pytest.raises(NetTooLarge, match=f"far more {what} than its weights$"):
        make()
    assert time.monotonic() - began < 5  # a million layers take minutes


def test_numbers_are_counted_before_they_are_drawn() -> None:
    """On the processor, too, where some nets of libraries have to be built: 40 GB would be written to."""
    with bounded_to(FEW), pytest.raises(NetTooLarge):
        nn.Linear(10**5, 10**4)


def test_other_threads_build_what_they_like_and_so_does_who_comes_after() -> None:
    made = []
    with bounded_to(FEW):
        thread = threading.Thread(target=lambda: made.append(nn.Linear(10**4, 10**4, device="meta")))
        thread.start()
        thread.join()
    assert made
    nn.Linear(10**4, 10**4, device="meta")
