"""`--explore`: page, tables and figures, in their place, with numbers that agree."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.exploring import alike
from headtohead.exploring.alike import draw_alike
from headtohead.exploring.duplicates import Duplicates
from headtohead.exploring.explore import explore, write_page
from headtohead.exploring.figures import draw_targets
from headtohead.exploring.measures import Measures, measure
from headtohead.options.table import from_flat
from tests.several_targets import NESTED, relabelled

COLUMNS = ["case_a", "slice_a", "case_b", "slice_b", "bits", "correlation"]


def duplicates_of(*rows: tuple, faint: int = 0) -> Duplicates:
    """Give what was found, from pairs (case_a, slice_a, case_b, slice_b, bits, correlation)."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    return Duplicates(table[table["correlation"] >= 0.9], table, compared=80, faint=faint)


@pytest.fixture(scope="module")
def findings(phantom_cohort: Cohort) -> Measures:
    return measure(phantom_cohort)


def look(phantom_root: Path, cache_dir: Path, folder: Path, **changes: Any) -> Path:
    """Carry out `--explore` on the made-up patients."""
    values = {"root_dir": str(phantom_root), "cache_dir": str(cache_dir), "runs_dir": str(folder)}
    return explore(from_flat({**values, **changes}))


def test_everything_is_written_and_the_page_links_it(
    phantom_root: Path, cache_dir: Path, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    page = look(phantom_root, cache_dir, tmp_path)
    assert page == tmp_path / "explore" / "explore.md"
    text = page.read_text()
    linked = re.findall(r"\]\((\S+)\)", text)
    assert {"classes.png", "patients.png", "intensity.png", "missing.png"} <= set(linked)
    written = {path.name for path in page.parent.iterdir()}
    assert written == {*linked, "explore.md", "slices.csv", "cases.csv"}
    for name in linked:
        assert cv2.imread(str(page.parent / name)) is not None
    slices, cases = pd.read_csv(page.parent / "slices.csv"), pd.read_csv(page.parent / "cases.csv")
    assert f"{len(cases)} cases of 12 patients" in text
    assert f"| slices | {(slices['lesion_voxels'] > 0).sum()} |" in text
    assert f"| pixels | {cases['lesion_voxels'].sum():,} |" in text
    assert phantom_cohort.key in text


def test_it_goes_where_output_says_and_comes_out_the_same(phantom_root: Path, cache_dir: Path, tmp_path: Path) -> None:
    page = look(phantom_root, cache_dir, tmp_path, output=str(tmp_path / "out"))
    assert page == tmp_path / "out" / "explore.md"
    again = look(phantom_root, cache_dir, tmp_path / "again")
    for name in ("explore.md", "slices.csv", "cases.csv", "patients.png"):
        assert (page.parent / name).read_bytes() == (again.parent / name).read_bytes()


def test_a_picture_of_an_earlier_look_does_not_stay(
    phantom_root: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / "explore" / "alike.png"
    stale.parent.mkdir()
    stale.write_text("of other data")
    monkeypatch.setattr("headtohead.exploring.explore.find_duplicates", lambda cohort: duplicates_of())
    assert "alike.png" not in look(phantom_root, cache_dir, tmp_path).read_text()
    assert not stale.exists()


def test_missing_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        look(tmp_path / "nowhere", tmp_path / "packed", tmp_path)
    assert not (tmp_path / "explore").exists()


def test_page_says_what_was_not_found(findings: Measures) -> None:
    text = write_page(findings, duplicates_of(), "key")
    assert "0 pairs of near-duplicates among 80 slices" in text
    assert "alike.png" not in text
    assert "Every case has a lesion." in text
    assert "inner head was not found" not in text
    one = replace(findings, task=replace(findings.task, sequences=("flair",), stand_ins={}))
    assert "The data are pictures with one mask each" in write_page(one, duplicates_of(), "key", "pictures")
    below = write_page(findings, duplicates_of(("a", 1, "b", 2, 3, 0.81234), faint=5), "key")
    assert "The most similar pair has a correlation of 0.81." in below
    assert "5 slices have too little" in below


def test_page_names_what_needs_a_look(findings: Measures) -> None:
    cases = findings.cases.copy()
    cases.loc[0, "lesion_voxels"] = 0
    cases.loc[1, "inner_share"] = 1.0
    cases.loc[2, "inner_share"] = 0.0
    cases["missing"] = ["pre post", *[""] * (len(cases) - 1)]
    first, second, third = cases["case"].iloc[:3]
    text = write_page(replace(findings, cases=cases), duplicates_of(("a", 1, "b", 2, 3, 0.97)), "key")
    assert f"Without any lesion: {first}." in text
    assert f"The inner head was not found in {second}, {third}:" in text
    assert "11 of 12 cases are complete. In the others, FLAIR was used in place of the missing sequences:" in text
    assert f"\n\n- {first}: pre post" in text
    assert "1 pair of near-duplicates among" in text
    assert "| a, 1 | b, 2 | 0.970 |" in text


def test_a_site_without_a_sequence_or_a_lesion_has_a_dash(findings: Measures) -> None:
    cases = findings.cases.assign(site="AA", missing="post", flair_contrast=np.nan)
    text = write_page(replace(findings, cases=cases), duplicates_of(), "key")
    lines = [line for line in text.splitlines() if line.startswith("| AA |")]
    assert [line.endswith("| – |") for line in lines] == [True, True]


def test_alike_slices_are_drawn_side_by_side(
    phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = alike.write
    monkeypatch.setattr(
        alike, "write", lambda canvas, text, *rest, **more: (written.append(text), write(canvas, text, *rest, **more))
    )
    names = phantom_cohort.table["case"].tolist()
    pairs = [(names[0], 3, names[5], 4, 2, 0.95), (names[1], 2, names[2], 2, 7, 0.5)]
    draw_alike(phantom_cohort, duplicates_of(*pairs), tmp_path / "alike.png")
    assert {"0.95: near-duplicate", "0.50: not a duplicate", names[0], "slice 3", names[5], "slice 4"} <= set(written)
    picture = cv2.imread(str(tmp_path / "alike.png"))
    tile = picture[alike.HEADER + 22 : alike.HEADER + 22 + alike.SIDE, alike.MARGIN : alike.MARGIN + alike.SIDE, 0]
    flair = cv2.resize(phantom_cohort.images(0)[2][..., 1].copy(), (alike.SIDE, alike.SIDE))
    assert np.corrcoef(tile.ravel(), flair.ravel())[0, 1] > 0.95


def test_a_failing_writer_is_said(phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imencode", lambda *args: (False, None))
    names = phantom_cohort.table["case"].tolist()
    with pytest.raises(UserError, match="cannot be written"):
        draw_alike(phantom_cohort, duplicates_of((names[0], 1, names[1], 1, 2, 0.5)), tmp_path / "alike.png")
    assert not list(tmp_path.iterdir())


def test_each_of_several_targets_is_measured(phantom_cohort: Cohort, tmp_path: Path) -> None:
    cohort = relabelled(phantom_cohort, tmp_path / "packed", NESTED)
    found = measure(cohort)
    for place, name in enumerate(NESTED.names):
        sizes = [int(cohort.truth(number)[place].sum()) for number in range(len(cohort))]
        assert found.cases[f"{name}_voxels"].tolist() == sizes
        assert (found.cases[f"{name}_slices"] > 0).tolist() == [size > 0 for size in sizes]
    assert (found.cases["whole tumour_voxels"] > found.cases["core_voxels"]).any()
    text = write_page(found, duplicates_of(), cohort.key)
    held = [int((found.cases[f"{name}_voxels"] > 0).sum()) for name in NESTED.names]
    assert f"| whole tumour | 1, 4 | {held[0]} |" in text and f"| core | 4 | {held[1]} |" in text
    assert "## Targets" not in write_page(measure(phantom_cohort), duplicates_of(), cohort.key)
    draw_targets(found, tmp_path / "targets.png")
    drawn = cv2.imread(str(tmp_path / "targets.png"))[:, :, ::-1]
    for target in NESTED.all:
        assert (drawn == np.array(target.colour, np.uint8)).all(axis=-1).sum() > 50
