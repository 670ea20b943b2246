"""What a finished run folder holds, and that what it holds is true."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headtohead.cohort import Cohort
from headtohead.comparing.experiment import Experiment
from headtohead.options import table as option_table
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.scale import scaled
from headtohead.runs.reading import read_ledger
from headtohead.scoring.counts import count
from headtohead.scoring.prediction_files import read_mask
from tests.trained_nets import load_trained

EPOCHS = 3

PREDICTING = """
import sys
from pathlib import Path
from typing import Any
import torch
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.source import open_source

net = load_net(open_source(Path(sys.argv[1])))
with torch.inference_mode():
    print(net(torch.ones(1, 5, 32, 32)).double().sum().item())
print([name for name in sys.modules if "lightning" in name])
"""


class TestFinishedRun:
    """What a run folder holds."""

    def test_files(self, finished: Experiment) -> None:
        names = {path.name for path in finished.folder.path.rglob("*") if path.is_file()}
        events = {name for name in names if name.startswith("events.out.tfevents.")}
        tables = {"config.yaml", "run.json", "metrics.csv", "cases.csv", "slices.csv", "split.csv"}
        models = {"best.ckpt", "last.ckpt", "model.json", "model.onnx"}
        assert names - events == tables | models | {"masks.npz", "probabilities.npz"}
        assert finished.folder.path.name == "buda-cosine-s0-f0"

    def test_metrics(self, finished: Experiment) -> None:
        table = pd.read_csv(finished.folder.metrics)
        assert list(table.columns) == [
            "epoch", "train_loss", "train_dice", "val_loss", "val_dice", "learning_rate", "seconds"
        ]  # fmt: skip
        assert table["epoch"].tolist() == [0, 1, 2]
        assert table.notna().all(axis=None)
        assert table["learning_rate"].iloc[-1] == pytest.approx(0, abs=1e-6)

    def test_record(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        record = finished.folder.record()
        assert record["status"] == "finished"
        assert record["error"] is None
        assert record["experiment"] == {
            "model": "buda", "schedule": "cosine", "seed": 0, "fold": 0, "name": "buda-cosine-s0-f0"
        }  # fmt: skip
        assert record["data"]["key"] == phantom_cohort.key
        assert record["split"]["key"] == finished.split.key
        assert record["split"]["leaking_patients"] == 0
        assert record["recipe"] == finished.recipe.to_dict()
        assert (record["threshold"], record["seed"], record["epochs"]) == (0.3, 0, EPOCHS)
        assert record["parameters"] == sum(
            weight.numel() for weight in load_trained(finished.folder.best).model.parameters()
        )
        metrics = pd.read_csv(finished.folder.metrics)
        assert record["best_epoch"] == metrics["val_dice"].argmax() + 1
        assert record["best_val_dice"] == metrics["val_dice"].max()
        assert {
            "comparison", "protocol", "command", "versions", "hardware", "git_commit", "device", "precision",
            "started", "ended", "seconds", "test_dice",
        } <= record.keys()  # fmt: skip

    def test_test_dice_is_the_mean_over_cases_not_batches(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        cases = pd.read_csv(finished.folder.cases)
        own = finished.split.cases(phantom_cohort, "test")
        assert cases["case"].tolist() == phantom_cohort.table["case"].iloc[own].tolist()
        assert cases["lesion_voxels"].tolist() == phantom_cohort.table["lesion_voxels"].iloc[own].tolist()
        assert cases["slices"].sum() == len(finished.split.test)
        assert (2 * cases["tp"] / (2 * cases["tp"] + cases["fp"] + cases["fn"])).tolist() == cases["dice"].tolist()
        assert finished.folder.record()["test_dice"] == pytest.approx(cases["dice"].sum() / len(cases))

    def test_scores_are_those_of_the_best_checkpoint(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        trained, found = load_trained(finished.folder.best), np.zeros(3, int)
        for number in finished.split.test:
            case, index = phantom_cohort.case_of(int(number))
            volume, truth = phantom_cohort.images(case), phantom_cohort.masks(case)[index].astype(bool)
            view, statistics = trained.recipe.chain.view(volume, index), trained.recipe.chain.scaling.measure(volume)
            image = scaled(view, trained.recipe.chain.scaling.by_channel(statistics))
            with torch.inference_mode():
                logits = trained.model(torch.from_numpy(image.transpose(2, 0, 1))[None])
            predicted = (
                trained.recipe.chain.resize.undone(logits.sigmoid()[0, 0].numpy(), *truth.shape) >= trained.threshold
            )
            found += [(predicted & truth).sum(), (predicted & ~truth).sum(), (~predicted & truth).sum()]
        cases = pd.read_csv(finished.folder.cases)
        assert cases[["tp", "fp", "fn"]].sum().tolist() == pytest.approx(found.tolist(), abs=20)

    def test_masks_and_slices_agree_with_the_scores(self, finished: Experiment, phantom_cohort: Cohort) -> None:
        cases = pd.read_csv(finished.folder.cases).set_index("case")
        slices = pd.read_csv(finished.folder.slices)
        table = phantom_cohort.table
        assert np.load(finished.folder.masks).files == list(cases.index) == np.load(finished.folder.probabilities).files
        assert slices.groupby("case", sort=False)[["tp", "fp", "fn"]].sum().equals(cases[["tp", "fp", "fn"]])
        for index in finished.split.cases(phantom_cohort, "test"):
            about = table.iloc[index]
            mask = read_mask(finished.folder.masks, about["case"], about[["slices", "height", "width"]])
            truth = phantom_cohort.masks(int(index)).astype(bool)
            own = cases.loc[about["case"]]
            assert count(mask, truth) == (own["tp"], own["fp"], own["fn"])
            assert slices.loc[slices["case"] == about["case"], "slice"].tolist() == list(range(1, len(truth) + 1))
            histogram = np.load(finished.folder.probabilities)[about["case"]].astype(int)
            assert histogram.sum(axis=1).tolist() == [(~truth).sum(), truth.sum()]
            # The threshold .3 is no multiple of 1/256, so its bin may stand on either side.
            assert histogram[:, 77:].sum() <= mask.sum() <= histogram[:, 76:].sum()

    def test_config_round_trips(self, finished: Experiment) -> None:
        written = yaml.safe_load(finished.folder.config.read_text())
        assert option_table.from_flat(written) == finished.options
        verbs = {one.name for one in declarations(GROUPS["verbs"])}
        assert not written.keys() & (verbs | {"overwrite", "debug", "config", "print_config"})

    def test_split_is_written(self, finished: Experiment) -> None:
        parts = pd.read_csv(finished.folder.split)["part"].value_counts().to_dict()
        assert parts == {part: len(getattr(finished.split, part)) for part in ("train", "val", "test")}

    def test_the_ledger_reads_it(self, finished: Experiment) -> None:
        ledger = read_ledger(finished.folder.path.parent)
        assert [run.name for run in ledger.finished] == [finished.name]
        assert not ledger.notes

    def test_events(self, finished: Experiment) -> None:
        """What a user finds in TensorBoard."""
        events = EventAccumulator(str(finished.folder.path), size_guidance={"scalars": 0, "images": 0}).Reload()
        scalars = set(events.Tags()["scalars"])
        assert {"loss/train", "loss/val", "dice/train", "dice/val", "learning_rate", "hparams/test_dice"} <= scalars
        table = pd.read_csv(finished.folder.metrics)
        for tag, column in (("loss/train", "train_loss"), ("dice/train", "train_dice"), ("dice/val", "val_dice")):
            assert [event.value for event in events.Scalars(tag)] == pytest.approx(table[column].tolist())
        rates = [event.value for event in events.Scalars("learning_rate")]
        assert len(rates) >= 2 and rates == sorted(rates, reverse=True), "after its warm-up a cosine only falls"
        assert "test" in events.Tags()["tensors"], "the precision-recall curve"
        images = [tag for tag in events.Tags()["images"] if tag.startswith("validation/TCGA_")]
        outlined = [tag for tag in images if not tag.endswith(" inputs")]
        assert outlined and all(len(events.Images(tag)) == 1 + EPOCHS for tag in outlined), "one before the first step"
        assert all(events.Images(tag)[0].step == 0 for tag in images)
        shown_once = {f"{tag} inputs" for tag in outlined}
        assert set(images) - set(outlined) == shown_once and all(len(events.Images(tag)) == 1 for tag in shown_once)
        assert events.Scalars("hparams/test_dice")[0].value == pytest.approx(finished.folder.record()["test_dice"])
        session = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
        assert b"learning_rate" in session and b"cosine" in session

    def test_predicts_without_lightning(self, finished: Experiment, run_python: Any) -> None:
        run = run_python(PREDICTING, str(finished.folder.path))
        assert run.returncode == 0, run.stderr
        answer, lightning = run.stdout.splitlines()
        with torch.inference_mode():
            expected = load_trained(finished.folder.best).model(torch.ones(1, 5, 32, 32)).double().sum().item()
        assert float(answer) == pytest.approx(expected, rel=1e-4)
        assert lightning == "[]"

    def test_checkpoint_says_how_to_predict(self, finished: Experiment) -> None:
        trained = load_trained(finished.folder.best)
        assert (trained.recipe, trained.threshold) == (InputRecipe(32, "inner", 1), 0.3)
