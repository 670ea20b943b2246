"""The protocol of Buda et al., trained, tested, predicted: one path, on the grid of the scan, cleaned as declared."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.training import run_test, run_training
from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.predicting.predict import predict
from headtohead.predicting.predictor import Predictor, open_predictor
from headtohead.predicting.scan import scan_of
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.tasks import VOLUMES_TASK
from headtohead.scoring.components import largest_component
from headtohead.scoring.prediction_files import read_mask
from headtohead.task import Case, Grid
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import read_facts
from headtohead.trained.source import Source

PROTOCOL = {
    "preparation": "volume",
    "sampling": "lesion_weighted",
    "augmentation": "buda",
    "optimizer": "adam",
    "lr_scheduler": "none",
    "learning_rate": 0.03,
    "neighbours": 0,
    "sequence_dropout": 0.0,
    "empty_slices": 1.0,
    "test_postprocessing": "largest",
    "threshold": 0.5,
    "num_epochs": 2,
    "width": 4,
    "batch_size": 4,
}


@pytest.fixture(scope="module")
def trained(options_for: Any, phantom_cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Two epochs of it, tested. Read only."""
    options = options_for(tmp_path_factory.mktemp("volume"), **PROTOCOL)
    experiment = open_experiment(options, phantom_cohort)
    run_training(experiment)
    run_test(experiment)
    return experiment


def predicted(experiment: Experiment, case: int, clean_up: bool = True) -> np.ndarray:
    """What `--predict` finds in a case: bool [slices, H, W]."""
    cohort = experiment.cohort
    options = {"model_path": str(experiment.folder.path), "engine": "torch", "gpus": "cpu", "precision": "32"}
    models = open_predictor(from_flat(options | ({} if clean_up else {"postprocessing": "none"})))
    assert clean_up == bool(models.clean_up)
    return predict(scan_of(cohort.images(case), primary=cohort.task.primary_channel), models).labels > 0


def test_the_test_scores_what_prediction_writes(trained: Experiment) -> None:
    cohort, rows = trained.cohort, pd.read_csv(trained.folder.cases).set_index("case")
    assert trained.folder.record()["test_postprocessing"] == read_facts(trained.folder.path).postprocessing == "largest"
    changed = 0
    for case in map(int, trained.split.cases(cohort, "test")):
        name, truth = str(cohort.table["case"].iloc[case]), cohort.masks(case) > 0
        kept = read_mask(trained.folder.masks, name, (1, *truth.shape))[0]
        plain, found = predicted(trained, case, clean_up=False), predicted(trained, case)
        assert (found == largest_component(plain)).all()
        assert (kept == found).all()
        changed += (plain != found).any()
        tp, fp, fn = (int((one & other).sum()) for one, other in ((found, truth), (found, ~truth), (~found, truth)))
        assert rows.loc[name, ["tp", "fp", "fn"]].tolist() == [tp, fp, fn]
        assert rows.loc[name, "slices"] == len(truth)
        assert not found[[0, -1]].any()
    assert changed, "the clean-up should have something to remove"


def test_validation_scores_whole_cases_on_their_own_grid(trained: Experiment) -> None:
    dice = []
    for case in map(int, trained.split.cases(trained.cohort, "val")):
        truth, found = trained.cohort.masks(case) > 0, predicted(trained, case, clean_up=False)
        dice.append(2 * (truth & found).sum() / (truth.sum() + found.sum()))
    assert trained.folder.record()["best_val_dice"] == pytest.approx(np.mean(dice), abs=1e-5)


@pytest.mark.exhaustive
def test_a_resumed_training_ends_alike(
    trained: Experiment, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, same_weights: Callable[..., bool]
) -> None:
    import shutil

    first = open_experiment(options_for(tmp_path / "first", **PROTOCOL | {"num_epochs": 1}), phantom_cohort)
    run_training(first)
    resumed = open_experiment(options_for(tmp_path, **PROTOCOL), phantom_cohort)
    shutil.copytree(first.folder.path, resumed.folder.path)
    resumed.folder.write_config({**resumed.folder.read_config(), "num_epochs": 2})
    resumed.folder.note(status="failed")
    run_training(resumed)
    assert same_weights(trained, resumed)


def test_what_a_net_marks_lies_where_it_was_in_a_rotated_scan_of_thick_slices(trained: Experiment) -> None:
    """The net is one that marks what is bright, so that it is known where its marks belong."""
    rng = np.random.default_rng(0)
    turn = np.deg2rad(20)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    affine[:3, :3] *= (0.9, 1.4, 5)  # millimetres along each axis
    affine[:3, 3] = (-40, 30, 12)
    volume = np.zeros((90, 60, 9), np.float32)
    volume[20:80, 6:50] = rng.integers(300, 350, (60, 44, 9))
    volume[40:60, 15:32, 2:8] = 900
    volume[:, :, [0, -1]] = 900  # which the protocol leaves out
    facts = replace(read_facts(trained.folder.path), task=replace(VOLUMES_TASK, plane="axial"))
    facts = replace(facts, recipe=InputRecipe(64, "standardised", 0, preparation="volume").chain.to_dict())
    choice = Choice(Source(facts, trained.folder.path), "here", trained.folder)
    models = Predictor((choice,), (lambda batch: (batch[:, 1:2] > 1.5).astype(np.float32),), 0.5)
    found = predict(Case("turned", volume[..., None], Grid(volume.shape, affine)), models)
    assert found.labels.shape == found.probability.shape[1:] == volume.shape
    truth = np.zeros(volume.shape, bool)
    truth[40:60, 15:32, 2:8] = True
    assert not found.labels[..., [0, -1]].any()
    overlap = 2 * ((found.labels > 0) & truth).sum() / ((found.labels > 0).sum() + truth.sum())
    assert overlap > 0.93
    moved = np.roll(truth, 2, axis=0)
    assert overlap > 0.04 + 2 * ((found.labels > 0) & moved).sum() / ((found.labels > 0).sum() + truth.sum())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": "slice"}, "`split=slice`: `preparation` needs all slices of a case; use `split=patient`"),
        (
            {"split": "slice", "preparation": "slices"},
            "`test_postprocessing`: needs all slices of a case; use `split=patient`",
        ),
        ({"test_postprocessing": "largests"}, "`test_postprocessing` largests: no such step; did you mean largest"),
        ({"test_postprocessing": "min_size=1ml"}, "min_size=1ml: the size of a voxel is unknown here"),
    ],
)
def test_what_cannot_be_is_refused_before_the_training(
    changes: dict[str, Any], words: str, options_for: Any, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as fault:
        open_experiment(options_for(tmp_path, **PROTOCOL | changes), phantom_cohort)
    assert str(fault.value).startswith(words)
