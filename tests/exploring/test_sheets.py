"""The two sheets of `--explore`: which cases and slices they show, what is outlined, and that memory stays flat."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.cohort import Cohort
from headtohead.drawing.outlines import PALETTE, TRUTH
from headtohead.drawing.sheet import evenly_spread
from headtohead.exploring import sheets
from headtohead.exploring.sheets import draw_lesions, draw_samples, lesion_sizes, some_of


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, dict[Any, np.ndarray], np.ndarray]]:
    """Note every tile that is drawn: its slice, its masks, and the tile."""
    noted: list[tuple[np.ndarray, dict[Any, np.ndarray], np.ndarray]] = []
    fit = sheets.fit_tile

    def note(grey: np.ndarray, masks: dict[Any, np.ndarray], side: int) -> np.ndarray:
        noted.append((grey, masks, fit(grey, masks, side)))
        return noted[-1][2]

    monkeypatch.setattr(sheets, "fit_tile", note)
    return noted


def test_lesions_are_ranked_by_size_and_shown_where_they_are_largest(
    phantom_cohort: Cohort, tmp_path: Path, tiles: Any
) -> None:
    drawn = draw_lesions(phantom_cohort, tmp_path / "lesions.png")
    table = phantom_cohort.table.set_index("case")
    assert drawn == table["lesion_voxels"].sort_values(kind="stable").index.tolist()
    numbers = {case: number for number, case in enumerate(phantom_cohort.table["case"])}
    for case, (_, masks, _) in zip(drawn, tiles, strict=True):
        areas = phantom_cohort.masks(numbers[case]).astype(int).sum(axis=(1, 2))
        [mask] = masks.values()
        assert mask.sum() == areas.max() > 0
        np.testing.assert_array_equal(mask, phantom_cohort.masks(numbers[case])[int(np.argmax(areas))] != 0)


def test_every_tile_and_its_outline_is_on_the_sheet(phantom_cohort: Cohort, tmp_path: Path, tiles: Any) -> None:
    draw_lesions(phantom_cohort, tmp_path / "lesions.png")
    sheet = cv2.imread(str(tmp_path / "lesions.png"))[:, :, ::-1]
    outlines = 0
    for _, _, tile in tiles:
        found = cv2.matchTemplate(np.ascontiguousarray(sheet), np.ascontiguousarray(tile), cv2.TM_SQDIFF)
        left, upper = cv2.minMaxLoc(found)[2]
        np.testing.assert_array_equal(sheet[upper : upper + len(tile), left : left + len(tile)], tile)
        outlines += int((tile == PALETTE[TRUTH]).all(axis=2).sum())
    assert outlines > 12
    # The rest of that colour is the sample of the legend, 20 x 4 pixels.
    assert int((sheet == PALETTE[TRUTH]).all(axis=2).sum()) == outlines + 80


def test_samples_show_all_sequences_of_the_middle_of_the_lesion(
    phantom_cohort: Cohort, tmp_path: Path, tiles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "SAMPLES", 5)
    drawn = draw_samples(phantom_cohort, tmp_path / "samples.png")
    names = phantom_cohort.table["case"].tolist()
    assert drawn == [names[place] for place in (0, 3, 6, 8, 11)]
    assert {names[0], names[-1]} <= set(drawn)
    assert len(tiles) == 5 * 3
    for place, case in enumerate(drawn):
        number = names.index(case)
        holding = [index for index, mask in enumerate(phantom_cohort.masks(number)) if mask.any()]
        middle = holding[len(holding) // 2]
        for channel, (grey, masks, _) in enumerate(tiles[3 * place : 3 * place + 3]):
            [mask] = masks.values()
            np.testing.assert_array_equal(mask, phantom_cohort.masks(number)[middle] != 0)
            pixels = phantom_cohort.images(number)[middle, ..., channel]
            assert np.corrcoef(grey.ravel(), pixels.ravel())[0, 1] > 0.97  # brightened, and clipped where it is white


def test_a_missing_sequence_is_said(phantom_cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = phantom_cohort.table.assign(missing="post")
    monkeypatch.setattr(phantom_cohort, "table", lacking)
    block = sheets._sample(phantom_cohort, 0, 64)
    assert block.captions == ["pre-contrast", "FLAIR", "post-contrast missing: FLAIR"]


def test_without_a_lesion_there_is_no_sheet_of_lesions(
    phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom_cohort, "table", phantom_cohort.table.assign(lesion_voxels=0))
    assert draw_lesions(phantom_cohort, tmp_path / "lesions.png") == []
    assert not (tmp_path / "lesions.png").exists()
    monkeypatch.setattr(phantom_cohort, "masks", lambda number: np.zeros(phantom_cohort.images(number).shape[:3]))
    slices = int(phantom_cohort.table["slices"].iloc[0])
    block = sheets._sample(phantom_cohort, 0, 64)
    assert block.note == f"slice {slices // 2 + 1} of {slices}"
    assert block.captions == ["pre-contrast", "FLAIR, no lesion", "post-contrast"]
    headings: list[str] = []
    monkeypatch.setattr(sheets, "_write_sheet", lambda path, title, *_: headings.append(title))
    draw_samples(phantom_cohort, tmp_path / "samples.png")
    assert headings == ["Samples: the middle of the lesion, or of a case without one, all 12 cases"]


def test_one_case_is_drawn_at_a_time_and_no_more_than_fit(
    phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = [0]
    made, placed = sheets._lesion, sheets._set_block
    monkeypatch.setattr(sheets, "LESIONS", 7)

    def make(*given: Any) -> Any:
        ahead.append(ahead[-1] + 1)
        return made(*given)

    def place(*given: Any) -> None:
        ahead.append(ahead[-1] - 1)
        placed(*given)

    monkeypatch.setattr(sheets, "_lesion", make)
    monkeypatch.setattr(sheets, "_set_block", place)
    drawn = draw_lesions(phantom_cohort, tmp_path / "lesions.png")
    assert max(ahead) == 1 and len(drawn) == 7
    sizes = phantom_cohort.table.set_index("case")["lesion_voxels"]
    assert {sizes.idxmin(), sizes.idxmax()} <= set(drawn)


def test_sizes_are_in_millilitres_where_the_files_say(phantom_cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    voxels = phantom_cohort.table["lesion_voxels"].to_numpy()
    np.testing.assert_array_equal(lesion_sizes(phantom_cohort), voxels)
    monkeypatch.setattr(phantom_cohort, "spacing", lambda number: (5.0, 0.5, 0.4))
    np.testing.assert_allclose(lesion_sizes(phantom_cohort), voxels * 0.001)


def test_cases_are_spread_evenly() -> None:
    assert evenly_spread(3, 5) == [0, 1, 2]
    assert evenly_spread(101, 5) == [0, 25, 50, 75, 100]
    assert evenly_spread(0, 5) == []
    assert [some_of(5, 9), some_of(9, 9), some_of(1, 1)] == ["5 of 9 cases", "all 9 cases", "1 case"]
