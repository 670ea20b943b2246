"""The pictures of a comparison show the predictions that were kept, of the right cases."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.reporting import pictures as module
from headtohead.reporting.case_names import short_names
from headtohead.reporting.findings import Findings
from headtohead.reporting.masks import Masks
from headtohead.reporting.pictures import write_pictures
from headtohead.runs.reading import read_ledger
from headtohead.scoring.counts import count


def masks_in(place: Path, cohort: Cohort) -> Masks:
    return Masks(read_ledger(place / "runs" / "made"), cohort)


@pytest.fixture
def found(scored_findings: Findings) -> Findings:
    return scored_findings


def test_masks_are_those_of_the_first_seed_from_the_fold_that_tested_the_case(
    scored: Path, scored_cohort: Cohort, found: Findings
) -> None:
    masks = masks_in(scored, scored_cohort)
    for index, case in enumerate(scored_cohort.table["case"]):
        for entrant in found.matrix:
            mask = masks(entrant, case)
            assert mask is not None and mask.dtype == bool
            rows = found.cases[(found.cases["case"] == case) & (found.cases["model"] == entrant.split()[0])]
            own = rows[rows["seed"].fillna(0) == 0].iloc[0]
            assert count(mask[0], scored_cohort.masks(index).astype(bool)) == (own["tp"], own["fp"], own["fn"])


def test_there_is_no_mask_where_none_was_kept_or_only_of_some_slices(
    copied: Path, scored_cohort: Cohort, found: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = str(found.matrix.index[0])
    masks = masks_in(copied, scored_cohort)
    assert masks("unet none", case) is not None
    assert masks("nobody", case) is None and masks("unet none", "nobody") is None
    for path in copied.glob("runs/made/unet-*/masks.npz"):
        path.unlink()
    assert masks("unet none", case) is None
    more = scored_cohort.table["slices"] + 1  # as after a test of fewer slices than the case has
    monkeypatch.setattr(scored_cohort, "table", scored_cohort.table.assign(slices=more))
    assert masks_in(copied, scored_cohort)("resnext none", case) is None


def test_masks_that_are_damaged_meanwhile_are_said_to_be(copied: Path, scored_cohort: Cohort, found: Findings) -> None:
    masks = masks_in(copied, scored_cohort)
    for path in copied.glob("runs/made/unet-*/masks.npz"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        masks("unet none", str(found.matrix.index[0]))


def test_without_data_there_are_only_the_bars(found: Findings, tmp_path: Path) -> None:
    write_pictures(found, tmp_path, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["dice.png"]


@pytest.fixture
def shown(
    scored: Path, scored_cohort: Cohort, found: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """What each picture was given, by its name."""
    given: dict[str, Any] = {}

    def note(scans: list[Any], path: Path, title: str) -> None:
        given[path.name] = (scans, title)

    for name in ("write_plate", "write_plate_gif", "write_case_gif"):
        monkeypatch.setattr(module, name, note)
    monkeypatch.setattr(module, "write_dice_bars", lambda *_: None)
    write_pictures(found, tmp_path, scored_cohort, masks_in(scored, scored_cohort))
    return given


def test_each_model_has_a_plate_from_worst_to_best_and_the_baseline_has_none(
    shown: dict[str, Any], scored_cohort: Cohort, found: Findings
) -> None:
    matrix = found.matrix
    short = short_names(matrix.index)
    plates = {name for name in shown if name.startswith("plate-")}
    assert plates == {f"plate-{model}-none.{kind}" for model in ("unet", "resnext") for kind in ("png", "gif")}
    for model in ("unet", "resnext"):
        scans, title = shown[f"plate-{model}-none.png"]
        ordered = matrix[f"{model} none"].sort_values(kind="stable").index
        assert f"{model}, no schedule" in title
        assert title.endswith("by mean over seeds; outlines and Dice of seed 0")
        assert [scan.caption for scan in scans] == [short[case] for case in ordered]
        assert [scan.caption for scan in shown[f"plate-{model}-none.gif"][0]] == [scan.caption for scan in scans]
        for scan, case in zip(scans, ordered, strict=True):
            index = scored_cohort.table["case"].tolist().index(case)
            assert np.array_equal(scan.images, scored_cohort.images(index))
            assert np.array_equal(scan.truth, scored_cohort.truth(index))
            wrong = (scan.prediction ^ scan.truth).mean()
            assert wrong == pytest.approx({"unet": 0.02, "resnext": 0.05}[model], abs=0.005)


def test_worst_median_and_best_case_scroll_with_all_models_side_by_side(shown: dict[str, Any], found: Findings) -> None:
    matrix = found.matrix
    order = list(matrix.drop(columns="flair-threshold").mean(axis=1).sort_values(kind="stable").index)
    chosen = {"worst": order[0], "median": order[round((len(order) - 1) / 2)], "best": order[-1]}
    assert {name for name in shown if name.startswith("case-")} == {f"case-{word}.gif" for word in chosen}
    for word, case in chosen.items():
        scans, title = shown[f"case-{word}.gif"]
        assert title == f"{short_names(matrix.index)[case]}, the {word} case"
        assert [scan.caption for scan in scans] == ["resnext, no schedule, seed 0", "unet, no schedule, seed 0"]
        assert np.array_equal(scans[0].truth, scans[1].truth)
        assert not np.array_equal(scans[0].prediction, scans[1].prediction)


def test_a_comparison_whose_masks_are_gone_has_bars_only(
    copied: Path, scored_cohort: Cohort, found: Findings, tmp_path: Path
) -> None:
    for path in copied.glob("runs/made/*/masks.npz"):
        path.unlink()
    write_pictures(found, tmp_path / "figures", scored_cohort, masks_in(copied, scored_cohort))
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["dice.png"]


@pytest.mark.parametrize(("which", "few", "every"), [("few", 3, 0), ("all", 3, 12), ("none", 0, 0)])
def test_which_cases_scroll(
    scored: Path,
    scored_cohort: Cohort,
    found: Findings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: str,
    few: int,
    every: int,
) -> None:
    for name in ("write_plate", "write_plate_gif", "write_dice_bars"):
        monkeypatch.setattr(module, name, lambda *_: None)
    write_pictures(found, tmp_path, scored_cohort, masks_in(scored, scored_cohort), which)
    assert len(list(tmp_path.glob("case-*.gif"))) == few
    assert sorted(path.stem for path in tmp_path.glob("cases/*.gif")) == sorted(found.matrix.index if every else [])
