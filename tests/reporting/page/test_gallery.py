"""The gallery: which cases, all their slices, all outlines, and how large it may become."""

import base64
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import gallery as gallery_module
from headtohead.reporting.page import wording
from headtohead.reporting.page.contours import outline_path
from headtohead.reporting.page.entrants import entrants_of
from headtohead.reporting.page.gallery import Card, choose_cases, gallery

Make = Callable[..., Findings]


@pytest.fixture(scope="module")
def phantoms(phantom_cohort: Cohort, make: Make) -> Findings:
    return make([str(name) for name in phantom_cohort.table["case"]])


def shifted(cohort: Cohort) -> gallery_module.MasksOf:
    """Predict the truth, two pixels to the right; nothing was kept of the baseline."""
    names = list(cohort.table["case"])

    def masks_of(entrant: str, case: str) -> np.ndarray | None:
        return None if "threshold" in entrant else np.roll(cohort.truth(names.index(case)), 2, axis=3)

    return masks_of


def picture(text: str) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_GRAYSCALE)


def test_worst_median_and_best_by_mean_over_the_models(findings: Findings) -> None:
    chosen = choose_cases(findings, entrants_of(findings))
    ranked = findings.matrix.iloc[:, :4].mean(axis=1).sort_values()
    assert chosen["worst"] == list(ranked.index[:6])
    assert chosen["best"] == list(ranked.index[::-1][:3])
    assert chosen["median"] == list(ranked.index[53:56])


@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
def test_of_few_cases_none_is_shown_twice(findings: Findings, n: int) -> None:
    few = SimpleNamespace(matrix=findings.matrix.iloc[10 : 10 + n])
    chosen = [case for cases in choose_cases(few, entrants_of(findings)).values() for case in cases]  # type: ignore[arg-type]
    assert len(chosen) == len(set(chosen)) <= n
    assert n == 0 or chosen


def test_a_case_without_any_score_is_not_chosen(findings: Findings) -> None:
    matrix = findings.matrix.head(3).copy()
    matrix.iloc[1] = np.nan
    chosen = choose_cases(SimpleNamespace(matrix=matrix), entrants_of(findings))  # type: ignore[arg-type]
    assert matrix.index[1] not in [case for cases in chosen.values() for case in cases]


def test_cards_hold_every_slice_and_every_outline(phantom_cohort: Cohort, phantoms: Findings) -> None:
    made = gallery(phantoms, entrants_of(phantoms), phantom_cohort, shifted(phantom_cohort))
    cards = [card for group in made.values() for card in group]
    names = list(phantom_cohort.table["case"])
    assert [len(group) for group in made.values()] == [4, 3, 3]
    for card in cards:
        number = names.index(card.case)
        truth = phantom_cohort.masks(number)
        assert len(card.slices) == len(truth)
        assert card.start == truth.sum(axis=(1, 2)).argmax()
        for one, mask in zip(card.slices, truth, strict=True):
            assert one.get("truth", "") == outline_path(mask)
            assert one.get("0", "") == outline_path(np.roll(mask, 2, axis=1))
            assert "4" not in one
        assert [note for _, _, note in card.scores] == [""] * 4 + ["no mask was kept"]


def test_pictures_are_the_flair_slices(phantom_cohort: Cohort, phantoms: Findings) -> None:
    made = gallery(phantoms, entrants_of(phantoms), phantom_cohort, shifted(phantom_cohort))
    card = made["worst"][0]
    flair = phantom_cohort.primary(list(phantom_cohort.table["case"]).index(card.case))
    for one, true in zip(card.slices, flair, strict=True):
        shown = picture(one["image"])
        assert shown.shape == true.shape
        if true.std() > 1:
            assert np.corrcoef(shown.ravel(), true.ravel())[0, 1] > 0.9


def test_facts_of_a_case(phantom_cohort: Cohort, phantoms: Findings) -> None:
    made = gallery(phantoms, entrants_of(phantoms), phantom_cohort, shifted(phantom_cohort))
    by_case = {card.case: card.facts for group in made.values() for card in group}
    rows = phantoms.cases.drop_duplicates("case").set_index("case")
    for case, facts in by_case.items():
        assert f"lesion {rows.loc[case, 'lesion_voxels']:,} voxels" in facts
        assert ("no post-contrast" in facts) == ("post" in rows.loc[case, "missing"])
        assert ("no pre-contrast" in facts) == ("pre" in rows.loc[case, "missing"])
        assert any(fact.startswith("WHO grade") for fact in facts) == bool(rows.loc[case, "grade"])


