"""`--tune_postprocessing`: threshold and clean-up of a trained run, chosen on its validation cases alone.

The test cases are never read: whoever chooses by them has no test left. The run's scores stay those without a clean-up,
or after the one that was declared before its training (`--test_postprocessing`).
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headtohead import machine
from headtohead.comparing.experiment import Experiment, as_trained, open_experiment, refuse_other_run, trained_model
from headtohead.comparing.model_settings import with_own_settings
from headtohead.errors import UserError
from headtohead.options.table import Options, replace
from headtohead.predicting.cleaning.postprocessing import NONE, clean_labels, parse_clean_up
from headtohead.predicting.predict import predict
from headtohead.predicting.predictor import open_choices
from headtohead.predicting.scan import scan_of
from headtohead.saving import write_table
from headtohead.scoring.counts import count, mean_dice, mean_over_targets, target_dice
from headtohead.task import Targets
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import FILE, read_facts
from headtohead.trained.source import open_source

TABLE = "tuning.csv"
THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(9))
PIECES = ("", "largest", "min_size=50vox", "min_size=200vox", "min_size=1000vox")
CLEAN_UPS = tuple(",".join(filter(None, (fill, pieces))) for pieces in PIECES for fill in ("", "fill"))
"""Few, since the best of thousands on a dozen validation cases would mean nothing."""

MARGIN = 0.005
"""Mean Dice below which a difference counts for nothing: among choices so near the best the simplest is taken, and
the run's own threshold without clean-up is left only for a larger gain. A dozen cases cannot tell finer: with ties of
0.001, one fold of the LGG cross-validation gained 0.043 on the cases that chose and lost 0.022 on its test cases."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One choice: a threshold and the steps after it, as `--postprocessing` takes them."""

    threshold: float
    postprocessing: str

    def for_target(self, name: str, steps: str) -> "Candidate":
        """Give the choice with other steps for one target."""
        parts = (self.postprocessing, f"{name}:{steps or NONE}")
        return dataclasses.replace(self, postprocessing=";".join(filter(None, parts)))

    def __str__(self) -> str:
        """Both in words."""
        return f"threshold {self.threshold:g}, {self.postprocessing or 'no clean-up'}"


def tune(options: Options) -> Path:
    """Carry out `--tune_postprocessing` on the run that `--test` would score. Returns the run folder."""
    machine.pick_device(options.machine.gpus)
    experiment = open_experiment(as_trained(with_own_settings(options, trained_model(options))))
    with experiment.folder.held(wait=True):
        run_tuning(experiment)
    return experiment.folder.path


def run_tuning(experiment: Experiment) -> None:
    """Choose, write tuning.csv and put the choice into model.json. The caller holds the folder.

    Raises:
        UserError: nothing is trained here, the run has no model.json, was made under other options or data, or has no
            whole validation cases.
    """
    folder = experiment.folder
    refuse_other_run(experiment, trains=False)
    if folder.record().get("status") not in ("trained", "finished"):
        raise UserError(f"`tune_postprocessing`: {folder.path} holds no trained model; add `train`")
    if not (folder.path / FILE).is_file():
        raise UserError(f"{folder.path}: has no {FILE}, since an older version made it; run `test` to write it")
    refuse_parts_of_cases(experiment)
    facts = read_facts(folder.path)
    own = Candidate(experiment.options.prediction.threshold, str(experiment.clean_up))
    chosen, scores = search(experiment, own)
    write_scores(folder.path / TABLE, scores, chosen)
    dataclasses.replace(facts, threshold=chosen.threshold, postprocessing=chosen.postprocessing).write(folder.path)
    before, after, cases = mean_dice(scores[own]), mean_dice(scores[chosen]), len(scores[own])
    folder.note(
        tuning={
            "threshold": chosen.threshold,
            "postprocessing": chosen.postprocessing,
            "val_dice_before": None if np.isnan(before) else before,
            "val_dice": None if np.isnan(after) else after,
            "cases": cases,
            "candidates": len(scores),
        }
    )
    kept = chosen == own
    why = f"kept, none of {len(scores)} choices is better by more than {MARGIN}" if kept else f"in place of {own}"
    gain = f"{before:.3f}" if kept else f"{before:.3f} before, {after:.3f} now"
    print(f"{experiment.name}: {chosen} ({why})")
    print(f"mean Dice per case on the {cases} validation cases that chose it: {gain}")
    print(f"the test scores do not change: they are those of {own}")


def refuse_parts_of_cases(experiment: Experiment) -> None:
    """Refuse a split without whole validation cases: steps that work in 3-D need every slice of a case.

    Raises:
        UserError: names the fix.
    """
    cohort, split = experiment.cohort, experiment.split
    if split.chosen_on_test:
        raise UserError("`tune_postprocessing`: the validation cases of this split are its test; use `split=patient`")
    if split.kind != "patient":
        raise UserError("`tune_postprocessing`: needs whole validation cases; train with `split=patient`")
    if not len(split.cases(cohort, "val")):
        raise UserError("`tune_postprocessing`: this split has no validation cases; use fewer `folds`")


