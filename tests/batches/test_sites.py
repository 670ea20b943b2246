"""Leaving a site out: each site is tested once, by models that saw none of its patients, or the folds are refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.batches.folds import make_folds, read_folds
from headtohead.cohort import Cohort
from headtohead.comparing.provenance import split_facts
from headtohead.errors import UserError
from headtohead.readers.lgg import TASK

SITES = {"HT": 5, "CS": 7, "DU": 9, "EZ": 1}
MakeCohort = Callable[..., Cohort]


@pytest.fixture
def cohort_of(tmp_path: Path) -> MakeCohort:
    """Give `cohort_of(sites, patients=None)`: one case of one pixel for each site named."""

    def make(sites: list[str], patients: list[str] | None = None) -> Cohort:
        for name, channels in (("images", 3), ("labels", 1), ("inner", 1)):
            np.zeros(len(sites) * channels, np.uint8).tofile(tmp_path / f"{name}.u8")
        table = pd.DataFrame({"case": [f"case{place:02d}" for place in range(len(sites))], "site": sites})
        table["patient"] = patients or table["case"]
        table = table.assign(first=np.arange(len(sites)), slices=1, height=1, width=1, lesion_voxels=10)
        return Cohort(tmp_path, "key", table, tmp_path, task=TASK)

    return make


@pytest.fixture
def cohort(cohort_of: MakeCohort) -> Cohort:
    return cohort_of(np.random.default_rng(0).permutation(np.repeat([*SITES], [*SITES.values()])).tolist())


def test_each_site_is_tested_by_models_that_saw_none_of_it(cohort: Cohort) -> None:
    folds = make_folds(cohort, "sites", seed=0)
    assert len(folds) == len(SITES)
    for fold, site in enumerate(sorted(SITES)):
        split = folds.split(cohort, fold)
        sites = {part: cohort.table["site"].iloc[split.cases(cohort, part)] for part in ("train", "val", "test")}
        assert set(sites["test"]) == {site} and len(sites["test"]) == SITES[site]
        assert site not in set(sites["train"]) | set(sites["val"])
        assert sum(map(len, sites.values())) == len(cohort) and len(sites["val"]) == 2
        assert split.site == split_facts(cohort, split)["site"] == site
        assert f"fold {fold} of 4 (site {site})" in split.describe(cohort)


def test_the_table_that_was_written_is_leave_site_out_again(cohort: Cohort, tmp_path: Path) -> None:
    folds = make_folds(cohort, "sites", seed=3)
    folds.write(tmp_path / "folds.csv")
    again = read_folds(tmp_path / "folds.csv", cohort, 3)
    assert again.key == folds.key and again.split(cohort, 1).site == "DU"


def test_other_folds_name_no_site(cohort: Cohort) -> None:
    for wanted in ("4", "patients"):
        split = make_folds(cohort, wanted, seed=0).split(cohort, 0)
        assert split.site == "" and "site" not in split_facts(cohort, split)


def test_one_large_site_leaves_patients_to_learn_from(cohort_of: MakeCohort) -> None:
    """A tenth of all patients would be all that the large site leaves."""
    cohort = cohort_of(["A"] * 28 + ["B"] * 2)
    split = make_folds(cohort, "sites", seed=0).split(cohort, 0)
    assert [len(split.cases(cohort, part)) for part in ("train", "val", "test")] == [1, 1, 28]


@pytest.mark.parametrize(
    ("sites", "patients", "said"),
    [
        (["", "", ""], None, "no case names its site; give a table of columns case,fold with `fold_file`"),
        (["A", "A", "", "B"], None, "case02 does not name its site"),
        (["A", "A", "A"], None, "all cases are of site A; give a number of `folds` instead"),
        (["A", "A", "A", "B"], None, "without site A, 1 patient would be left for training and validation"),
        (["A", "A", "B", "B"], ["p", "q", "q", "r"], "patient q was scanned at 2 sites and would leak"),
    ],
)
def test_impossible_sites_are_refused_in_a_line(
    cohort_of: MakeCohort, sites: list[str], patients: list[str] | None, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        make_folds(cohort_of(sites, patients), "sites", seed=0)
    assert str(caught.value).startswith("`folds` sites: ") and said in str(caught.value)
    assert "\n" not in str(caught.value)
