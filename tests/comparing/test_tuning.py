"""Threshold and clean-up chosen on validation cases alone: what is read, chosen, written and said."""

import dataclasses
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.cohort import Cohort
from headtohead.comparing import tuning
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.tuning import (
    CLEAN_UPS,
    MARGIN,
    THRESHOLDS,
    Candidate,
    candidates_around,
    choose,
    dice_of,
    run_tuning,
    score_candidates,
    tune,
)
from headtohead.errors import UserError
from headtohead.options import table as option_table
from headtohead.predicting.cleaning.postprocessing import parse_clean_up, parse_steps
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.trained.facts import ModelFacts, read_facts
from tests.several_targets import CLASSED, NESTED

OWN = Candidate(0.5, "")


@pytest.fixture
def copied(copied: Experiment) -> Experiment:
    """It has a model.json."""
    facts = ModelFacts(
        "runs/one", "buda", 2, 5, copied.recipe.to_dict(), threshold=0.3, data={"key": "kept"}, task=LGG_TASK
    )
    facts.write(copied.folder.path)
    return copied


def choosing(monkeypatch: pytest.MonkeyPatch, wanted: Candidate | None) -> None:
    """Let one candidate come out far ahead of all others; None: all equal."""

    def score(experiment: Experiment, candidates: list[Candidate]) -> np.ndarray:
        return np.array([[0.9 if one == wanted else 0.5 for one in candidates]] * 2)

    monkeypatch.setattr(tuning, "score_candidates", score)


def test_only_validation_cases_are_read(copied: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, set[int]] = {"images": set(), "labels": set()}
    for kind, places in read.items():
        real = getattr(Cohort, kind)
        monkeypatch.setattr(
            Cohort, kind, lambda self, case, real=real, places=places: places.add(int(case)) or real(self, case)
        )
    run_tuning(copied)
    validation = set(copied.split.cases(copied.cohort, "val").tolist())
    assert read == {"images": validation, "labels": validation}
    assert not validation & set(copied.split.cases(copied.cohort, "test").tolist())


def test_scores_are_those_of_the_training_at_its_own_threshold(copied: Experiment, metrics_of: Any) -> None:
    """The validation Dice of the best epoch, found again from the probabilities."""
    scores = score_candidates(copied, [Candidate(0.3, ""), Candidate(0.3, "largest")])
    assert scores.shape == (len(copied.split.cases(copied.cohort, "val")), 2)
    assert np.nanmean(scores[:, 0]) == pytest.approx(metrics_of(copied)["val_dice"].max(), abs=1e-4)