def test_a_foreign_cohort_and_a_foreign_mask_are_refused(
    phantom_cohort: Cohort, phantoms: Findings, make: Make
) -> None:
    with pytest.raises(UserError, match="has no case TCGA_"):
        gallery(make(), entrants_of(phantoms), phantom_cohort, shifted(phantom_cohort))
    with pytest.raises(UserError, match=r"unet none has shape \(1, 2, 3\)"):
        gallery(phantoms, entrants_of(phantoms), phantom_cohort, lambda entrant, case: np.zeros((1, 2, 3), bool))


def made_up(images: np.ndarray, masks: np.ndarray, names: list[str]) -> Any:
    """A cohort of which every case has the same pixels."""
    table = pd.DataFrame({"case": names})
    return SimpleNamespace(
        table=table, root="nowhere", primary=lambda _: images[..., 1], truth=lambda _: masks[None] != 0
    )


def card_of(findings: Findings, images: np.ndarray, masks: np.ndarray) -> Card:
    cohort = made_up(images, masks, list(findings.matrix.index))
    return gallery(findings, entrants_of(findings), cohort, lambda entrant, case: None)["worst"][0]


def test_a_case_without_lesion_starts_in_its_middle(findings: Findings) -> None:
    card = card_of(findings, np.zeros((7, 8, 8, 3), np.uint8), np.zeros((7, 8, 8), np.uint8))
    assert card.start == 3
    assert "rect" not in card.strip


def test_large_slices_are_shrunk_and_their_outlines_are_not(findings: Findings) -> None:
    masks = np.zeros((1, 600, 1024), np.uint8)
    masks[0, 100:500, 1000:1020] = 1
    card = card_of(findings, np.zeros((1, 600, 1024, 3), np.uint8), masks)
    assert picture(card.slices[0]["image"]).shape == (300, 512)
    assert (card.width, card.height) == (1024, 600)
    assert card.slices[0]["truth"] == "M1000 100h20v400h-20z"


def test_pictures_give_up_quality_before_room(findings: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    empty = np.zeros((2, 64, 64), np.uint8)

    def size() -> int:
        return sum(len(one["image"]) for one in card_of(findings, noise, empty).slices)

    full = size()
    monkeypatch.setattr(gallery_module, "BUDGET", 12 * int(full * 0.7))
    assert size() <= 0.7 * full


def test_where_no_quality_is_low_enough_slices_are_left_out(
    findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 64, 64, 3), np.uint8)
    masks = np.zeros((9, 64, 64), np.uint8)
    masks[5, 10:20, 10:20] = 1
    lowest = len(card_of(findings, noise, masks).slices[0]["image"])
    monkeypatch.setattr(gallery_module, "BUDGET", 12 * int(2.2 * lowest))
    card = card_of(findings, noise, masks)
    numbers = [int(one["number"]) for one in card.slices]
    assert 6 in numbers and 1 < len(numbers) < 9
    assert card.slices[card.start]["number"] == "6" and card.slices[card.start]["truth"]
    assert len(set(np.diff(numbers))) == 1
    assert card.depth == 9
    monkeypatch.setattr(gallery_module, "BUDGET", 1)
    assert [one["number"] for one in card_of(findings, noise, masks).slices] == ["6"]


def test_of_several_seeds_the_card_says_whose_outline_it_shows(phantom_cohort: Cohort, phantoms: Findings) -> None:
    """The Dice beside an outline is the mean over seeds, which no single outline has."""
    again = phantoms.cases[phantoms.cases["model"] == "unet"].assign(seed=1, dice=0.125)
    both = dataclasses.replace(phantoms, cases=pd.concat([again, phantoms.cases], ignore_index=True))
    made = gallery(both, entrants_of(both), phantom_cohort, shifted(phantom_cohort))
    for card in (card for group in made.values() for card in group):
        for entrant, said, note in card.scores:
            own = wording.score(phantoms.matrix.loc[card.case, entrant.name])
            if entrant.name.startswith("unet "):
                assert (said, note) == (own, f"mean of seeds; the outline is seed 0: {own}")
            else:
                assert "seed" not in said + note