def search(experiment: Experiment, own: Candidate) -> tuple[Candidate, dict[Candidate, NDArray[np.float64]]]:
    """Choose a threshold and a clean-up for all targets; then, of several, the clean-up of one after the other.

    Gives the choice; and by candidate its primary Dice on each validation case, as `score_candidates` gives it.
    """
    targets = experiment.cohort.task.targets
    scores: dict[Candidate, NDArray[np.float64]] = {}

    def best_of(candidates: list[Candidate], kept: Candidate) -> Candidate:
        scores.update(zip(candidates, score_candidates(experiment, candidates).T, strict=True))
        return choose(candidates, [mean_dice(scores[one]) for one in candidates], kept)

    chosen = best_of(candidates_around(own, decides=targets.thresholded), own)
    for name in targets.names if len(targets) > 1 else ():
        chosen = best_of([chosen, *(chosen.for_target(name, steps) for steps in CLEAN_UPS)], chosen)
    return chosen, scores


def candidates_around(own: Candidate, decides: bool = True) -> list[Candidate]:
    """List the choices, the run's own threshold and declared clean-up among them, from simple to complex."""
    thresholds = sorted({*THRESHOLDS, own.threshold} if decides else {own.threshold})
    clean_ups = dict.fromkeys((*CLEAN_UPS, own.postprocessing))
    found = [Candidate(threshold, steps) for threshold in thresholds for steps in clean_ups]
    steps = {text: len(text.split(",")) if text else 0 for text in clean_ups}
    return sorted(found, key=lambda one: (steps[one.postprocessing], round(abs(one.threshold - own.threshold), 6)))


def score_candidates(experiment: Experiment, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Predict the validation cases with the best checkpoint and score every candidate on each.

    Gives primary Dice, float64 [validation cases, candidates]; NaN where the truth holds no target. No more than one
    case is in memory at a time.
    """
    cohort, task, rows = experiment.cohort, experiment.cohort.task, []
    # PyTorch, as the test takes; an exported file may be from before the last training.
    options = replace(experiment.options, engine="torch", postprocessing=NONE)
    source = dataclasses.replace(open_source(experiment.folder.path), named=experiment.options.model.architecture)
    choice = Choice(source, "trained here", experiment.folder)
    models = open_choices([choice], options.prediction, options.machine)
    for case in map(int, experiment.split.cases(cohort, "val")):
        found = predict(scan_of(cohort.images(case), primary=task.primary_channel), models)
        rows.append(dice_of(found.probability, cohort.truth(case), candidates, cohort.spacing(case), task.targets))
    return np.stack(rows)


def dice_of(
    probability: NDArray[np.float32],
    truth: NDArray[np.bool_],
    candidates: Sequence[Candidate],
    spacing: tuple[float, float, float] | None,
    targets: Targets,
) -> NDArray[np.float64]:
    """Score every candidate on one case: primary Dice, float64 [candidates]; NaN where the truth holds no target.

    Probability float and truth bool are [K, slices, H, W]; spacing is as `clean` takes it.
    """
    if not truth.any():
        return np.full(len(candidates), np.nan)
    decided = {threshold: targets.decide(probability, threshold) for threshold in {one.threshold for one in candidates}}
    counts = []
    for one in candidates:
        clean_up = parse_clean_up(one.postprocessing, targets)
        written = targets.encode(clean_labels(decided[one.threshold], targets, clean_up, spacing))
        counts.append([count(*pair) for pair in zip(written, truth, strict=True)])
    return mean_over_targets(target_dice(np.array(counts)))


def choose(candidates: Sequence[Candidate], means: Sequence[float], own: Candidate) -> Candidate:
    """Choose by mean Dice: the simplest within `MARGIN` of the best, but `own` unless that gains more than `MARGIN`.

    Candidates, `own` among them, come from simple to complex; a mean is NaN where no case has a Dice.
    """
    known = np.nan_to_num(np.array(means), nan=-1.0)
    best = next(place for place, mean in enumerate(known) if mean >= known.max() - MARGIN)
    return candidates[best] if known[best] > known[candidates.index(own)] + MARGIN else own


def write_scores(path: Path, scores: dict[Candidate, NDArray[np.float64]], chosen: Candidate) -> None:
    """Write all candidates and their scores, the best first, as CSV."""
    rows = [
        {
            "threshold": one.threshold,
            "postprocessing": one.postprocessing or "none",
            "mean_dice": round(mean_dice(column), 6),
            "median_dice": round(float(np.median(defined)), 6) if (defined := column[~np.isnan(column)]).size else None,
            "lowest_dice": round(float(defined.min()), 6) if defined.size else None,
            "cases": int(defined.size),
            "chosen": one == chosen,
        }
        for one, column in scores.items()
    ]
    write_table(path, pd.DataFrame(rows).sort_values("mean_dice", ascending=False, kind="stable"))