def test_what_is_chosen_goes_into_the_model_and_the_scores_stay(
    copied: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied.folder
    before = {name: (folder.path / name).read_bytes() for name in ("cases.csv", "slices.csv", "masks.npz")}
    test_dice, facts = folder.record()["test_dice"], read_facts(folder.path)
    choosing(monkeypatch, Candidate(0.45, "fill,largest"))
    run_tuning(copied)
    assert read_facts(folder.path) == dataclasses.replace(facts, threshold=0.45, postprocessing="fill,largest")
    assert {name: (folder.path / name).read_bytes() for name in before} == before
    assert folder.record()["test_dice"] == test_dice
    assert folder.record()["tuning"] == {
        "threshold": 0.45,
        "postprocessing": "fill,largest",
        "val_dice_before": 0.5,
        "val_dice": 0.9,
        "cases": 2,
        "candidates": 90,
    }
    said = capsys.readouterr().out
    assert "threshold 0.45, fill,largest (in place of threshold 0.3, no clean-up)" in said
    assert "on the 2 validation cases that chose it: 0.500 before, 0.900 now" in said
    assert "the test scores do not change: they are those of threshold 0.3, no clean-up" in said
    table = pd.read_csv(folder.path / "tuning.csv")
    assert len(table) == 90 and table["chosen"].sum() == 1
    assert table.loc[0, ["threshold", "postprocessing", "mean_dice", "cases", "chosen"]].tolist() == [
        0.45, "fill,largest", 0.9, 2, True,
    ]  # fmt: skip


def test_where_nothing_is_better_the_run_keeps_its_own(
    copied: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = read_facts(copied.folder.path)
    dataclasses.replace(facts, threshold=0.7, postprocessing="fill").write(copied.folder.path)  # chosen earlier
    choosing(monkeypatch, None)
    run_tuning(copied)
    assert read_facts(copied.folder.path) == facts
    assert "threshold 0.3, no clean-up (kept, none of 90 choices is better by more than" in capsys.readouterr().out


def test_validation_without_any_dice_keeps_the_run_s_own(copied: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "score_candidates", lambda _, candidates: np.full((2, len(candidates)), np.nan))
    run_tuning(copied)
    assert read_facts(copied.folder.path).threshold == 0.3
    assert json.loads((copied.folder.path / "run.json").read_text())["tuning"]["val_dice"] is None
    assert pd.read_csv(copied.folder.path / "tuning.csv")["cases"].tolist() == [0] * 90


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda run: (run.folder.path / "model.json").unlink(),
            r"has no model.json, since an older version made it; run `test` to write it",
        ),
        (
            lambda run: run.folder.note(status="running"),
            "`tune_postprocessing`: .* holds no trained model; add `train`",
        ),
        (lambda run: run.folder.best.write_bytes(b"x"), "best.ckpt"),
    ],
)
def test_a_run_that_cannot_be_tuned_is_refused_in_a_line(
    copied: Experiment, spoil: Callable[[Experiment], object], said: str
) -> None:
    spoil(copied)
    with pytest.raises(UserError, match=said):
        run_tuning(copied)
    assert not (copied.folder.path / "tuning.csv").exists()


def test_other_options_are_refused(copied: Experiment) -> None:
    with pytest.raises(UserError, match="`image_size` 32, now 64"):
        run_tuning(open_experiment(option_table.replace(copied.options, image_size=64), copied.cohort))


def test_parts_of_cases_are_refused(copied: Experiment) -> None:
    for split, mend in (
        (dataclasses.replace(copied.split, kind="slice"), "`split=patient`"),
        (dataclasses.replace(copied.split, val=copied.split.val[:0]), "fewer `folds`"),
    ):
        with pytest.raises(UserError, match=mend):
            tuning.refuse_parts_of_cases(dataclasses.replace(copied, split=split))


