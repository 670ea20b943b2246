"""`--test` on a cohort that a model never saw: its scores are written beside its run, apart from the internal test.

The files go the one way of a prediction, `predicting.predict`, as those of `--predict` do, and the probabilities are
then brought onto the grid on which the cohort's truth is stored. Masks are scored as they are in the internal test:
without a clean-up.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort, open_data
from headtohead.cohort.pack import cut_into_slices
from headtohead.comparing.experiment import as_trained, refuse_other_options, run_folder, trained_model
from headtohead.comparing.model_settings import with_own_settings
from headtohead.comparing.outcome import Outcome, outcome, scores_in_words
from headtohead.comparing.people_of_tests import people_of_both
from headtohead.comparing.provenance import circumstances, now, split_facts
from headtohead.comparing.seen_cases import Known, known_cases, refuse_seen
from headtohead.comparing.task_fit import as_the_model_sees, channels_from, with_targets_of
from headtohead.errors import UserError
from headtohead.options import table as option_table
from headtohead.options.data import DataOptions
from headtohead.options.table import RunOptions
from headtohead.plurals import count_of
from headtohead.predicting.cleaning.postprocessing import NONE
from headtohead.predicting.predict import predict
from headtohead.predicting.predictor import Predictor, open_choices
from headtohead.preparing.chain import Chain
from headtohead.readers.reader import find_reader
from headtohead.reporting.external import write_external_page
from headtohead.runs.external import CERTAIN
from headtohead.runs.finding import READY
from headtohead.runs.folder import EXTERNAL, POPULATION, RunFolder
from headtohead.saving import write_table
from headtohead.statistics.targets import over_targets
from headtohead.task import Case, Task
from headtohead.trained.choosing import Choice, choose_models
from headtohead.trained.source import open_source

BUNDLES = "external"
"""The comparison of what no run of ours left: bundles and weights from elsewhere."""


@dataclass(frozen=True)
class Tested:
    """A model that is tested elsewhere.

    Attributes:
        choice: the model.
        home: its run folder; of a bundle, where its external tests go.
        experiment: what run.json says of its place in the table.
        known: the cases that made it.
    """

    choice: Choice
    home: RunFolder
    experiment: dict[str, Any]
    known: Known

    @property
    def task(self) -> Task:
        """What it segments from what; nobody has to bring what it is not shown."""
        facts = self.choice.source.facts
        return facts.without_asking_for(facts.idle).task


def other_cohort(options: RunOptions) -> Cohort | None:
    """Open the cohort of an external test; None where `--test` is that of the run's own data.

    It is external if `--root_dir` names other data than the run was made from, or `--model_path` names the model.

    Raises:
        UserError: the data cannot be read, or a bundle is to be tested and no data are named.
    """
    data = options.data
    named = "root_dir" in options.given or data.root_dir != DataOptions().root_dir
    if options.prediction.model_path:
        if not named:
            raise UserError("`model_path`: `test` scores it on data that it never saw; name them with `root_dir`")
        return open_data(data)
    made_from = run_folder(options).record().get("data", {}) if named else {}
    if "key" not in made_from:
        return None
    own = as_trained(options).data
    if data.data == made_from.get("kind", data.data):
        try:
            if (cohort := open_data(own)).key == made_from["key"]:
                return None
        except UserError:  # the run's own data were read otherwise than these can be
            cohort = None
        # What the labels are called is a matter of the kind of data; where masks lie is one of the folder.
        unsaid = {name for name in ("labels", "sequences") if not getattr(data, name)}
        read = option_table.replace(options, **{name: getattr(own, name) for name in unsaid}).data
        return cohort if cohort is not None and read == own else open_data(read)
    return open_data(data)


def test_elsewhere(options: RunOptions, cohort: Cohort) -> Path:
    """Score a run, or the model of `--model_path`, on a cohort that it never saw. Returns the folder of the scores.

    Raises:
        UserError: nothing is trained here, or with other options; the model cannot be shown these cases, or has seen
            some of them.
    """
    where = f"`root_dir` {cohort.root}"
    tested = _bundle(options) if options.prediction.model_path else _run(options)
    sources = channels_from(tested.task, cohort.task.sequences, where)
    cohort = with_targets_of(tested.task, cohort, where)
    own = tested.choice.record.get("data", {}).get("key")
    not_its_own = f"not the data that the run was made from ({own[:8]}, now {cohort.key[:8]}), and " if own else ""
    refuse_seen(tested.known, cohort, tested.choice.name, not_its_own)
    if tested.known.certainty != CERTAIN:
        print(
            f"warning: whether {tested.choice.name} has seen patients of {cohort.root} was not fully checked; "
            f"compared: {tested.known.certainty} (by {CERTAIN} where the packed copy of its data is in `cache_dir`)"
        )
    with tested.home.held(wait=True):
        return _score(tested, cohort, sources, options)


def _run(options: RunOptions) -> Tested:
    """Find the run that `--test` names, with the options that it was made with."""
    own = with_own_settings(options, trained_model(options))
    folder, record = run_folder(own), run_folder(own).record()
    if record.get("status") not in READY:
        raise UserError(f"`test`: {folder.path} holds no trained model; add `train`")
    settled = as_trained(own)
    settled = option_table.replace(settled, model=settled.model.architecture)
    refuse_other_options(settled, folder, free=frozenset(READING))
    source = replace(open_source(folder.path), named=settled.model.architecture)
    known = known_cases(record.get("data", {}), source.facts.data, folder.split, Path(options.data.cache_dir))
    return Tested(Choice(source, "named", folder, record), folder, record["experiment"], known)


READING = ("data", "patient_pattern", "labels", "sequences", "mask_dir", "mask_pattern", "bits")
"""Options that say how the files of a data set are understood, which are not those of the run's own."""


