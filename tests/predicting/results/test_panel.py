"""The panel: four tiles on one grid, all contours, a truth only where there is one, any shape of image."""

import numpy as np
import pytest

from headtohead.drawing.brightness import brightened, white_of
from headtohead.drawing.lettering import shorten
from headtohead.drawing.outlines import PALETTE, PREDICTION, TRUTH, enlarge
from headtohead.predicting.results.panel import (
    CAPTION,
    GAP,
    HEADER,
    LARGEST,
    MARGIN,
    SIDE,
    Prediction,
    _lines,
    draw_panel,
    probability_colours,
)
from headtohead.readers.lgg import TASK as LGG_TASK


def tiles(panel: np.ndarray, height: int, width: int) -> list[np.ndarray]:
    """Cut the four tiles out of a panel, row by row."""
    rows = [HEADER + CAPTION, HEADER + 2 * CAPTION + height + GAP]
    columns = [MARGIN, MARGIN + width + GAP]
    return [panel[top : top + height, left : left + width] for top in rows for left in columns]


def has(pixels: np.ndarray, name: str) -> bool:
    """Say whether a palette colour is somewhere."""
    return bool((pixels == np.array(PALETTE[name], np.uint8)).all(axis=-1).any())


def shown(image: np.ndarray, probability: np.ndarray, threshold: float, truth: np.ndarray | None) -> Prediction:
    """Give a prediction [H, W] with the mask that its threshold makes."""
    labels = LGG_TASK.targets.decide(probability[None], threshold)
    return Prediction(image, probability[None], threshold, labels, truth, LGG_TASK)


@pytest.fixture
def prediction() -> Prediction:
    """Two predicted lesions, one of them true."""
    image = np.random.default_rng(0).integers(0, 80, (256, 256, 3), np.uint8)
    probability = np.full((256, 256), 0.1, np.float32)
    probability[20:40, 20:40] = 0.9
    probability[100:120, 200:220] = 0.6
    truth = np.zeros((256, 256), np.uint8)
    truth[22:44, 22:44] = 1
    return shown(image, probability, 0.5, truth)


def test_the_measures_of_each_target_stay_together() -> None:
    facts = ["model a", "; ".join(f"{name}: {'1,000 voxels, ' * 5}Dice 0.5" for name in ("whole", "core", "rim"))]
    lines = _lines(facts, 600)
    assert [line.rpartition(": ")[0] for line in lines if "Dice" in line] == ["whole", "core", "rim"]
    assert all(line.count("Dice") <= 1 and shorten(line, 600) == line for line in lines)


def test_four_tiles_on_one_grid(prediction: Prediction) -> None:
    image, truth, probability, mask = tiles(draw_panel(prediction, "title", "facts"), SIDE, SIDE)
    bright = brightened(prediction.image, white_of(prediction.image.max(axis=-1)))
    assert np.array_equal(image, enlarge(bright, 2))
    assert np.array_equal(probability, enlarge(probability_colours(prediction.any_target), 2))
    flair = enlarge(bright[:, :, 1], 2)
    for tile in (truth, mask):
        assert np.array_equal(tile[300:, :, 0], flair[300:])


def test_every_lesion_is_outlined(prediction: Prediction) -> None:
    _, truth, _, mask = tiles(draw_panel(prediction, "title", "facts"), SIDE, SIDE)
    assert has(mask[30:90, 30:90], PREDICTION)
    assert has(mask[190:250, 390:450], PREDICTION)
    assert has(mask, TRUTH) and has(truth, TRUTH)
    assert not has(truth, PREDICTION)


def test_no_truth_no_outline_of_it(prediction: Prediction) -> None:
    alone = shown(prediction.image, prediction.any_target, 0.5, None)
    assert not has(draw_panel(alone, "title", "facts"), TRUTH)


def test_threshold_decides(prediction: Prediction) -> None:
    strict = shown(prediction.image, prediction.any_target, 0.7, None)
    *_, mask = tiles(draw_panel(strict, "title", "facts"), SIDE, SIDE)
    assert has(mask[30:90, 30:90], PREDICTION)
    assert not has(mask[190:250, 390:450], PREDICTION)
    assert shown(prediction.image, prediction.any_target, 0.9, None).labels.sum() == 400


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (40, 30), (1300, 700)])
@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.99])
def test_any_shape(shape: tuple[int, int], threshold: float) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    panel = draw_panel(shown(image, np.zeros(shape, np.float32), threshold, None), "t" * 300, "s" * 300)
    assert panel.dtype == np.uint8 and panel.shape[2] == 3
    assert min(panel.shape[:2]) > 200 and max(panel.shape[:2]) < 3 * LARGEST


def test_one_pixel_of_a_large_image_is_still_seen() -> None:
    probability = np.zeros((2000, 3000), np.float32)
    truth = np.zeros((2000, 3000), np.uint8)
    truth[1234, 2345] = 1
    panel = draw_panel(shown(np.zeros((2000, 3000, 3), np.uint8), probability, 0.5, truth), "title", "facts")
    *_, bottom = tiles(panel, round(2000 * LARGEST / 3000), LARGEST)
    assert has(bottom, TRUTH)


def test_colours_rise_in_lightness() -> None:
    lightness = probability_colours(np.linspace(0, 1, 32, dtype=np.float32)[None])[0] @ np.array([0.3, 0.6, 0.1])
    assert (np.diff(lightness) > 0).all()
    assert lightness[0] < 5 and lightness[-1] > 220