def test_the_verb_finds_the_run_as_the_test_does(copied: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what names the run and its data is given; the rest is taken from its folder."""
    choosing(monkeypatch, Candidate(0.4, ""))
    given = {name: getattr(copied.options.data, name) for name in ("root_dir", "cache_dir")}
    options = option_table.from_flat(
        given
        | {"runs_dir": copied.options.comparison.runs_dir, "model": "buda", "lr_scheduler": "cosine", "gpus": "cpu"}
    )
    assert tune(options) == copied.folder.path
    assert read_facts(copied.folder.path).threshold == 0.4


# The choice.


def test_candidates_are_few_and_go_from_simple_to_complex() -> None:
    found = candidates_around(OWN)
    assert found[0] == OWN
    assert len(set(found)) == len(found) == len(THRESHOLDS) * len(CLEAN_UPS) == 90
    steps = [len(parse_steps(one.postprocessing)) for one in found]
    assert steps == sorted(steps)
    assert THRESHOLDS == (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
    other = Candidate(0.12, "")
    assert candidates_around(other)[0] == other and len(candidates_around(other)) == 100


def test_ties_go_to_the_simpler_and_small_gains_to_none() -> None:
    candidates = [OWN, Candidate(0.45, ""), Candidate(0.45, "fill"), Candidate(0.4, "fill,largest")]
    hair = 1e-6
    assert choose(candidates, [0.8, 0.8, 0.8, 0.8], OWN) == OWN
    assert choose(candidates, [0.8, 0.8 + MARGIN - hair, 0.7, 0.7], OWN) == OWN
    assert choose(candidates, [0.8, 0.8 + MARGIN + hair, 0.7, 0.7], OWN) == candidates[1]
    assert choose(candidates, [0.8, 0.82, 0.82 + MARGIN - hair, 0.7], OWN) == candidates[1]
    assert choose(candidates, [0.8, 0.82, 0.82 + MARGIN + hair, 0.7], OWN) == candidates[2]
    assert choose(candidates, [0.8, 0.804, 0.807, 0.7], OWN) == OWN, "the simplest of the best gains too little"
    assert choose(candidates, [float("nan"), 0.1, 0.1, 0.2], OWN) == candidates[3]


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=90, max_size=90))
def test_a_choice_is_never_worse_than_the_run_s_own(means: list[float]) -> None:
    candidates = candidates_around(OWN)
    chosen = choose(candidates, means, OWN)
    before, after = means[0], means[candidates.index(chosen)]
    assert chosen == OWN or np.isnan(before) or after > before + MARGIN


def test_a_candidate_is_scored_as_it_would_predict() -> None:
    probability = np.zeros((3, 20, 20), np.float32)
    probability[1, 2:12, 2:12] = 0.8
    probability[1, 5:8, 5:8] = 0.1  # a hole
    probability[2, 15:17, 15:17] = 0.42  # a speck, seen below 0.42 only
    truth = np.zeros_like(probability, bool)
    truth[1, 2:12, 2:12] = True
    candidates = [Candidate(0.4, ""), Candidate(0.5, ""), Candidate(0.4, "fill"), Candidate(0.4, "fill,largest")]
    expected = [2 * 91 / (95 + 100), 2 * 91 / (91 + 100), 2 * 100 / (104 + 100), 1]
    found = dice_of(probability[None], truth[None], candidates, None, LGG_TASK.targets)
    assert found == pytest.approx(expected)


def test_of_several_targets_each_is_cleaned_by_its_own_steps_and_all_count() -> None:
    truth, probability = np.zeros((2, 3, 20, 20), bool), np.zeros((2, 3, 20, 20), np.float32)
    truth[0, 1, 2:12, 2:12] = truth[1, 1, 4:8, 4:8] = True
    probability[0, 1, 2:12, 2:12] = 0.8
    probability[:, 1, 4:8, 4:8] = 0.8
    probability[1, 1, 15:18, 15:18] = 0.8  # a core outside the whole tumour, which then holds it, too
    candidates = [Candidate(0.5, text) for text in ("", "core:largest", "largest", "whole tumour:largest")]
    alone, core = 2 * 100 / (109 + 100), 2 * 16 / (25 + 16)
    expected = [(alone + core) / 2, (alone + 1) / 2, 1, 1]
    assert dice_of(probability, truth, candidates, None, NESTED) == pytest.approx(expected)


def test_the_clean_up_of_each_target_is_chosen_after_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = {"largest": 0.1, "largest;core:min_size=50vox": 0.15}

    def score(_: Any, candidates: list[Candidate]) -> np.ndarray:
        return np.array([[0.5 + gains.get(one.postprocessing, 0) * (one.threshold == 0.4) for one in candidates]] * 3)

    monkeypatch.setattr(tuning, "score_candidates", score)
    experiment = SimpleNamespace(cohort=SimpleNamespace(task=SimpleNamespace(targets=NESTED)))
    chosen, scores = tuning.search(experiment, OWN)  # type: ignore[arg-type]
    assert chosen == Candidate(0.4, "largest;core:min_size=50vox")
    assert parse_clean_up(chosen.postprocessing, NESTED).of("whole tumour") == parse_steps("largest")
    assert len(scores) == 90 + 2 * len(CLEAN_UPS)
    experiment.cohort.task.targets = CLASSED
    chosen, scores = tuning.search(experiment, OWN)  # type: ignore[arg-type]
    assert {one.threshold for one in scores} == {OWN.threshold}, "no threshold decides between classes"


def test_all_clean_ups_can_be_read_and_need_no_spacing() -> None:
    assert all(step.unit in ("", "vox") for text in CLEAN_UPS for step in parse_steps(text))
