"""The trained model in the forms that prediction takes: model.json and model.onnx in the run folder."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.batches.datamodule import SliceDataset
from headtohead.comparing.experiment import Experiment
from headtohead.errors import UserError
from headtohead.models.forms import title_of
from headtohead.options.flags import as_flags
from headtohead.predicting.trust.familiarity import VERSION, measure_cohort
from headtohead.preparing.steps.scale import scaled
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.statistics.targets import over_targets
from headtohead.trained.engines.torch_engine import load_net
from headtohead.trained.facts import FILE, ModelFacts, read_facts
from headtohead.trained.onnx_file import write_onnx
from headtohead.trained.source import ONNX, Source
from headtohead.trained.start import BEFORE, SEEN_BEFORE

CHECKED = 8  # slices on which ONNX is held against PyTorch


def keep_model(experiment: Experiment) -> None:
    """Write model.json of a trained experiment, and model.onnx where it is not there yet.

    The clean-up that was chosen for these weights stays. Scores are those of cases.csv, once that is there. A net that
    ONNX cannot express is left without: PyTorch predicts with it all the same.
    """
    folder = experiment.folder
    facts = facts_of(experiment)
    facts.write(folder.path)
    path = folder.path / ONNX
    if path.is_file():
        return
    try:
        source = Source(facts, folder.path, named=experiment.options.model.architecture)
        agreement = str(write_onnx(load_net(source), facts, path, real_slices(experiment)))
    except Exception as fault:  # the exporter's errors share no base class, and none of them spoils a training
        agreement = f"not written: {as_flags(fault).splitlines()[0] if str(fault) else type(fault).__name__}"
    folder.note(onnx=agreement)
    print(f"{experiment.name}: {ONNX} {agreement}")


def facts_of(experiment: Experiment) -> ModelFacts:
    """Collect what model.json says of a trained experiment."""
    folder, options, record = experiment.folder, experiment.options, experiment.folder.record()
    before = read_facts(folder.path) if (folder.path / FILE).is_file() else None
    familiar = before.familiar if before else {}
    if familiar.get("version") != VERSION:
        familiar = measure_cohort(experiment.cohort, experiment.split.cases(experiment.cohort, "train"))
    return ModelFacts(
        name=f"{folder.path.parent.name}/{folder.path.name}",
        model=title_of(options.model.architecture),
        width=options.model.width,
        in_channels=experiment.recipe.channels,
        recipe=experiment.recipe.chain.to_dict(),
        task=experiment.cohort.task,
        threshold=before.threshold if before else options.prediction.threshold,
        postprocessing=before.postprocessing if before else str(experiment.clean_up),
        familiar=familiar,
        scores={"val_dice": record.get("best_val_dice"), **test_scores(folder.cases)},
        net=dict(experiment.net),
        data={
            "name": experiment.cohort.root.name,
            **{k: v for k, v in record.get("data", {}).items() if k not in ("root", "task")},
            "parts": seen_cases(experiment) | cases_before(record),
            **start_of_training(record),
        },
    )


def seen_cases(experiment: Experiment) -> dict[str, list[str]]:
    """Name the cases that training and the choice of the model have seen, so that a prediction of one can say so.

    They are under `train` and `val`; split by slices, a case may be in both.
    """
    names = experiment.cohort.table["case"]
    cases = {part: experiment.split.cases(experiment.cohort, part) for part in ("train", "val")}
    return {part: [str(names.iloc[int(case)]) for case in numbers] for part, numbers in cases.items()}


def cases_before(record: dict[str, Any]) -> dict[str, list[str]]:
    """Name, under `start`, the cases that the weights had seen which a training started from; nothing without any."""
    return {BEFORE: list(record[SEEN_BEFORE])} if record.get(SEEN_BEFORE) else {}


def start_of_training(record: dict[str, Any]) -> dict[str, Any]:
    """Say, under `start`, which weights a training started from, without where they lay; nothing without any."""
    started = record.get("start")
    return {"start": {name: started[name] for name in ("name", "sha256", "training_cases")}} if started else {}


def test_scores(path: Path) -> dict[str, float | int | None]:
    """Sum up cases.csv: mean Dice per case with its interval, median, number of cases; empty where there is none.

    Raises:
        UserError: it is damaged.
    """
    try:
        dice = over_targets(read_table(path).astype({"dice": float}))["dice"]
    except FileNotFoundError:
        return {}
    except (UnreadableError, LookupError, ValueError, TypeError) as fault:
        raise UserError(f"{path}: damaged ({fault}); delete it and run `test` again") from fault
    mean, median = mean_interval(dice), median_interval(dice)
    found = {"mean": mean.mean, "low": mean.low, "high": mean.high, "median": median.median}
    return {name: None if math.isnan(value) else round(value, 4) for name, value in found.items()} | {"n": mean.n}


def real_slices(experiment: Experiment) -> np.ndarray:
    """Take some validation slices, with lesions where there are any, as the net sees them: float32 [n, C, S, S]."""
    cohort, recipe = experiment.cohort, experiment.recipe
    dataset = SliceDataset(cohort, recipe)
    slices = dataset.cases.shown(experiment.split.val)
    with_lesion = slices[cohort.has_lesion()[slices]]
    pool = with_lesion if len(with_lesion) else slices
    chosen = pool[np.unique(np.linspace(0, len(pool) - 1, CHECKED).astype(int))]
    items = [dataset[(0, int(number))] for number in chosen]
    inputs = np.stack([scaled(item["image"], item["statistics"]) for item in items])
    return np.ascontiguousarray(inputs.transpose(0, 3, 1, 2), dtype=np.float32)
