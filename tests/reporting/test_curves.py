"""The picture of learning."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.drawing.outlines import ON_PAPER as COLOURS
from headtohead.errors import UserError
from headtohead.reporting.curves import NEAREST_LABELS, mean_of_runs, spread
from headtohead.reporting.curves import write_curves as write_curves_of
from headtohead.runs.reading import read_ledger


def write_curves(comparison: Path) -> Path:
    return write_curves_of(read_ledger(comparison), comparison / "figures")


def pixels(path: Path) -> np.ndarray:
    from matplotlib import image

    return np.round(image.imread(path)[..., :3] * 255).astype(int)


def drawn(picture: np.ndarray, colour: str) -> int:
    """Count the pixels of a colour."""
    wanted = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return int((picture == wanted).all(axis=-1).sum())


def test_every_schedule_has_its_colour(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", val_dice=[0.1, 0.4, 0.6])
    path = write_curves(comparison)
    assert path == comparison / "figures" / "curves.png"
    alone = pixels(path)
    assert drawn(alone, COLOURS[0]) > 200
    assert drawn(alone, COLOURS[1]) == 0
    write_run("unet", "cosine", status="running", val_dice=[0.2, 0.3, 0.9])
    assert drawn(pixels(write_curves(comparison)), COLOURS[1]) > 200


def test_every_model_has_its_panel(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none", val_dice=[0.1, 0.4])
    one = pixels(write_curves(comparison)).shape
    write_run("resnext", "none", val_dice=[0.1, 0.4])
    two = pixels(write_curves(comparison)).shape
    assert two[1] > 1.5 * one[1]
    assert two[0] == one[0]


def test_a_single_epoch_is_seen(comparison: Path, write_run: Any) -> None:
    write_run(val_dice=[0.5])
    with_dot = drawn(pixels(write_curves(comparison)), COLOURS[0])
    (comparison / "unet-none-s0-f0" / "metrics.csv").write_text("epoch,train_dice,val_dice\n0,,\n")
    assert with_dot > drawn(pixels(write_curves(comparison)), COLOURS[0])


@pytest.mark.parametrize("content", ["", "epoch,train_dice,val_dice\n", "epoch\n1\n"])
def test_runs_without_a_whole_epoch_are_left_out(comparison: Path, write_run: Any, content: str) -> None:
    write_run("flair-threshold", "-", None, name="flair-threshold")
    folder = write_run(status="running")
    (folder / "metrics.csv").write_text(content)
    with pytest.raises(UserError, match="no curve to draw"):
        write_curves(comparison)


@given(st.lists(st.floats(0, 1), max_size=6).map(sorted))
def test_labels_never_touch_and_move_no_more_than_needed(heights: list[float]) -> None:
    placed = spread(heights)
    assert len(placed) == len(heights)
    assert all(b - a >= NEAREST_LABELS - 1e-9 for a, b in pairwise(placed))
    if all(b - a >= NEAREST_LABELS for a, b in pairwise(heights)):
        assert placed == pytest.approx(heights)
    assert sum(placed) == pytest.approx(sum(heights))


def test_runs_are_averaged_as_far_as_all_have_come() -> None:
    one = pd.DataFrame({"epoch": [0, 1, 2], "train_dice": [0.2, 0.4, 0.9], "val_dice": [0.1, 0.3, 0.9]})
    other = pd.DataFrame({"epoch": [0, 1], "train_dice": [0.4, 0.6], "val_dice": [0.3, 0.7]})
    mean = mean_of_runs([one, other])
    assert mean.index.tolist() == [0, 1]
    assert mean["train_dice"].tolist() == pytest.approx([0.3, 0.5])
    assert mean["val_dice"].tolist() == pytest.approx([0.2, 0.5])


@pytest.mark.parametrize("another", [{"seed": 1}, {"fold": 1}])
def test_each_seed_and_fold_is_drawn_beside_the_mean(comparison: Path, write_run: Any, another: dict[str, int]) -> None:
    write_run(status="running", val_dice=[0.1, 0.9])
    write_run(status="running", val_dice=[0.3, 0.1], **another)
    picture = pixels(write_curves(comparison))
    blue = (picture[..., 2] > picture[..., 0] + 60) & (picture[..., 2] > 150)
    rows = np.flatnonzero(blue.any(axis=1))
    # The mean stays between .2 and .5 of the axis; only the thin lines go from .1 to .9.
    assert np.ptp(rows) > 0.6 * picture.shape[0]
