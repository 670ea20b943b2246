"""Made-up patients are known as such wherever they lie, and real ones are never taken for them."""

import shutil
from pathlib import Path

from headtohead.cohort import Cohort, open_cohort
from headtohead.cohort.made_up import made_up_cases, made_up_data
from headtohead.cohort.phantom.planning import Parameters, plan_cases

REAL = "TCGA_CS_4941_19960909"


def test_every_made_up_name_is_recognised_and_no_other() -> None:
    names = [case.name for case in plan_cases(Parameters(n_cases=999, seed=4, size=32, slices=(4, 5)))]
    assert made_up_cases(names)
    assert made_up_cases([f"{names[0]}_flair"])
    assert not made_up_cases([*names, REAL])
    assert not made_up_cases([REAL])
    assert not made_up_cases([])


def test_the_note_in_the_folder_says_so_too(tmp_path: Path) -> None:
    assert not made_up_data(tmp_path, ["sub-01"])
    (tmp_path / "phantoms.json").write_text("{}")
    assert made_up_data(tmp_path, ["sub-01"])


def test_a_copy_of_some_patients_is_still_made_up(phantom_cohort: Cohort, phantom_root: Path, tmp_path: Path) -> None:
    assert phantom_cohort.made_up
    case = sorted(phantom_root.glob("TCGA_*"))[0]
    shutil.copytree(case, tmp_path / "kaggle_3m" / case.name)
    assert open_cohort(tmp_path / "kaggle_3m", tmp_path / "packed").made_up
