"""The models that come with the program: small, and as good on real cases as their cards say."""

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
from headtohead.trained.choosing import choose_models
from headtohead.trained.engines import open_engine
from headtohead.trained.shipped import FOLDER, SHIPPED, path_of_model, shipped_bundles
from headtohead.trained.source import open_source
from headtohead.trained.start import find_start

ROOT = Path(__file__).resolve().parents[2]
CASES = 3


@pytest.fixture(params=sorted(shipped_bundles()))
def bundle(request: pytest.FixtureRequest) -> Path:
    """The folder of each."""
    return shipped_bundles()[request.param]


def test_each_folder_has_a_name() -> None:
    assert set(shipped_bundles().values()) == {path for path in FOLDER.iterdir() if path.is_dir()}
    assert "shipped" in shipped_bundles()


def test_small(bundle: Path) -> None:
    assert sum(path.stat().st_size for path in bundle.rglob("*")) <= 16e6


def test_card_says_what_cases_say(bundle: Path) -> None:
    facts, table = open_source(bundle).facts, pd.read_csv(bundle / "cases.csv")
    card = (bundle / "README.md").read_text(encoding="utf-8")
    mean, median = table["dice"].mean(), table["dice"].median()
    assert f"mean **{mean:.3f}**" in card
    assert f"median {median:.3f}" in card and f"the {len(table)} test cases" in card
    assert facts.scores["mean"] == pytest.approx(mean, abs=1e-4)
    for case, score in zip(table["case"], table["dice"], strict=True):
        assert f"| {case} | {score:.3f} |" in card
    for words in ("Split by ", "Research only", "CC BY-NC-SA 4.0", f"src/headtohead/shipped/{bundle.name}\n"):
        assert words in card
    assert ("`model.onnx`" in card) is (bundle / "model.onnx").is_file()
    assert ("these chose the epoch" in card) is ("Split by buda" in card)


def test_weights_are_those_of_the_net_and_of_onnx(bundle: Path) -> None:
    source = open_source(bundle)
    side = source.facts.image_size
    slices = np.random.default_rng(0).normal(size=(1, source.facts.in_channels, side, side)).astype(np.float32)
    engines = ["torch", "onnx"] if source.onnx else ["torch"]
    found = [open_engine(source, which, "cpu", "32")(slices) for which in engines]
    np.testing.assert_allclose(found[0], found[-1], atol=1e-4)
    assert 0 <= found[0].min() < found[0].max() <= 1


def test_each_is_named_where_a_model_is_named(bundle: Path, tmp_path: Path) -> None:
    [name] = [name for name, folder in shipped_bundles().items() if folder == bundle]
    assert find_start(name, tmp_path).path == bundle / "weights.safetensors"
    [choice] = choose_models(from_flat({"model_path": name}), None)
    assert choice.source.folder == bundle and choice.source.facts.scores


def test_a_path_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_of_model("shipped") == SHIPPED
    (tmp_path / "shipped").mkdir()
    assert path_of_model("shipped") == Path("shipped")


def test_predicts_on_a_fresh_checkout(phantom_root: Path, tmp_path: Path) -> None:
    image = sorted(phantom_root.glob("TCGA_*/*_3.tif"))[0]
    words = ["--image_path", str(image), "--runs_dir", str(tmp_path / "runs")]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "shipped with the program; no run is trained here" in done.stdout
    assert len(list((tmp_path / "runs" / "predictions").glob("*.png"))) == 3


@pytest.mark.exhaustive
def test_scores_real_cases_as_its_card_says(bundle: Path, shared_lgg: Path, cache_dir: Path) -> None:
    cohort = open_cohort(shared_lgg, cache_dir)
    predictor = open_predictor(from_flat({"model_path": str(bundle)}))
    table = pd.read_csv(bundle / "cases.csv").set_index("case")["dice"].sort_values()
    # From the worst case to the best: a mean alone could hide two mistakes.
    for name in table.index[np.linspace(0, len(table) - 1, CASES).astype(int)]:
        case = cohort.table.index[cohort.table["case"] == name][0]
        mask = predict(scan_of(np.asarray(cohort.images(case))), predictor).labels == 1
        assert float(dice(*count(mask, np.asarray(cohort.masks(case)) == 1))) == pytest.approx(table[name], abs=0.01)
