"""What results/ quotes is what its commands print from the tables that lie beside it."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import fold_luck, tables_again

RESULTS = Path(__file__).parents[2] / "results"
CROSSVAL, SPLIT1 = RESULTS / "lgg-crossval", RESULTS / "lgg-crossval-split1"


def test_the_tables_of_the_cross_validation_follow_from_its_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(CROSSVAL / "cases.csv", tmp_path)
    monkeypatch.setattr(sys, "argv", ["tables_again.py", str(tmp_path), "--leave_out", "lesions"])
    tables_again.main()
    assert "Equivalent in mean Dice within 0.02: this training of resnext cosine and" in capsys.readouterr().out
    made = {path.name for path in tmp_path.iterdir()} - {"cases.csv"}
    assert made == {f"{name}.csv" for name in ("results", "pairs", "ranks", "subgroups", "subgroup_pairs")}
    for name in made:
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name), pd.read_csv(CROSSVAL / name), rtol=1e-6)


def test_the_luck_of_the_folds_is_as_its_page_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fold_luck.py", str(CROSSVAL), str(SPLIT1)])
    fold_luck.main()
    printed = capsys.readouterr().out
    page = SPLIT1.with_suffix(".md").read_text()
    for number in ("0.823 [0.797, 0.843]", "0.813 [0.786, 0.835]", "0.863 [0.845, 0.886]", "0.863 [0.842, 0.880]"):
        assert number in printed and number in page
    folds = "0.782, 0.806, 0.865, 0.821, 0.790"
    assert f"folds {folds}" in printed and folds.replace("0.", ".") in page
    assert "-0.0100 [-0.0195, -0.0028] on 110 cases, Wilcoxon p = 0.29" in printed


@pytest.mark.parametrize("script", [fold_luck, tables_again])
def test_a_folder_without_cases_is_refused(script: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["script.py", str(tmp_path), *([str(tmp_path)] if script is fold_luck else [])])
    with pytest.raises(SystemExit, match=r"cases\.csv: no such file"):
        script.main()  # type: ignore[attr-defined]
