"""The outlined validation slices that TensorBoard shows during a training."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.drawing.legend import LINE
from headtohead.drawing.outlines import PREDICTION, TRUTH, draw_outlines
from headtohead.learning import validation_images as module
from headtohead.learning.module import SegmentationModule
from headtohead.learning.validation_images import ValidationImages, draw_pair, inputs, outlined, shown_slices
from tests.several_targets import NESTED

RECIPE = {"image_size": 32, "normalise": "inner", "neighbours": 1}


@pytest.fixture(scope="module")
def split(phantom_cohort: Cohort) -> Split:
    """Seven cases to validate."""
    parts = [np.concatenate([phantom_cohort.slices_of(case) for case in cases])
             for cases in (range(4), range(4, 11), (11,))]  # fmt: skip
    return Split("patient", 0, *parts)


def everywhere(cohort: Cohort, threshold: float = 0.5) -> SegmentationModule:
    """A net that answers 0.6 in every pixel."""
    net = SegmentationModule(
        model="buda", width=2, in_channels=5, recipe=RECIPE, threshold=threshold, cases=len(cohort), learning_rate=1
    )
    with torch.no_grad():
        net.model.conv.weight.zero_()
        net.model.conv.bias.fill_(np.log(0.6 / 0.4))
    return net.eval()


def test_shows_the_largest_lesion_of_cases_throughout_validation(phantom_cohort: Cohort, split: Split) -> None:
    shown = shown_slices(phantom_cohort, split)
    assert list(shown) == [4, 6, 8, 10]
    for case, number in shown.items():
        assert number in split.val
        areas = phantom_cohort.masks(case).sum(axis=(1, 2))
        assert areas[phantom_cohort.case_of(number)[1]] == areas.max()


def test_shows_only_validation_slices_where_slices_are_split(phantom_cohort: Cohort) -> None:
    numbers = np.arange(phantom_cohort.n_slices)
    split = Split("slice", 0, numbers[::2], numbers[1::4], numbers[3::4])
    assert set(shown_slices(phantom_cohort, split).values()) <= set(split.val.tolist())


def test_few_cases_are_shown_once(phantom_cohort: Cohort) -> None:
    numbers = phantom_cohort.slices_of(3)
    assert len(shown_slices(phantom_cohort, Split("patient", 0, numbers, numbers, numbers))) == 1


@pytest.mark.parametrize(("threshold", "predicted"), [(0.5, True), (0.7, False)])
def test_outlines_truth_and_prediction_at_the_threshold(
    phantom_cohort: Cohort, split: Split, threshold: float, predicted: bool
) -> None:
    drawn = outlined(everywhere(phantom_cohort, threshold), phantom_cohort, split)
    assert len(drawn) == 4
    for (tag, image), (case, number) in zip(drawn, shown_slices(phantom_cohort, split).items(), strict=True):
        index = phantom_cohort.case_of(number)[1]
        assert tag == f"validation/{phantom_cohort.table['case'].iloc[case]} slice {index + 1}"
        truth = phantom_cohort.masks(case)[index]
        flair = np.array(phantom_cohort.primary(case)[index])
        masks = {TRUTH: truth, PREDICTION: np.full(truth.shape, predicted)}
        assert (image == draw_outlines(flair, masks, scale=2)).all()


@pytest.mark.parametrize(("epochs", "due"), [(1, [0]), (3, [0, 1, 2]), (5, [0, 1, 2, 3, 4]), (30, [0, 7, 14, 22, 29])])
def test_shows_images_a_few_times_in_a_training(
    epochs: int, due: list[int], phantom_cohort: Cohort, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "outlined", lambda *_: [("validation/x", np.zeros((2, 2, 3), np.uint8))])
    shown: list[int] = []
    writer = SimpleNamespace(add_image=lambda name, image, step, dataformats: shown.append(step))
    batches, net = SimpleNamespace(cohort=phantom_cohort, split=split), everywhere(phantom_cohort)
    for epoch in range(epochs):
        trainer = SimpleNamespace(
            max_epochs=epochs,
            current_epoch=epoch,
            global_step=epoch + 1,  # as after the epoch's last batch
            is_global_zero=True,
            logger=SimpleNamespace(experiment=writer),
            datamodule=batches,
        )
        ValidationImages().on_validation_epoch_end(trainer, net)  # type: ignore[arg-type]
    assert shown == due


def test_several_targets_stand_side_by_side_above_their_names() -> None:
    image, masks = np.zeros((120, 160), np.uint8), np.zeros((2, 120, 160), bool)
    masks[0, 20:60, 20:60] = True
    masks[1, 30:40, 30:40] = True
    drawn = draw_pair(image, masks, np.zeros_like(masks), NESTED)
    assert drawn.shape[1] == 2 * 320 and 240 < drawn.shape[0] <= 240 + 2 * LINE
    for target in NESTED.all:
        seen = (drawn == np.array(target.colour, np.uint8)).all(axis=-1)
        assert seen[:240, :320].any() and not seen[:240, 320:].any() and seen[240:].any()


def test_the_first_pictures_come_before_the_first_step_and_leave_no_trace(phantom_cohort: Cohort, split: Split) -> None:
    net = everywhere(phantom_cohort).train()
    net.model.encoder1.eval()  # as a part that is frozen
    before, drawn = {name: value.clone() for name, value in net.state_dict().items()}, torch.get_rng_state()
    shown: list[tuple[str, int]] = []
    trainer = SimpleNamespace(
        global_step=0,
        is_global_zero=True,
        logger=SimpleNamespace(
            experiment=SimpleNamespace(add_image=lambda name, image, step, dataformats: shown.append((name, step))),
            save=lambda: None,
        ),
        datamodule=SimpleNamespace(cohort=phantom_cohort, split=split),
    )
    ValidationImages().on_train_start(trainer, net)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), drawn), "a training draws the same numbers as without them"
    tags = [tag for tag, _ in outlined(everywhere(phantom_cohort), phantom_cohort, split)]
    assert shown == [(tag, 0) for tag in (*tags, *(f"{tag} inputs" for tag in tags))]
    assert net.training and net.model.decoder1.training and not net.model.encoder1.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    trainer.global_step = 7  # goes on from a checkpoint
    ValidationImages().on_train_start(trainer, net)  # type: ignore[arg-type]
    assert len(shown) == 2 * len(tags)


def test_all_sequences_are_shown_side_by_side(phantom_cohort: Cohort, split: Split) -> None:
    for (tag, image), (case, number) in zip(
        inputs(phantom_cohort, split), shown_slices(phantom_cohort, split).items(), strict=True
    ):
        index = phantom_cohort.case_of(number)[1]
        assert tag == f"validation/{phantom_cohort.table['case'].iloc[case]} slice {index + 1} inputs"
        pixels = phantom_cohort.images(case)[index]
        height, width, _ = pixels.shape
        for channel in range(3):
            panel = image[: 2 * height, 2 * channel * width : 2 * (channel + 1) * width]
            assert (panel[::2, ::2] == pixels[..., [channel]]).all()
        assert (image[2 * height :] < 128).any(), "their names below"


def test_a_lone_sequence_is_not_shown_twice(phantom_cohort: Cohort, split: Split) -> None:
    assert inputs(SimpleNamespace(task=SimpleNamespace(sequences=("image",))), split) == []  # type: ignore[arg-type]
