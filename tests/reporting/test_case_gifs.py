"""Every case as a small GIF: all its slices, cut to the head, with the outlines of the truth and of every entrant."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headtohead.cohort import Cohort
from headtohead.drawing.outlines import PALETTE, TRUTH
from headtohead.drawing.plate import SegmentedCase
from headtohead.errors import UserError
from headtohead.reporting import case_gifs as module
from headtohead.reporting.case_gifs import COLOURS, frames, head_box, write_all_case_gifs
from headtohead.reporting.findings import Findings
from headtohead.reporting.masks import Masks
from headtohead.runs.reading import read_ledger
from tests.drawing.segmented import segmented


@pytest.fixture(scope="module")
def found(scored_findings: Findings) -> Findings:
    """Four of the twelve cases."""
    return dataclasses.replace(scored_findings, matrix=scored_findings.matrix.iloc[:4])


@pytest.fixture
def masks(scored: Path, scored_cohort: Cohort) -> Masks:
    return Masks(read_ledger(scored / "runs" / "made"), scored_cohort)


def colours_of(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}


def test_one_for_every_case_with_all_its_slices_and_all_outlines(
    found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path
) -> None:
    paths = write_all_case_gifs(found, tmp_path / "cases", scored_cohort, masks)
    assert [path.name for path in paths] == [f"{case}.gif" for case in found.matrix.index]
    slices = scored_cohort.table.set_index("case")["slices"]
    for path in paths:
        assert path.stat().st_size < 200_000
        with Image.open(path) as gif:
            assert gif.n_frames == slices[path.stem]
            assert gif.info["duration"] == 200 and gif.info["loop"] == 0
            gif.seek(gif.n_frames // 2)
            seen = colours_of(np.asarray(gif.convert("RGB")))
        assert {PALETTE[name] for name in (TRUTH, *COLOURS[:2])} <= seen


def test_processes_write_the_same_bytes_as_one(
    found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.machine, "usable_cores", lambda: 2)
    monkeypatch.setattr(module, "FEW", 2)  # four cases: two processes
    started = []
    pool = module.ProcessPoolExecutor
    monkeypatch.setattr(module, "ProcessPoolExecutor", lambda *given: started.append(given[0]) or pool(*given))
    shared = write_all_case_gifs(found, tmp_path / "shared", scored_cohort, masks)
    monkeypatch.setattr(module, "FEW", 100)
    alone = write_all_case_gifs(found, tmp_path / "alone", scored_cohort, masks)
    assert started == [2]
    assert [path.read_bytes() for path in shared] == [path.read_bytes() for path in alone]


def test_masks_that_are_damaged_meanwhile_are_said_to_be(
    copied: Path, scored_cohort: Cohort, tmp_path: Path, found: Findings
) -> None:
    masks = Masks(read_ledger(copied / "runs" / "made"), scored_cohort)
    for path in copied.glob("runs/made/unet-*/masks.npz"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        write_all_case_gifs(found, tmp_path, scored_cohort, masks)


def test_a_case_without_any_mask_has_none(found: Findings, masks: Masks, scored_cohort: Cohort, tmp_path: Path) -> None:
    case = str(found.matrix.index[3])
    masks.files = {key: path for key, path in masks.files.items() if key[1] != case}
    written = {path.stem for path in write_all_case_gifs(found, tmp_path, scored_cohort, masks)}
    assert written == set(found.matrix.index) - {case}


def test_an_entrant_keeps_its_colour_where_another_has_no_mask_and_the_worst_of_many_go_without(
    found: Findings, scored_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"net{place} none" for place in range(8)]
    scores = (0.3, 0.9, 0.8, 0.2, 0.7, 0.6, 0.5, 0.4)
    matrix = found.matrix[[]].assign(**dict(zip(names, scores, strict=True)), **{"flair-threshold": 1.0})
    given: list[Any] = []
    monkeypatch.setattr(module, "frames", lambda scans, title: given.append((scans, title)) or iter([]))
    monkeypatch.setattr(module, "write_gif", lambda frames, path, **_: path)
    monkeypatch.setattr(module, "name_with_seed", lambda found, entrant, case: entrant)

    def masks(entrant: str, case: str) -> np.ndarray | None:
        index = scored_cohort.table["case"].tolist().index(case)
        return None if entrant == "net2 none" else scored_cohort.truth(index)

    write_all_case_gifs(dataclasses.replace(found, matrix=matrix), tmp_path, scored_cohort, masks)  # type: ignore[arg-type]
    drawn = {scan.caption: colour for colour, scan in given[0][0]}
    order = ["net1 none", "net2 none", "net4 none", "net5 none", "net6 none", "net7 none"]
    expected = dict(zip(order, COLOURS, strict=True))
    del expected["net2 none"]
    assert drawn == expected and given[0][1] == found.matrix.index[0]


def scan_in_a_corner() -> SegmentedCase:
    """A head of 20 x 30 pixels in 64 x 64, and a prediction that reaches beyond it."""
    images, mask = np.zeros((4, 64, 64, 3), np.uint8), np.zeros((4, 64, 64), bool)
    images[:, 10:30, 8:38] = 120
    mask[2, 15:20, 15:20] = True
    beyond = mask.copy()
    beyond[1, 40, 41] = True
    return segmented("net none", images, mask, beyond)


def test_the_cut_holds_the_head_and_every_outline() -> None:
    scan = scan_in_a_corner()
    rows, columns = head_box(scan.images, [scan.truth[0]])
    assert abs(rows.start - 10) <= 3 and abs(rows.stop - 30) <= 3
    assert abs(columns.start - 8) <= 3 and abs(columns.stop - 38) <= 3
    rows, columns = head_box(scan.images, [scan.truth[0], scan.prediction[0]])
    assert (rows.stop, columns.stop) == (41, 42)
    nothing = np.zeros_like(scan.images)
    assert head_box(nothing, [np.zeros_like(scan.truth[0])]) == (slice(None), slice(None))


def test_air_is_black_and_a_single_pixel_of_a_mask_is_seen() -> None:
    scan = scan_in_a_corner()
    noisy = np.maximum(scan.images, 1)
    pictures = list(frames([("orange", segmented("net none", noisy, scan.truth[0], scan.prediction[0]))], "a case"))
    assert len(pictures) == 4 and len({picture.shape for picture in pictures}) == 1
    swatch = [(picture == PALETTE["orange"]).all(axis=-1).sum() for picture in pictures]
    assert swatch[1] > swatch[0] == swatch[3], "the pixel in slice 2, beside the legend that all slices have"


def test_a_large_slice_is_drawn_small_and_a_mask_keeps_its_smallest_part() -> None:
    images = np.full((2, 600, 500, 3), 90, np.uint8)
    one = np.zeros((2, 600, 500), bool)
    one[1, 300, 250] = True
    empty = np.zeros_like(one)
    pictures = list(
        frames(
            [
                ("orange", segmented("net", images, empty, one)),
                ("green", segmented("other", images, empty, empty)),
            ],
            "x",
        )
    )
    assert max(pictures[0].shape[:2]) < 330
    counted = [(picture == PALETTE["orange"]).all(axis=-1).sum() for picture in pictures]
    assert counted[1] > counted[0]
