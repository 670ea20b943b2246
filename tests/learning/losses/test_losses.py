"""Every loss passes the same tests: one tester, inherited by each. The last one comes from the how-to page."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from headtohead import machine
from headtohead.errors import UserError
from headtohead.learning import losses
from headtohead.learning.losses.registry import LOSSES, LossSpec
from headtohead.learning.losses.training_loss import TrainingLoss
from tests.as_the_page_says import AsThePageSays, made_tester
from tests.learning.losses.by_numpy import (
    entropy_of_pixels,
    jaccard_of_sets,
    pooled,
    probability_of,
    softmax,
    with_background,
)
from tests.learning.losses.tester import LossTester, certain, drawn, kinds

HOW_TO = Path(__file__).parents[3] / "docs/how-to/add-a-loss.md"


class TestBCEDice(LossTester):
    name = "bce_dice"

    def reference(self, logits, mask, weight=None):
        return TestBCE().reference(logits, mask, weight) + TestDice().reference(logits, mask)


class TestDice(LossTester):
    name = "dice"

    def reference(self, logits, mask):
        each = pooled(mask, probability_of(logits, mask))
        return np.mean([1 - (2 * tp + 1) / (2 * tp + fp + fn + 1) for tp, fp, fn in each])


class TestDiceCE(LossTester):
    name = "dice_ce"

    def reference(self, logits, mask, weight=None):
        p = probability_of(logits, mask)
        pairs = [(p[b, k], mask[b, k]) for b in range(len(mask)) for k in range(mask.shape[1])]
        dice = [1 - (2 * np.sum(one * y) + 1e-5) / (one.sum() + y.sum() + 1e-5) for one, y in pairs]
        return np.mean(dice) + TestBCE().reference(logits, mask, weight)

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("kind", ["region", "classes"])
    def test_is_monai_s(self, kind):
        """Of several regions, whose cross-entropy is another, and beside it."""
        from monai.losses import DiceCELoss

        logits, mask = (torch.as_tensor(one) for one in drawn(kind))
        if kind == "region":
            theirs = DiceCELoss(sigmoid=True)(logits, mask)
        else:
            there = torch.as_tensor(with_background(mask.numpy()))
            theirs = DiceCELoss(softmax=True, include_background=False)(logits, there)
        assert self.function(logits, mask).item() == pytest.approx(theirs.item(), rel=1e-5)


class TestBCE(LossTester):
    name = "bce"

    def reference(self, logits, mask, weight=None):
        return entropy_of_pixels(logits, mask, weight).mean()


class TestJaccard(LossTester):
    name = "jaccard"

    def reference(self, logits, mask):
        each = pooled(mask, probability_of(logits, mask))
        return np.mean([1 - (tp + 1) / (tp + fp + fn + 1) for tp, fp, fn in each])


class TestTversky(LossTester):
    name = "tversky"

    def reference(self, logits, mask):
        each = pooled(mask, probability_of(logits, mask))
        return np.mean([1 - (tp + 1) / (tp + 0.3 * fp + 0.7 * fn + 1) for tp, fp, fn in each])

    def test_a_missed_pixel_costs_more_than_a_false_one(self):
        mask = np.zeros((1, 1, 4, 4))
        mask[0, 0, 1:3, 1:3] = 1
        more, less = mask.copy(), mask.copy()
        more[0, 0, 0, 0], less[0, 0, 1, 1] = 1, 0
        assert self.loss(certain(less, 1), mask) > self.loss(certain(more, 1), mask)


class TestFocal(LossTester):
    name = "focal"

    def reference(self, logits, mask, weight=None):
        of_the_truth = np.exp(-entropy_of_pixels(logits, mask))
        return ((1 - of_the_truth) ** 2 * entropy_of_pixels(logits, mask, weight)).mean()


class TestGeneralizedDice(LossTester):
    name = "generalized_dice"

    def reference(self, logits, mask):
        if logits.shape[1] > mask.shape[1]:
            return self.of_labels(softmax(logits), with_background(mask))
        p = probability_of(logits, mask)
        both = (np.stack([1 - one, one], axis=2) for one in (p, mask))
        return np.mean([self.of_labels(*pair) for pair in zip(*(one.swapaxes(0, 1) for one in both), strict=True)])

    @staticmethod
    def of_labels(p, labels):
        sizes = [labels[:, place].sum() for place in range(labels.shape[1])]
        largest = max(1 / size**2 for size in sizes if size)
        weights = [1 / size**2 if size else largest for size in sizes]
        shared = [np.sum(p[:, place] * labels[:, place]) for place in range(len(sizes))]
        both = [np.sum(p[:, place] + labels[:, place]) for place in range(len(sizes))]
        return 1 - 2 * np.dot(weights, shared) / np.dot(weights, both)


class TestLovasz(LossTester):
    name = "lovasz"

    def reference(self, logits, mask):
        if logits.shape[1] == mask.shape[1]:
            errors = np.maximum(1 - logits * (2 * mask - 1), 0)
            pairs = zip(errors.swapaxes(0, 1), mask.swapaxes(0, 1), strict=True)
            return np.mean([jaccard_of_sets(*pair) for pair in pairs])
        labels = with_background(mask)
        errors = np.abs(labels - softmax(logits)).swapaxes(0, 1)
        pairs = zip(errors, labels.swapaxes(0, 1), strict=True)
        return np.mean([jaccard_of_sets(error, label) for error, label in pairs if label.any()])

    @pytest.mark.exhaustive
    @kinds
    def test_is_that_of_segmentation_models(self, kind):
        machine.mend_torchvision()
        from segmentation_models_pytorch.losses import LovaszLoss

        logits, mask = (torch.as_tensor(one, dtype=torch.float32) for one in drawn(kind))
        if logits.shape == mask.shape:
            theirs = np.mean([LovaszLoss("binary")(logits[:, [k]], mask[:, [k]]).item() for k in range(mask.shape[1])])
        else:
            labels = torch.as_tensor(with_background(mask.numpy())).argmax(dim=1)
            theirs = LovaszLoss("multiclass")(logits, labels).item()
        assert self.function(logits, mask).item() == pytest.approx(theirs)

    def test_of_certain_answers_it_is_the_jaccard_loss(self):
        _, mask = drawn("classes")
        answer = np.roll(mask, 1, axis=2)
        found, truth = with_background(answer), with_background(mask)
        jaccard = [1 - (found * truth)[:, k].sum() / np.maximum(found, truth)[:, k].sum() for k in range(3)]
        assert self.loss(certain(answer, 3), mask).item() == pytest.approx(np.mean(jaccard), abs=1e-5)


class TestBoundary(LossTester):
    name = "boundary"

    def reference(self, logits, mask, weight=None):
        p = probability_of(logits, mask)
        terms = []
        for one, truth in zip(p.reshape(-1, *p.shape[2:]), mask.reshape(-1, *p.shape[2:]), strict=True):
            distance = np.zeros_like(truth)
            if truth.any() and not truth.all():
                distance = distance_transform_edt(truth == 0) - (distance_transform_edt(truth) - 1) * truth
            terms.append(np.mean(distance * (one - truth)))
        return TestBCEDice().reference(logits, mask, weight) + 0.01 * np.mean(terms)

    def test_a_far_false_pixel_costs_more_than_a_near_one(self):
        mask = np.zeros((1, 1, 8, 8))
        mask[0, 0, :2, :2] = 1
        near, far = mask.copy(), mask.copy()
        near[0, 0, 0, 2], far[0, 0, 7, 7] = 1, 1
        assert self.loss(certain(far, 1), mask) > self.loss(certain(near, 1), mask) + 1e-4


class TestALossAddedAsThePageSays(
    AsThePageSays, made_tester(HOW_TO, LossTester=LossTester, pooled=pooled, probability_of=probability_of, np=np)
):
    page, package, table, kind_of_row = HOW_TO, losses, LOSSES, LossSpec


def test_every_loss_has_a_tester():
    tested = {tester.name for tester in LossTester.__subclasses__()}
    assert tested >= set(LOSSES)


def test_an_unknown_loss_is_refused_with_the_nearest_name():
    with pytest.raises(UserError, match=r"^`loss` lovas: no such loss; did you mean lovasz."):
        TrainingLoss("lovas")
