"""One experiment: its options, its data, its run folder, and whether that folder is really its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.batches.augmentation import refuse_by_task
from headtohead.batches.folds import Folds, folds_of_data_set, make_folds, read_folds
from headtohead.batches.splits import Split, make_split
from headtohead.cohort import Cohort, open_data
from headtohead.comparing.model_settings import refuse_unnamed_code
from headtohead.errors import UserError
from headtohead.models.forms import folder_part, title_of
from headtohead.models.registry import check_image_size, find_spec
from headtohead.models.sources import asked_source
from headtohead.options import table as option_table
from headtohead.options.data import DataOptions
from headtohead.options.group import declarations
from headtohead.options.prediction import THRESHOLD
from headtohead.options.settling import settle
from headtohead.options.table import RunOptions
from headtohead.predicting.cleaning.postprocessing import CleanUp, clean_labels, parse_clean_up
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.chosen_sequences import channels_shown
from headtohead.runs.folder import RunFolder

PLACES = ("root_dir", "cache_dir", "runs_dir", "comparison", "run_name", "fold_file")
GRID = (
    "models",
    "variants",
    "schedules",
    "seeds",
    "model_settings",
    "margin",
    "case_gifs",
)  # of a comparison, not of a run
WITHOUT_EFFECT = frozenset((*PLACES, *GRID, "gpus", "num_workers", "loggers"))
"""Options that may differ between two commands on one run folder: they do not change what is learned.