def _bundle(options: RunOptions) -> Tested:
    [choice] = choose_models(options, None)
    facts, comparison = choice.source.facts, options.comparison
    path = Path(options.prediction.model_path)
    name = comparison.run_name or path.name or facts.model
    home = RunFolder(Path(comparison.runs_dir) / (comparison.comparison or BUNDLES) / name)
    known = known_cases({}, facts.data, None, Path(options.data.cache_dir))
    return Tested(
        choice, home, {"model": facts.model, "schedule": None, "seed": None, "fold": None, "name": name}, known
    )


def _score(tested: Tested, cohort: Cohort, sources: tuple[str, ...], options: RunOptions) -> Path:
    folder, weights = folder_for(tested.home, cohort), tested.choice.source.checksum()
    everything = np.arange(cohort.n_slices)
    split = Split("patient", 0, everything[:0], everything[:0], everything)
    models = _opened(tested, options)
    if not options.comparison.overwrite:
        refuse_other_test(folder, weights, models.threshold, bundle=tested.choice.run is None)
    print(f"{tested.choice.name}: external test on {count_of(len(cohort), 'case')} of {cohort.root}")
    with outcome(folder, cohort, split) as found:
        predict_all(cohort, sources, models, found)
    cases = over_targets(pd.DataFrame(found.cases))
    idle, pairs = tested.choice.source.facts.idle, zip(tested.task.sequences, sources, strict=True)
    stood_in = [one for one, source in pairs if one != source and one not in idle]
    made_in = tested.choice.source.folder
    people = people_of_both(cases, cohort, stood_in, RunFolder(made_in) if made_in else None, tested.known.cohort)
    write_table(folder.path / POPULATION, people)
    record = {
        **circumstances(cohort, tested.home.path.parent.name),
        "split": split_facts(cohort, split),
        "recipe": tested.choice.record.get("recipe", {}),
        "experiment": tested.experiment,
        "threshold": models.threshold,
        "external": {
            "model": tested.choice.name,
            "weights": weights,
            "trained": tested.choice.record.get("ended"),
            "made_from": str((tested.choice.record.get("data") or tested.choice.source.facts.data).get("key", "")),
            "unseen_by": tested.known.certainty,
            "scores": {name: value for name, value in tested.choice.source.facts.scores.items() if name in SCORES},
        },
        **found.facts(),
    }
    folder.write_record({**record, "status": "finished", "tested": now(), "error": None})
    print(f"{tested.choice.name} on {cohort.root.name} (external): {scores_in_words(pd.DataFrame(found.cases))}")
    write_external_page(folder.path)
    return folder.path


