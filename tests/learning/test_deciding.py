"""What is decided on the device is what `Targets` decides."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headtohead.learning.deciding import activate, decide_targets, encode
from headtohead.task import Target, Targets
from headtohead.task.targets import CLASSES
from tests.several_targets import CLASSED, NESTED

MANY = Targets(tuple(Target(str(label), (label, label + 300)) for label in range(1, 7)), CLASSES)
CROSSING = Targets((Target("a", (1, 3)), Target("b", (2, 3)), Target("c", (4,))))
EVERY = [NESTED, CLASSED, MANY, CROSSING, Targets((Target("one", (7,)),)), Targets((Target("one", (7,)),), CLASSES)]


@given(st.integers(0, 10_000), st.sampled_from(EVERY), st.sampled_from([0.25, 0.3, 0.5]), st.booleans())
def test_predictions_are_those_of_the_targets(seed: int, targets: Targets, threshold: float, ties: bool) -> None:
    rng, count = np.random.default_rng(seed), len(targets)
    if ties:  # in quarters: equal to each other, to the background, and to the threshold
        shares = rng.multinomial(4, [1 / (count + 1)] * (count + 1), (3, 5, 4))[..., 1:] / 4
    else:
        shares = rng.dirichlet([0.3] * (count + 1), (3, 5, 4))[..., 1:]
    probability = np.moveaxis(shares, -1, 1).astype(np.float32)
    found = decide_targets(torch.from_numpy(probability), targets, threshold).numpy()
    for one, own in zip(found, probability, strict=True):
        assert (one == targets.encode(targets.decide(own, threshold))).all()


@pytest.mark.parametrize("targets", EVERY)
def test_label_maps_are_encoded_alike(targets: Targets) -> None:
    labels = np.random.default_rng(0).choice([0, 9, *targets.labels], (2, 8, 8)).astype(np.uint16)
    found = encode(torch.from_numpy(labels.astype(np.int32)), targets).numpy()
    assert all((one == targets.encode(own)).all() for one, own in zip(found, labels, strict=True))


def test_regions_have_a_sigmoid_each_and_classes_a_softmax_with_the_background() -> None:
    logits = torch.randn(2, 4, 3, 3)
    assert torch.equal(activate(logits, CROSSING), logits.sigmoid())
    found = activate(logits, CLASSED)
    assert found.shape == (2, 3, 3, 3)
    assert (1 - found.sum(dim=1)).numpy() == pytest.approx(logits.softmax(dim=1)[:, 0].numpy(), abs=1e-6)