Data and folds themselves are compared by their keys, wherever they lie.
"""
OTHER_RUN = "use the same, or choose another `run_name` or `comparison`"


@dataclass(frozen=True)
class Experiment:
    """One training under its options, and the data it sees.

    `net` is the source of a net that is no row of the table, as `models.sources` gives it; empty for a row.
    """

    options: RunOptions
    cohort: Cohort
    split: Split
    recipe: InputRecipe
    net: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> RunFolder:
        """Where its results go."""
        return run_folder(self.options)

    @property
    def clean_up(self) -> CleanUp:
        """The steps that were declared for its masks."""
        text = self.options.training.test_postprocessing
        return parse_clean_up(text, self.cohort.task.targets, "`test_postprocessing`")

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return self.folder.path.name

    @property
    def identity(self) -> dict[str, Any]:
        """Model, schedule, seed and fold: its place in the table."""
        training, model = self.options.training, title_of(self.options.model.architecture)
        entrant = self.options.comparison.entrant
        return {
            "model": entrant or model,
            **({"architecture": model} if entrant else {}),
            "schedule": training.lr_scheduler,
            "seed": training.seed,
            "fold": self.split.fold,
            "name": self.name,
        }


def run_folder(options: RunOptions) -> RunFolder:
    """Say where the results of an experiment go: `runs/<comparison>/<run name>`."""
    comparison, training = options.comparison, options.training
    entrant = comparison.entrant or folder_part(options.model.architecture)
    default = f"{entrant}-{training.lr_scheduler}-s{training.seed}-f{options.data.fold}"
    name = comparison.run_name or default
    return RunFolder(comparison.home / name)


def folds_of(data: DataOptions, cohort: Cohort) -> Folds | None:
    """Make or read the folds that are asked for; None for a single split.

    Raises:
        UserError: the folds cannot be made, or the file of folds does not fit the cohort.
    """
    if data.fold_file:
        return read_folds(Path(data.fold_file), cohort, data.split_seed)
    if not data.folds:
        return None
    own = folds_of_data_set(cohort, data.folds, data.split_seed)
    return own or make_folds(cohort, data.folds, data.split_seed)


def open_experiment(options: RunOptions, cohort: Cohort | None = None, folds: Folds | None = None) -> Experiment:
    """Open the data, split it and settle the input recipe and the threshold.

    A net that is no row of the table is built and asked here, so its code is run: what a file names as the model, and
    no flag, was refused before (`refuse_unnamed_code`).

    Raises:
        UserError: the data set is missing or damaged, or the image size does not suit the model.
    """
    check_image_size(options.model.architecture, options.input.image_size)
    data = options.data
    cohort = cohort or open_data(data)
    folds = folds or folds_of(data, cohort)
    split = folds.split(cohort, data.fold) if folds else make_split(cohort, data.split, data.split_seed)
    refuse_by_task(options, cohort.task)
    depth = cohort.images(0).dtype.name
    tied, shown = find_spec(options.model.architecture).normalise, channels_shown(options.input.inputs, cohort.task)
    recipe = InputRecipe.of(options.input, cohort.task, tied, depth, shown)
    decided = option_table.replace(
        options, model=options.model.architecture, threshold=options.prediction.threshold or THRESHOLD
    )
    if recipe.whole and split.kind == "slice":
        raise UserError("`split=slice`: `preparation` needs all slices of a case; use `split=patient`")
    model = options.model
    net = asked_source(
        model.architecture, model.model_arguments, recipe.channels, cohort.task.targets.logits, recipe.image_size
    )
    experiment = Experiment(decided, cohort, split, recipe, net)
    _refuse_clean_up(experiment)
    return experiment


def _refuse_clean_up(experiment: Experiment) -> None:
    """Refuse a clean-up that could not be carried out in the test, hours later."""
    if not (clean_up := experiment.clean_up):
        return
    if experiment.split.kind == "slice":
        raise UserError("`test_postprocessing`: needs all slices of a case; use `split=patient`")
    targets, spacings = experiment.cohort.task.targets, map(experiment.cohort.spacing, range(len(experiment.cohort)))
    one = np.full((1, 1, 1), targets.written[0], np.uint16)
    for spacing in set(spacings):
        clean_labels(one, targets, clean_up, spacing)


def refuse_other_run(experiment: Experiment, trains: bool = True) -> None:
    """Keep a run folder from being mixed with a run of other options or data under the same name.

    Raises:
        UserError: names the first difference; a verb that `trains` may also overwrite.
    """
    folder, mend = experiment.folder, OTHER_RUN
    if trains:
        mend = "use the same, choose another `run_name` or `comparison`, or add `overwrite`"
    record = folder.record()
    # The same folds may be dealt by --folds or read from the file that this left.
    same_folds = bool(experiment.split.plan) and experiment.split.plan == record.get("split", {}).get("plan")
    _refuse_changed_file(experiment, record)
    refuse_other_options(experiment.options, folder, frozenset({"folds"} if same_folds else ()), mend)
    facts = {
        "other data": (record.get("data", {}).get("key"), experiment.cohort.key),
        "another split": (record.get("split", {}).get("key"), experiment.split.key),
        "another table of folds": (record.get("split", {}).get("plan"), experiment.split.plan),
    }
    for name, (then, today) in facts.items():
        if then is not None and then != today:
            was, now = (key[:8] or "none" for key in (then, today))
            raise UserError(f"{folder.path}: made from {name} ({was}, now {now}); {mend}")


def refuse_other_options(
    options: RunOptions, folder: RunFolder, free: frozenset[str] = frozenset(), mend: str = OTHER_RUN
) -> None:
    """Refuse options that differ from those a run was made with; `free` ones may, beside those of `WITHOUT_EFFECT`.

    Raises:
        UserError: names the first that differs.
    """
    before, here = folder.read_config(), settings_of(options)
    # An older run does not name the options that came after it; it was made as their defaults say.
    made_with = settings_of(RunOptions()) | before if before else {}
    for key in (key for key in here if key in made_with and key not in WITHOUT_EFFECT | free):
        if key == "model" and title_of(str(made_with[key])) == title_of(here[key]):
            continue  # of a file, however its folder was written; its content is compared by itself
        if made_with[key] != here[key]:
            was, now = ("none" if value == "" else value for value in (made_with[key], here[key]))
            raise UserError(f"{folder.path}: made with `{key}` {was}, now {now}; {mend}")


def _refuse_changed_file(experiment: Experiment, record: dict[str, Any]) -> None:
    """Refuse to go on with a run whose net is of a file that has changed since: it would be another net."""
    was, now = (net.get("sha256", "") for net in (record.get("net") or {}, experiment.net))
    if was and was != now:
        raise UserError(
            f"{experiment.folder.path}: made with other content of {experiment.net.get('source', 'its file')} "
            f"({was[:8]}, now {now[:8] or 'none'}); restore the file, or choose another `comparison`, or train again "
            "with `overwrite`"
        )


def made_since(experiment: Experiment, before: tuple[Any, ...]) -> bool:
    """Tell whether another command has trained exactly this experiment since its folder was made as before."""
    folder = experiment.folder
    if folder.made() in (before, ()) or folder.record().get("status") not in ("trained", "finished"):
        return False
    try:
        refuse_other_run(experiment)
    except UserError:
        return False
    return True


def settings_of(options: RunOptions) -> dict[str, Any]:
    """List the options a run is made with; not those about errors, files to predict, or throwing it away."""
    later = {"overwrite", "debug"}
    for group in ("prediction", "files", "serving", "scoring"):
        later |= {one.name for one in declarations(option_table.GROUPS[group])} - {"threshold"}
    return {name: value for name, value in option_table.flat(options).items() if name not in later}


def trained_model(options: RunOptions) -> str:
    """Name the model of a run: that of `--model`, else what the run folder says, else the default."""
    folder = run_folder(options)
    if options.model.model:
        return options.model.model
    stored = settled("model", folder.read_config().get("model") or "", folder)
    refuse_unnamed_code(stored or options.model.architecture, str(folder.config))
    return stored or options.model.architecture


def settled(name: str, value: Any, folder: RunFolder) -> Any:
    """Settle the value of an option that stands in a run's config.yaml.

    Raises:
        UserError: the option does not take it; file and option are named.
    """
    return settle(option_table.OPTIONS[name], value, f"{folder.config}: {name}")


def as_trained(options: RunOptions) -> RunOptions:
    """Take from the run folder what the command leaves at its default: a test needs no option of the training again.

    A flag that writes the default out counts, but for `--threshold 0`, which is that of the model.

    Raises:
        UserError: the folder's config.yaml is damaged, or names a net whose code the user has not named.
    """
    trained_model(options)
    stored, given, default = run_folder(options).read_config(), settings_of(options), settings_of(RunOptions())
    restored = given.keys() - (WITHOUT_EFFECT - {"fold_file"})
    unsaid = {name for name in restored if given[name] == default[name] and name not in options.given - {"threshold"}}
    folder = run_folder(options)
    return option_table.replace(
        options, **{name: settled(name, stored[name], folder) for name in unsaid & stored.keys()}
    )