SCORES = ("mean", "low", "high", "median", "n")
"""Of the scores in model.json, those of the internal test."""


def _opened(tested: Tested, options: RunOptions) -> Predictor:
    """Open the model: of a run with PyTorch, as its internal test did, at the threshold of that test."""
    of_run = tested.choice.run is not None
    wanted = option_table.replace(
        options,
        postprocessing=NONE,
        engine="torch" if of_run else options.prediction.engine,
        threshold=float(tested.choice.record.get("threshold") or 0) if of_run else options.prediction.threshold,
    )
    return open_choices([tested.choice], wanted.prediction, wanted.machine)


def folder_for(home: RunFolder, cohort: Cohort) -> RunFolder:
    """Say where the test on a cohort goes: `external/<name of its folder>`, with its key where that name is taken."""
    name = cohort.root.resolve().name
    folder = RunFolder(home.path / EXTERNAL / name)
    taken = folder.record_if_sound().get("data", {}).get("key") if folder.path.is_dir() else None
    return folder if taken in (None, cohort.key) else RunFolder(home.path / EXTERNAL / f"{name}-{cohort.key[:8]}")


def refuse_other_test(folder: RunFolder, weights: str, threshold: float, bundle: bool) -> None:
    """Refuse to replace the test of another model, as two bundles of one name have one folder, or at another threshold.

    What an earlier version wrote says no weights, and is replaced.

    Raises:
        UserError: says what differs.
    """
    record = folder.record_if_sound() if folder.path.is_dir() else {}
    before, at = str((record.get(EXTERNAL) or {}).get("weights") or weights), record.get("threshold")
    if before != weights:
        what = f"of other weights ({before[:8]}, now {weights[:8]})"
    elif at is not None and not math.isclose(at, threshold, rel_tol=1e-6):
        what = f"at another threshold ({at:g}, now {threshold:g})"
    else:
        return
    elsewhere = ", or give this one a place of its own with `run_name`" * bundle
    raise UserError(f"`test`: {folder.path} holds a test {what}; replace it with `overwrite`{elsewhere}")


def predict_all(cohort: Cohort, sources: tuple[str, ...], models: Predictor, found: Outcome) -> None:
    """Predict each case from its files and score it; `sources` are what `channels_from` gives."""
    reader, task, targets = find_reader(cohort.data), cohort.task, models.facts.task.targets
    files = {case.name: case for case in reader.list_cases(cohort.root, cohort.reading)}
    for place in np.unique(np.searchsorted(cohort.table["first"], found.split.test, side="right") - 1):
        case = reader.read_case(files[str(cohort.table["case"].iloc[place])], task)
        seen = predict(as_the_model_sees(case, task, sources), models)
        probability = onto_slices(seen.probability, case, task, reader.square)
        found.add(int(place), targets.encode(targets.decide(probability, models.threshold)), probability)


def onto_slices(probability: np.ndarray, case: Case, task: Task, square: bool) -> np.ndarray:
    """Bring float32 [K, *grid] on the grid of a case to [K, slices, H, W] as a cohort of the task stores its truth."""
    whole = Case(case.name, np.ascontiguousarray(np.moveaxis(probability, 0, -1)), case.grid)
    shown, _ = Chain(cut_into_slices(task, square)).apply(whole)
    return np.ascontiguousarray(np.moveaxis(shown.images, -1, 0))
