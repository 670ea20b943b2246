"""Trained, tested and scored with several targets: regions within each other, and classes that exclude each other."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headtohead.cohort import Cohort
from headtohead.comparing import ensemble
from headtohead.comparing.baseline import run_baseline
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.keeping import real_slices
from headtohead.comparing.training import run_test, run_training
from headtohead.comparing.tuning import run_tuning
from headtohead.learning.deciding import activate
from headtohead.options.table import from_flat, replace
from headtohead.predicting.predict import predict
from headtohead.predicting.predictor import open_predictor
from headtohead.predicting.scan import scan_of
from headtohead.reporting.rescoring import rescore
from headtohead.runs.folder import RunFolder
from headtohead.runs.reading import read_ledger
from headtohead.scoring.prediction_files import read_mask
from headtohead.scoring.protocol import PROTOCOL
from headtohead.trained.engines.onnx_engine import OnnxEngine
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.facts import read_facts
from headtohead.trained.source import ONNX, Source
from tests.several_targets import CLASSED, NESTED, relabelled

TARGETS = {"regions": NESTED, "classes": CLASSED}


@pytest.fixture(scope="module", params=TARGETS)
def tested(
    request: pytest.FixtureRequest, options_for: Any, phantom_cohort: Cohort, tmp_path_factory: pytest.TempPathFactory
) -> Experiment:
    """An experiment of six epochs, trained and scored. Read only."""
    folder = tmp_path_factory.mktemp(request.param)
    cohort = relabelled(phantom_cohort, folder / "packed", TARGETS[request.param])
    experiment = open_experiment(options_for(folder, num_epochs=6, empty_slices=1.0, folds="3", width=4), cohort)
    run_training(experiment)
    run_test(experiment)
    return experiment


def predictions(experiment: Experiment) -> dict[str, np.ndarray]:
    """What was predicted: case to bool [K, slices, H, W], read without us."""
    table, count = experiment.cohort.table.set_index("case"), len(experiment.cohort.task.targets)
    with np.load(experiment.folder.masks, allow_pickle=False) as arrays:
        shapes = {case: (count, *table.loc[case, ["slices", "height", "width"]]) for case in arrays}
        return {case: np.unpackbits(arrays[case], count=np.prod(shapes[case])).reshape(shapes[case]) > 0
                for case in arrays}  # fmt: skip


def independent_dice(experiment: Experiment) -> dict[tuple[str, str], float]:
    """Dice from the label maps and the masks, in a few lines; NaN where the truth does not hold the target."""
    found = {}
    for case, predicted in predictions(experiment).items():
        labels = experiment.cohort.labels(experiment.cohort.table["case"].tolist().index(case))
        for target, mask in zip(experiment.cohort.task.targets.all, predicted, strict=True):
            truth = np.isin(labels, target.labels)
            both = 2 * (truth & mask).sum() / (truth.sum() + mask.sum()) if truth.any() else np.nan
            found[case, target.name] = float(both)
    return found


def test_scores_are_those_of_the_label_maps(tested: Experiment) -> None:
    cases, expected = pd.read_csv(tested.folder.cases), independent_dice(tested)
    assert list(cases.columns[:3]) == ["case", "target", "patient"]
    assert list(zip(cases["case"], cases["target"], strict=True)) == list(expected)
    assert cases["dice"].to_numpy() == pytest.approx(list(expected.values()), nan_ok=True)
    assert cases["dice"].isna().any() and (cases["dice"] > 0).any(), "or this shows little"


def test_the_primary_score_is_the_mean_over_the_targets_of_a_case_then_over_cases(tested: Experiment) -> None:
    names, found = tested.cohort.task.targets.names, independent_dice(tested)
    scores = pd.DataFrame(np.reshape(list(found.values()), (-1, len(names))), columns=names)
    record = tested.folder.record()
    assert record["test_dice"] == pytest.approx(scores.mean(axis=1).mean())
    each = {name: scores[name].mean() for name in names}
    assert record["test_dice_of_targets"] == pytest.approx(each)
    facts = read_facts(tested.folder.path)
    assert facts.scores["mean"] == pytest.approx(record["test_dice"], abs=1e-4)
    assert facts.scores["n"] == len(scores.dropna(how="all")) < len(scores)


def test_a_prediction_is_a_label_map(tested: Experiment) -> None:
    targets = tested.cohort.task.targets
    for mask in predictions(tested).values():
        assert (targets.encode(targets.decode(mask)) == mask).all()


def test_validation_chooses_by_the_primary_score_and_tells_of_each_target(tested: Experiment) -> None:
    metrics, record = pd.read_csv(tested.folder.metrics), tested.folder.record()
    columns = [f"val_dice {name}" for name in tested.cohort.task.targets.names]
    assert set(columns) <= set(metrics)
    best = metrics["val_dice"].argmax()
    assert (record["best_epoch"], record["best_val_dice"]) == (best + 1, metrics["val_dice"].max())
    assert list(record["best_val_dice_of_targets"].values()) == pytest.approx(metrics.loc[best, columns].tolist())
    events = EventAccumulator(str(tested.folder.path), size_guidance={"scalars": 0, "images": 0}).Reload()
    for tag, column in zip((f"dice/val/{name}" for name in tested.cohort.task.targets.names), columns, strict=True):
        assert [event.value for event in events.Scalars(tag)] == pytest.approx(metrics[column].tolist())
    assert {f"test/{name}" for name in tested.cohort.task.targets.names} <= set(events.Tags()["tensors"])
    side = int(tested.cohort.table["width"].iloc[0])
    image = next(events.Images(tag)[0] for tag in events.Tags()["images"] if tag.startswith("validation/"))
    assert image.height > 2 * side and image.width == 4 * side, "the truth, the prediction beside it, names below"


def test_counts_and_histograms_are_kept_by_target(tested: Experiment) -> None:
    cases, slices = pd.read_csv(tested.folder.cases), pd.read_csv(tested.folder.slices)
    assert list(slices.columns[:3]) == ["case", "target", "slice"]
    sums = slices.groupby(["case", "target"], sort=False)[["tp", "fp", "fn"]].sum()
    assert sums.to_numpy().tolist() == cases[["tp", "fp", "fn"]].to_numpy().tolist()
    table, targets = tested.cohort.table.set_index("case"), tested.cohort.task.targets
    with np.load(tested.folder.probabilities, allow_pickle=False) as histograms:
        assert list(histograms) == np.load(tested.folder.masks).files == list(dict.fromkeys(cases["case"]))
        for case, own in cases.groupby("case"):
            assert histograms[case].shape == (len(targets), 2, 256)
            assert histograms[case][:, 1].sum(axis=1).tolist() == own["lesion_voxels"].tolist()
            shape = (len(targets), *table.loc[case, ["slices", "height", "width"]])
            masks = read_mask(tested.folder.masks, case, shape)
            assert masks.sum(axis=(1, 2, 3)).tolist() == (own["tp"] + own["fp"]).tolist()


def test_the_ledger_reads_a_row_a_case_and_target(tested: Experiment) -> None:
    ledger = read_ledger(tested.folder.path.parent)
    assert not ledger.notes
    assert ledger.task.targets == tested.cohort.task.targets
    assert ledger.cases[["case", "target"]].equals(pd.read_csv(tested.folder.cases)[["case", "target"]])


def test_the_baseline_has_a_threshold_for_each_target(tested: Experiment, tmp_path: Path) -> None:
    facts = {"data": {"key": "k"}, "split": {"kind": "patient", "key": "s"}, "protocol": "1"}
    folder = run_baseline(tested.cohort, tested.split, tmp_path, facts)
    record = json.loads((folder / "run.json").read_text())
    assert list(record["thresholds"]) == list(tested.cohort.task.targets.names)
    cases = pd.read_csv(folder / "cases.csv")
    assert cases[["case", "target"]].equals(pd.read_csv(tested.folder.cases)[["case", "target"]])


def test_rescoring_needs_only_the_masks(tested: Experiment, tmp_path: Path) -> None:
    folder = shutil.copytree(tested.folder.path.parent, tmp_path / "copied") / tested.name
    before = {name: pd.read_csv(folder / name) for name in ("cases.csv", "slices.csv")}
    before["cases.csv"].assign(lesions_false=77).to_csv(folder / "cases.csv", index=False)
    RunFolder(folder).note(protocol=PROTOCOL | {"version": 3}, test_dice=0.5, test_dice_of_targets={})
    assert not rescore(read_ledger(folder.parent, agreeing=False), tested.cohort)
    for name, table in before.items():
        pd.testing.assert_frame_equal(pd.read_csv(folder / name), table)
    again, record = RunFolder(folder).record(), tested.folder.record()
    assert all(again[name] == record[name] for name in ("test_dice", "test_dice_of_targets", "protocol"))


def test_seeds_are_averaged_and_scored_as_one(tested: Experiment, tmp_path: Path) -> None:
    shutil.copytree(tested.folder.path.parent, tmp_path / "single")
    both = [
        open_experiment(replace(tested.options, runs_dir=str(tmp_path), seed=seed), tested.cohort) for seed in (0, 1)
    ]
    run_training(both[1])
    run_test(both[1])
    members = read_ledger(tmp_path / "single").finished
    ensemble._run_ensemble(both[0], members)
    folder = ensemble.ensemble_folder(both[0])
    record, cases = folder.record(), pd.read_csv(folder.cases)
    assert list(record["members"]) == ["buda-cosine-s0-f0", "buda-cosine-s1-f0"]
    assert record["test_dice"] == pytest.approx(cases.groupby("case")["dice"].mean().mean())
    assert list(record["test_dice_of_targets"]) == list(tested.cohort.task.targets.names)
    assert cases[["case", "target"]].equals(pd.read_csv(tested.folder.cases)[["case", "target"]])


def test_threshold_and_clean_up_are_tuned_on_the_primary_score(tested: Experiment, tmp_path: Path) -> None:
    shutil.copytree(tested.folder.path.parent, tmp_path / "single")
    copied = open_experiment(replace(tested.options, runs_dir=str(tmp_path)), tested.cohort)
    run_tuning(copied)
    record, table = copied.folder.record(), pd.read_csv(copied.folder.path / "tuning.csv")
    assert record["tuning"]["val_dice_before"] == pytest.approx(record["best_val_dice"], abs=1e-6)
    assert record["tuning"]["candidates"] == len(table) > 10
    chosen = table[table["chosen"]].iloc[0]
    assert chosen["mean_dice"] == pytest.approx(record["tuning"]["val_dice"], abs=1e-6)
    facts = read_facts(copied.folder.path)
    assert (facts.threshold, facts.postprocessing or "none") == (chosen["threshold"], chosen["postprocessing"])


def test_onnx_gives_the_probability_of_each_target(tested: Experiment) -> None:
    assert "agrees with PyTorch" in tested.folder.record()["onnx"]
    facts, slices = read_facts(tested.folder.path), real_slices(tested)
    assert facts.task.targets == tested.cohort.task.targets
    with torch.inference_mode():
        logits = load_net(Source(facts, tested.folder.path))(torch.from_numpy(slices))
    found = OnnxEngine(tested.folder.path / ONNX, facts)(slices)
    assert found.shape == (len(slices), len(facts.task.targets), 32, 32)
    assert found == pytest.approx(activate(logits, facts.task.targets).numpy(), abs=1e-4)


def test_a_prediction_is_what_the_test_scored(tested: Experiment) -> None:
    """The road of `--predict`, on the same slices: resizing may round a pixel at the edge to the other side."""
    models = open_predictor(from_flat({"model_path": str(tested.folder.path), "gpus": "cpu"}))
    case, kept = next(iter(predictions(tested).items()))
    volume = tested.cohort.images(tested.cohort.table["case"].tolist().index(case))
    found = predict(scan_of(np.asarray(volume)), models)
    assert (tested.cohort.task.targets.encode(found.labels) != kept).mean() < 0.002
