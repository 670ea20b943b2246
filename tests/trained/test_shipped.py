"""The model that comes with the program: small, and as good on real cases as its card says."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import open_cohort
from headtohead.options.table import from_flat
from headtohead.predicting.predict import predict
from headtohead.predicting.predictor import open_predictor
from headtohead.predicting.scan import scan_of
from headtohead.scoring.counts import count, dice
from headtohead.trained.choosing import SHIPPED
from headtohead.trained.engines import open_engine
from headtohead.trained.source import open_source

ROOT = Path(__file__).resolve().parents[2]
CASES = 3


def test_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) < 10e6


def test_card_says_what_cases_say() -> None:
    facts, table = open_source(SHIPPED).facts, pd.read_csv(SHIPPED / "cases.csv")
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    mean, median = table["dice"].mean(), table["dice"].median()
    assert f"mean **{mean:.3f}**" in card
    assert f"median {median:.3f}, n {len(table)}" in card
    assert facts.scores["mean"] == pytest.approx(mean, abs=1e-4)
    for case, score in zip(table["case"], table["dice"], strict=True):
        assert f"| {case} | {score:.3f} |" in card
    for words in ("Split by patient", "Research only", "CC BY-NC-SA 4.0", "--compare --config configs/lgg_cv.yaml"):
        assert words in card


def test_both_forms_of_its_weights_agree() -> None:
    source = open_source(SHIPPED)
    slices = np.random.default_rng(0).normal(size=(2, 5, 128, 128)).astype(np.float32)
    found = [open_engine(source, which, "cpu", "32")(slices) for which in ("torch", "onnx")]
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)


def test_predicts_on_a_fresh_checkout(phantom_root: Path, tmp_path: Path) -> None:
    image = sorted(phantom_root.glob("TCGA_*/*_3.tif"))[0]
    words = ["--image_path", str(image), "--runs_dir", str(tmp_path / "runs")]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "shipped with the program; no run is trained here" in done.stdout
    assert len(list((tmp_path / "runs" / "predictions").glob("*.png"))) == 3


@pytest.mark.exhaustive
def test_scores_real_cases_as_its_card_says(shared_lgg: Path, cache_dir: Path) -> None:
    cohort = open_cohort(shared_lgg, cache_dir)
    predictor = open_predictor(from_flat({"model_path": str(SHIPPED), "engine": "onnx"}))
    table = pd.read_csv(SHIPPED / "cases.csv").set_index("case")["dice"].sort_values()
    # From the worst case to the best: a mean alone could hide two mistakes.
    for name in table.index[np.linspace(0, len(table) - 1, CASES).astype(int)]:
        case = cohort.table.index[cohort.table["case"] == name][0]
        mask = predict(scan_of(np.asarray(cohort.images(case))), predictor).labels == 1
        assert float(dice(*count(mask, np.asarray(cohort.masks(case)) == 1))) == pytest.approx(table[name], abs=0.01)
