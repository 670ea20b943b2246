"""The numbers of `--explore` against counts made another way."""

import numpy as np
import pytest

from headtohead.cohort import Cohort
from headtohead.exploring.measures import Measures, contrast, measure


@pytest.fixture(scope="module")
def findings(phantom_cohort: Cohort) -> Measures:
    return measure(phantom_cohort)


def test_every_slice_and_case_is_counted(phantom_cohort: Cohort, findings: Measures) -> None:
    assert len(findings.slices) == phantom_cohort.n_slices
    assert ((findings.slices["lesion_voxels"] > 0).to_numpy() == phantom_cohort.has_lesion()).all()
    assert findings.cases["case"].tolist() == phantom_cohort.table["case"].tolist()
    by_case = findings.slices.groupby("case", sort=False)["lesion_voxels"]
    assert by_case.sum().tolist() == findings.cases["lesion_voxels"].tolist()
    assert by_case.size().tolist() == findings.cases["slices"].tolist()
    assert findings.slices.groupby("case")["slice"].min().unique().tolist() == [1]
    assert findings.cases["voxels"].sum() == phantom_cohort.n_slices * 64 * 64


def test_grey_levels_are_those_of_the_inner_head(phantom_cohort: Cohort, findings: Measures) -> None:
    inner = phantom_cohort.inner_heads(3).astype(bool)
    row = findings.cases.iloc[3]
    for channel, name in enumerate(("pre", "flair", "post")):
        pixels = np.sort(phantom_cohort.images(3)[inner][:, channel])
        assert row[f"{name}_median"] == pixels[(len(pixels) - 1) // 2]
        assert np.mean(pixels < row[f"{name}_p10"]) <= 0.1 <= np.mean(pixels <= row[f"{name}_p10"]) + 0.01
        assert np.mean(pixels < row[f"{name}_p90"]) <= 0.9 <= np.mean(pixels <= row[f"{name}_p90"]) + 0.01
    assert row["inner_share"] == pytest.approx(inner.mean())
    middle = findings.slices[findings.slices["case"] == row["case"]].iloc[4]
    assert middle["flair_mean"] == pytest.approx(phantom_cohort.images(3)[4][inner[4]][:, 1].mean(), abs=0.01)


def test_contrast_is_in_units_of_the_rest() -> None:
    flair = np.arange(100, dtype=np.uint8).reshape(1, 10, 10)
    lesion = np.zeros((1, 10, 10), bool)
    lesion[0, 9] = True  # levels 90 to 99, median 94.5; the rest is 0 to 89, median 44.5, 10 to 90 %: 71.2
    everywhere = np.ones_like(lesion)
    assert contrast(flair, lesion, everywhere) == pytest.approx(50 / 71.2)
    assert contrast(255 - flair, lesion, everywhere) == pytest.approx(-50 / 71.2)
    for nothing in (
        contrast(flair, ~everywhere, everywhere),
        contrast(flair, lesion, lesion),
        contrast(np.full_like(flair, 7), lesion, everywhere),
    ):
        assert np.isnan(nothing)


class Odd:
    """Two cases: one without lesion and without an inner head, one with a slice that has none."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort, self.table, self.task = cohort, cohort.table.iloc[:2], cohort.task

    def spacing(self, case: int) -> None:
        return None

    def __len__(self) -> int:
        return 2

    def in_bytes(self, case: int) -> np.ndarray:
        return self.cohort.images(case)

    def masks(self, case: int) -> np.ndarray:
        return self.cohort.masks(case) * case

    def inner_heads(self, case: int) -> np.ndarray:
        inner = self.cohort.inner_heads(case) * case
        inner[0] = 0
        return inner


def test_what_is_not_there_is_undefined(phantom_cohort: Cohort) -> None:
    found = measure(Odd(phantom_cohort))  # type: ignore[arg-type]
    empty, usual = found.cases.iloc[0], found.cases.iloc[1]
    assert np.isnan(empty["flair_contrast"]) and np.isnan(empty["lesion_flair_median"])
    assert empty["inner_share"] == 0
    assert empty["flair_median"] == np.percentile(phantom_cohort.images(0)[..., 1], 50, method="lower")
    assert not np.isnan(usual["flair_contrast"])
    means = found.slices[found.slices["case"] == usual["case"]]["flair_mean"]
    assert means.isna().tolist() == [True] + [False] * (len(means) - 1)
