"""What every loss must do: one tester, inherited by each."""

from abc import ABC, abstractmethod
from itertools import product

import numpy as np
import pytest
import torch

from headtohead.errors import UserError
from headtohead.learning.losses.registry import LOSSES
from headtohead.learning.losses.training_loss import TrainingLoss
from tests.learning.losses.by_numpy import with_background

KINDS = {"region": (1, 1), "regions": (3, 3), "class": (1, 2), "classes": (2, 3)}
"""What may be segmented: targets and logits."""

kinds = pytest.mark.parametrize("kind", KINDS)


def drawn(kind, batch=3, size=5):
    """Random logits, and a mask whose last slice is empty."""
    rng = np.random.default_rng(7)
    targets, channels = KINDS[kind]
    logits = 2 * rng.standard_normal((batch, channels, size, size))
    return logits, mask_of(kind, rng.integers(0, targets + 1, (batch, size, size)), targets)


def mask_of(kind, labels, targets):
    labels[-1] = 0
    if "class" in kind:
        return np.stack([labels == target + 1 for target in range(targets)], axis=1).astype(float)
    return np.stack([labels > target for target in range(targets)], axis=1).astype(float)  # regions within each other


def certain(mask, channels, logit=100.0):
    """Logits of exactly the mask."""
    there = torch.as_tensor(mask if channels == mask.shape[1] else with_background(mask))
    return (logit * (2 * there - 1)).float()


class LossTester(ABC):
    """What any loss must do. A subclass names the loss and computes it once more, in NumPy."""

    name: str

    @abstractmethod
    def reference(self, logits, mask, weight=None):
        """Compute the loss in float64 from its formula; `weight` only if it has a cross-entropy."""

    def loss(self, logits, mask, weight=None):
        logits, mask = (torch.as_tensor(one, dtype=torch.float32) for one in (logits, mask))
        return TrainingLoss(self.name, weight)(logits, mask)

    @property
    def function(self):
        return TrainingLoss(self.name).function

    @kinds
    def test_is_what_its_formula_says(self, kind):
        logits, mask = drawn(kind)
        assert self.loss(logits, mask).item() == pytest.approx(self.reference(logits, mask), rel=1e-5)

    @kinds
    def test_is_what_its_formula_says_where_a_target_is_nowhere(self, kind):
        logits, mask = drawn(kind)
        mask[:, -1] = 0
        assert self.loss(logits, mask).item() == pytest.approx(self.reference(logits, mask), rel=1e-5)

    @kinds
    def test_a_weight_of_the_targets_counts_or_is_refused(self, kind):
        logits, mask = drawn(kind)
        weight = [2.5, 0.5, 4.0][: mask.shape[1]]
        if not LOSSES[self.name].weighs:
            with pytest.raises(UserError, match=f"^`pos_weight`: loss {self.name} has no cross-entropy; leave it out"):
                self.loss(logits, mask, weight)
            return
        expected = self.reference(logits, mask, np.array(weight))
        assert self.loss(logits, mask, weight).item() == pytest.approx(expected, rel=1e-5)
        assert abs(expected - self.reference(logits, mask)) > 1e-3
        assert self.loss(logits, mask, [1.0] * len(weight)).item() == pytest.approx(self.loss(logits, mask).item())

    @kinds
    def test_its_gradient_is_that_of_finite_differences(self, kind):
        logits, mask = (torch.as_tensor(one) for one in drawn(kind, batch=2, size=3))
        assert torch.autograd.gradcheck(lambda given: self.function(given, mask), logits.requires_grad_())

    @kinds
    def test_is_finite_with_finite_gradients(self, kind):
        targets, channels = KINDS[kind]
        for logit, full_slices in product((-200.0, 0.0, 200.0), (0, 1, 2)):
            mask = torch.zeros(2, targets, 4, 4)
            mask[:full_slices, 0] = 1
            logits = torch.zeros(2, channels, 4, 4)
            logits[:, -1] = logit
            loss = self.loss(logits.requires_grad_(), mask)
            loss.backward()
            assert loss.isfinite() and loss > -1e-6, f"logit {logit}, {full_slices} slices full"
            assert logits.grad.isfinite().all(), f"logit {logit}, {full_slices} slices full"

    @kinds
    @pytest.mark.parametrize("empty", [False, True])
    def test_a_perfect_answer_costs_nothing_and_the_opposite_more_than_a_doubtful_one(self, kind, empty):
        _, mask = drawn(kind)
        mask *= not empty
        logits = certain(mask, KINDS[kind][1])
        assert self.loss(logits, mask).item() == pytest.approx(0, abs=1e-5)
        assert self.loss(-logits, mask) > self.loss(0 * logits, mask) > 0.01

    @kinds
    def test_a_step_against_the_gradient_lowers_it(self, kind):
        logits, mask = (torch.as_tensor(one, dtype=torch.float32) for one in drawn(kind))
        before = self.loss(logits.requires_grad_(), mask)
        before.backward()
        assert self.loss(logits - 0.1 * logits.grad / logits.grad.norm(), mask) < before

    def test_of_several_regions_it_is_the_mean(self):
        logits, mask = drawn("regions")
        alone = [self.loss(logits[:, [place]], mask[:, [place]]).item() for place in range(3)]
        assert self.loss(logits, mask).item() == pytest.approx(np.mean(alone), rel=1e-5)

    @kinds
    def test_mixed_precision_ends_before_it(self, kind):
        logits, mask = (torch.as_tensor(one) for one in drawn(kind, size=64))
        coarse, whole = logits.bfloat16(), mask.to(torch.uint8)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = TrainingLoss(self.name)(coarse, whole)
        assert mixed.dtype == torch.float32
        assert torch.equal(mixed, self.loss(coarse.float(), mask))

    @kinds
    def test_nothing_in_it_waits_for_the_device(self, kind):
        """What would read a value, to branch or to index by it, fails where there are none."""
        targets, channels = KINDS[kind]
        logits, mask = (torch.empty(2, count, 8, 8, device="meta") for count in (channels, targets))
        assert self.function(logits.requires_grad_(), mask).shape == ()
