"""Where an external test is kept, and which earlier one it may replace."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from headtohead.cohort import Cohort
from headtohead.comparing import external
from headtohead.errors import UserError
from headtohead.runs.folder import RunFolder


def test_another_cohort_of_one_name_has_a_folder_of_its_own(tmp_path: Path, phantom_cohort: Cohort) -> None:
    home = RunFolder(tmp_path / "r")
    first = external.folder_for(home, phantom_cohort)
    assert first.path == tmp_path / "r" / "external" / phantom_cohort.root.name
    first.path.mkdir(parents=True)
    first.write_record({"status": "finished", "data": {"key": "another"}})
    again = external.folder_for(home, phantom_cohort)
    assert again.path.name == f"{phantom_cohort.root.name}-{phantom_cohort.key[:8]}"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (
            {"external": {"weights": "b" * 64}, "threshold": 0.5},
            r"of other weights \(bbbbbbbb, now aaaaaaaa\); .*run_name",
        ),
        ({"external": {"weights": "a" * 64}, "threshold": 0.3}, r"at another threshold \(0.3, now 0.5\)"),
        ({"external": {"weights": "a" * 64}, "threshold": 0.5}, ""),
        ({"external": {"model": "of an earlier version"}}, ""),
    ],
)
def test_a_test_of_another_model_is_not_replaced(tmp_path: Path, before: dict[str, Any], said: str) -> None:
    RunFolder(tmp_path).write_record({"status": "finished", **before})
    with pytest.raises(UserError, match=said) if said else nullcontext():
        external.refuse_other_test(RunFolder(tmp_path), "a" * 64, 0.5, bundle=True)
