"""benchmarks/failing_cases.py: the figures in the text of failures follow from cases.csv and slices.csv."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import failing_cases
from headtohead.reporting.findings import findings_of
from headtohead.runs.reading import read_ledger


def printed(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["failing_cases.py", str(folder)])
    failing_cases.main()
    return capsys.readouterr().out


def test_from_both_tables(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = findings_of(read_ledger(scored / "runs" / "made"))
    assert found is not None
    found.cases.to_csv(tmp_path / "cases.csv", index=False)
    assert "nothing on components" in printed(tmp_path, monkeypatch, capsys)
    found.slices.to_csv(tmp_path / "slices.csv", index=False)
    text = printed(tmp_path, monkeypatch, capsys)
    largest = found.conventions.set_index(["entrant", "convention"])["score"]
    for model in ("unet", "resnext"):
        before, after = (largest[f"{model} none", name] for name in ("per case, 3-D", "per case, largest component"))
        assert f"{model}: mean {before:.3f} to {after:.3f}, " in text
    below = found.matrix.drop(columns="flair-threshold").lt(0.5).any(axis=1)
    assert f"cases below 0.5 in at least one model: {below.sum()}; " in text


def test_where_voxels_lie_along_the_slices(capsys: pytest.CaptureFixture[str]) -> None:
    cases = pd.DataFrame({"case": ["TCGA_AA_1_1"], "model": ["unet"], "dice": [0.2]})
    slices = pd.DataFrame(
        {"case": "TCGA_AA_1_1", "model": "unet", "seed": 0, "slice": [1, 2, 3, 4], "fp": [1, 0, 0, 3],
         "fn": [0, 4, 1, 0], "truth": [0, 4, 2, 0], "predicted": [1, 0, 1, 3]}
    )  # fmt: skip
    failing_cases.print_along_the_slices(cases, slices)
    assert capsys.readouterr().out.splitlines()[-1].split()[-3:] == ["0.25", "0.75", "0.80"]
