"""The plate of test cases: the right slices, all contours, the Dice of the whole case."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead.drawing import legend, plate
from headtohead.drawing.legend import LINE
from headtohead.drawing.lettering import text_width
from headtohead.drawing.outlines import PALETTE, PREDICTION, TRUTH
from headtohead.drawing.plate import SegmentedCase, cases_to_draw, draw_plate, draw_tile, write_plate
from headtohead.errors import UserError
from headtohead.task import Target, Targets
from tests.drawing.segmented import segmented


def scan(caption: str = "case", size: int = 64, slices: int = 5) -> SegmentedCase:
    """Give a case with truth in slices 1 to 3, the most in slice 2; half of it is predicted."""
    images = np.random.default_rng(0).integers(0, 120, (slices, size, size, 3), np.uint8)
    truth = np.zeros((slices, size, size), bool)
    truth[1:4, 10:20, 10:20] = True
    truth[2, 40:50, 40:50] = True
    prediction = truth.copy()
    prediction[:, :, 15:20] = False
    prediction[:, :, 45:50] = False
    return segmented(caption, images, truth, prediction)


def painted(drawn: np.ndarray, colour: str) -> np.ndarray:
    """Where a drawing has exactly this colour."""
    return (drawn == np.array(PALETTE[colour], np.uint8)).all(axis=-1)


def test_dice_is_of_the_whole_case() -> None:
    # 400 voxels of truth, half of them found: 2 * 200 / (400 + 200).
    assert scan().dice == pytest.approx(2 / 3)
    nothing = np.zeros((5, 64, 64), bool)
    assert np.isnan(segmented("", scan().images, nothing, nothing).dice)
    alarm = segmented("", scan().images, nothing, scan().prediction[0])
    assert np.isnan(alarm.dice) and alarm.score == "false alarm", "without a lesion there is no Dice to be 0"


def several(count: int) -> SegmentedCase:
    """Give the case of `scan` with so many targets, each as large as the lesion."""
    targets = Targets(tuple(Target(f"tissue number {n}", (n,), (200, 20 * n, 40)) for n in range(1, count + 1)))
    one = scan()
    truth, prediction = (np.repeat(masks, count, axis=0) for masks in (one.truth, one.prediction))
    truth[1:] = False
    truth[1:2, 2, 40:42, 40:42] = True
    return SegmentedCase("case", one.images, truth, prediction, targets)


def test_dice_of_several_targets_is_the_mean_over_those_that_the_truth_holds() -> None:
    # The first as above; of the second 2 * 4 / (4 + 200) voxels; the third is not in the truth.
    assert several(3).dice == pytest.approx((2 / 3 + 2 * 4 / 204) / 2)


def test_a_legend_of_many_targets_takes_more_lines_and_hides_no_picture() -> None:
    one, five = (draw_plate([several(count)], [2], "Title", side=128) for count in (1, 5))
    # A line each for the five and for what light means; "truth" and "prediction" need two.
    assert one.shape[1] == five.shape[1] and five.shape[0] - one.shape[0] == (6 - 2) * LINE
    for number in range(1, 6):
        assert (five == np.array((200, 20 * number, 40), np.uint8)).all(axis=-1).any()


def test_the_fullest_slice_is_shown() -> None:
    one = scan()
    assert one.fullest_slice() == 2
    nothing = np.zeros_like(one.truth[0])
    predicted = nothing.copy()
    predicted[4, 3, 3] = True
    assert segmented("", one.images, nothing, predicted).fullest_slice() == 4
    assert segmented("", one.images, nothing, nothing).fullest_slice() == 2


def test_brightness_is_one_factor_for_all_slices() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    images[0, :, :, 1], images[1, :, :, 1] = 20, 40
    grey = segmented("", images, np.zeros((2, 8, 8), bool), np.zeros((2, 8, 8), bool), primary=1).grey
    assert grey[1, 0, 0] == 255
    assert grey[0, 0, 0] == 128


def test_every_part_of_both_masks_is_outlined() -> None:
    tile = draw_tile(scan(), 2, 64)
    for colour, right in ((TRUTH, 19), (PREDICTION, 14)):
        seen = painted(tile, colour)
        assert seen[12:18, right].all() or seen[12:18, right].any()
        assert seen[42:48, right + 30].any()
    assert painted(tile, TRUTH)[12:18, 19].all()
    assert painted(tile, TRUTH)[42:48, 49].all()
    assert not painted(draw_tile(scan(), 0, 64), TRUTH).any()


@pytest.mark.parametrize("shape", [(64, 64), (300, 300), (64, 40), (100, 400)])
def test_any_shape_fits_the_tile(shape: tuple[int, int]) -> None:
    truth = np.zeros((1, *shape), bool)
    truth[0, shape[0] // 2, shape[1] // 2] = True
    images = np.full((1, *shape, 3), 90, np.uint8)
    tile = draw_tile(segmented("", images, truth, np.zeros_like(truth)), 0, 128)
    assert tile.shape == (128, 128, 3)
    # A lesion of one pixel is still seen in the middle, and the image keeps its proportions.
    rows, columns = np.nonzero(painted(tile, TRUTH))
    assert rows.size and abs(rows.mean() - 64) < 3 and abs(columns.mean() - 64) < 3
    bright = tile.max(axis=-1) > 0
    height, width = bright.any(axis=1).sum(), bright.any(axis=0).sum()
    assert height / width == pytest.approx(shape[0] / shape[1], rel=0.02)


def test_plate_is_as_large_as_its_cases(tmp_path: Path) -> None:
    scans = [scan(f"case{number}") for number in range(6)]
    picture = draw_plate(scans, [2] * 6, "Title", columns=3, side=64)
    assert picture.shape[1] == 2 * plate.MARGIN + 3 * 64 + 2 * plate.GAP
    # The legend has a stroke of each colour too.
    tiles = painted(picture, TRUTH)
    top = plate.MARGIN + plate.TITLE + plate.LEGEND
    for column in range(3):
        left = plate.MARGIN + column * (64 + plate.GAP)
        assert np.array_equal(picture[top : top + 64, left : left + 64], draw_tile(scans[column], 2, 64))
        assert tiles[top + 64 + 30 :, left : left + 64].any()
    few = draw_plate(scans[:1], [2], "Title", side=64)
    assert few.shape[1] == 2 * plate.MARGIN + 64
    written = cv2.imread(str(write_plate(scans[:1], tmp_path / "new" / "plate.png", "Title")))
    assert np.array_equal(written[:, :, ::-1], draw_plate(scans[:1], [2], "Title"))


def test_captions_name_case_score_and_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    for module in (plate, legend):
        monkeypatch.setattr(module, "write", lambda canvas, text, *rest, **more: written.append(text))
    nothing = np.zeros((5, 64, 64), bool)
    draw_plate([scan("CS_4941"), segmented("empty", scan().images, nothing, nothing)], [2, 0], "Title", side=256)
    assert {"Title", "truth", "prediction", "CS_4941", "Dice 0.67", "slice 3 of 5"} <= set(written)
    assert {"empty", "no lesion: left alone", "slice 1 of 5"} <= set(written)
    written.clear()
    draw_plate([scan("TCGA_CS_4941_19960909")], [2], "A title that is much too long for a single tile", side=64)
    assert "slice 3 of 5" not in written  # would be written over the score
    assert all(text_width(text, 14) <= 64 + 20 for text in written)


def test_a_failing_writer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imencode", lambda *args: (False, None))
    with pytest.raises(UserError, match="cannot be written"):
        write_plate([scan()], tmp_path / "plate.png", "Title")
    assert not list(tmp_path.iterdir())


def test_cases_are_chosen_evenly_from_worst_to_best() -> None:
    scores = pd.Series({f"case{place}": place / 10 for place in (5, 1, 9, 3, 7, 0, 8, 2, 6, 4)} | {"none": np.nan})
    assert cases_to_draw(scores, 4) == ["case0", "case3", "case6", "case9"]
    assert cases_to_draw(scores) == [f"case{place}" for place in range(10)]
    assert cases_to_draw(scores, 3)[0] == "case0" and cases_to_draw(scores, 3)[-1] == "case9"
    assert cases_to_draw(pd.Series({"none": np.nan})) == []


def test_notes_make_room_below_their_case() -> None:
    masks = np.zeros((2, 40, 40), bool)
    plain = segmented("a", np.zeros((2, 40, 40, 3), np.uint8), masks, masks)
    noted = segmented(
        "a", np.zeros((2, 40, 40, 3), np.uint8), masks, masks, notes=("unet none 0.412", "buda none 0.312")
    )
    without, beside = (draw_plate([plain, one], [0, 0], "Title", side=64) for one in (plain, noted))
    assert beside.shape[0] == without.shape[0] + 2 * LINE
    below = beside[without.shape[0] - 10 :]
    half = beside.shape[1] // 2
    assert (below[:, :half] == 255).all() and (below[:, half:] < 200).any()
