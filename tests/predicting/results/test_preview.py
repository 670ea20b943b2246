"""The sheet of slices."""

import numpy as np
import pytest

from headtohead.drawing.outlines import PREDICTION, TRUTH, rgb
from headtohead.predicting.results.preview import (
    COLUMNS,
    LONE,
    MOST,
    TILE,
    Preview,
    choose_slices,
    draw_frames,
    draw_sheet,
)
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.task import Target, Targets

GREY = np.random.default_rng(0).normal(100, 30, (6, 40, 40)).astype(np.float32)
MASK = np.zeros(GREY.shape, bool)
MASK[2, 10:20, 10:20] = True


def has(sheet: np.ndarray, colour: str, above: int = 30) -> bool:
    """Say whether a colour stands in the sheet, its legend left out."""
    return bool((sheet[:-above] == rgb(colour)).all(axis=-1).any())


def drawn(
    grey: np.ndarray,
    prediction: np.ndarray,
    truth: np.ndarray | None,
    pixel: tuple[float, float],
    title: str,
    subtitle: str,
) -> np.ndarray:
    """Draw the sheet of a volume."""
    labels = None if truth is None else truth.astype(np.uint8)
    return draw_sheet(Preview(grey, prediction.astype(np.uint8), labels, pixel, LGG_TASK.targets), title, subtitle)


def test_frames_are_slices_of_one_size_under_the_levels_of_the_volume() -> None:
    labels = np.concatenate([MASK, MASK[:1]]).astype(np.uint8)
    slices = Preview(np.concatenate([GREY, GREY[:1] + 300]), labels, None, (1, 1), LGG_TASK.targets)
    frames = list(draw_frames(slices, "a", "b"))
    assert len(frames) == 7 and len({frame.shape for frame in frames}) == 1
    assert not np.array_equal(frames[0], frames[6]), "a brighter slice must look brighter"
    assert has(frames[2], PREDICTION) and not has(frames[3], PREDICTION)


def test_outlines_of_prediction_and_truth() -> None:
    empty = np.zeros_like(MASK)
    assert not has(drawn(GREY, empty, None, (1, 1), "a", "b"), PREDICTION)
    assert has(drawn(GREY, MASK, None, (1, 1), "a", "b"), PREDICTION)
    assert not has(drawn(GREY, MASK, None, (1, 1), "a", "b"), TRUTH)
    assert has(drawn(GREY, empty, MASK, (1, 1), "a", "b"), TRUTH)


def test_pixels_keep_their_proportions() -> None:
    flat = drawn(GREY, MASK, None, (1, 2), "a", "b")
    square = drawn(GREY, MASK, None, (1, 1), "a", "b")
    assert square.shape[0] - flat.shape[0] == TILE // 2
    assert square.shape[1] == flat.shape[1]


def test_many_slices_are_thinned_and_the_fullest_is_kept() -> None:
    mask = np.zeros((200, 4, 4), bool)
    mask[101] = mask[102, 0] = True
    chosen = choose_slices(mask, np.ones(200, bool))
    assert len(chosen) == MOST and 101 in chosen and chosen == sorted(set(chosen))
    assert chosen[0] == 0 and chosen[-1] == 199
    assert choose_slices(mask[:7], np.zeros(7, bool)) == list(range(7))
    head = np.arange(200) // 60 == 1
    assert choose_slices(mask, head)[0] == 60 and choose_slices(mask, head)[-1] == 119
    assert choose_slices(mask, np.zeros(200, bool)) == [101, 102]
    assert len(choose_slices(mask & False, np.zeros(200, bool))) == MOST
    sheet = drawn(np.zeros((200, 4, 4), np.float32), mask, None, (1, 1), "a", "b")
    assert sheet.shape[1] < COLUMNS * (TILE + 8) + 40


def test_a_lone_picture_is_shown_large() -> None:
    assert drawn(GREY[:1], MASK[:1], None, (1, 1), "a" * 300, "b" * 300).shape[1] >= LONE


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 50), (2, 500, 300)])
def test_any_size(shape: tuple[int, int, int]) -> None:
    sheet = drawn(np.full(shape, -5, np.float32), np.ones(shape, bool), np.ones(shape, bool), (1, 1), "ü [x]", "")
    assert sheet.dtype == np.uint8 and sheet.ndim == 3


def test_negative_values_are_not_black() -> None:
    sheet = drawn(GREY - 1000, np.zeros_like(MASK), None, (1, 1), "a", "b")
    same = drawn(GREY, np.zeros_like(MASK), None, (1, 1), "a", "b")
    assert np.abs(sheet.astype(int) - same).max() <= 1


def test_a_long_legend_takes_several_lines() -> None:
    colours = [(40 * number, 200, 99) for number in range(6)]
    names = [f"a long name of target {number}" for number in range(6)]
    targets = Targets(
        tuple(
            Target(name, (place,), colour) for place, (name, colour) in enumerate(zip(names, colours, strict=True), 1)
        )
    )
    sheet = draw_sheet(Preview(GREY[:1], np.zeros_like(MASK[:1], np.uint8), None, (1, 1), targets), "a", "b")
    assert all((sheet == colour).all(axis=-1).any() for colour in colours), "each has its sample in the legend"
