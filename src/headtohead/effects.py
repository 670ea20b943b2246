"""Which options each verb reads, as one table: an option that no verb of a command reads is refused, not ignored."""

from collections.abc import Collection, Mapping
from typing import Any

from headtohead.errors import UserError
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS
from headtohead.options.verbs import VERB_NAMES


def _group(name: str) -> frozenset[str]:
    return frozenset(one.name for one in declarations(GROUPS[name]))


ALWAYS = frozenset({"config", "print_config", "debug"})
DATA = _group("data")
COHORT = DATA - {"split", "split_seed", "folds", "fold", "fold_file"}
ONE_RUN = frozenset({"runs_dir", "comparison", "run_name"})
MODEL = _group("input") | _group("model") | _group("training") | _group("starting") | {"model_settings", "threshold"}
EXPERIMENT = DATA | MODEL | ONE_RUN | {"entrant"} | _group("machine")
CHOICE = ONE_RUN | {"model", "model_path", "data"}
ENGINE = frozenset({"ensemble", "tta", "threshold", "postprocessing", "engine", "gpus", "precision"})
VOLUMES = frozenset({"channels", "plane"})

READ = {
    "download": frozenset({"root_dir"}),
    "make_phantoms": frozenset({"data"}),
    # The sheet shows slices before they are scaled, and without their neighbours.
    "view_aug": (COHORT | {"split", "split_seed", "model", "image_size", "preparation", "channel_order"})
    | {"augmentation", "sequence_dropout", "seed", "runs_dir", "comparison", "output"},
    "train": EXPERIMENT | {"overwrite"},
    "test": EXPERIMENT | {"model_path", "overwrite"},
    "compare": (EXPERIMENT | _group("comparison"))
    - {"model", "model_arguments", "lr_scheduler", "seed", "fold", "run_name", "entrant"},
    "tune_postprocessing": EXPERIMENT - {"loggers"},
    "score": (COHORT - {"root_dir"})
    | _group("scoring")
    | {"runs_dir", "comparison", "overwrite", "margin", "case_gifs"},
    "report": (COHORT | _group("comparison"))
    - {"data", "run_name", "models", "variants", "entrant", "schedules", "seeds", "model_settings", "overwrite"},
    "explore": COHORT | {"output", "runs_dir"},
    "export": CHOICE | {"output", "overwrite", "half", "ensemble"},  # it says itself why it exports no ensemble
    "image_path": CHOICE | ENGINE | VOLUMES | {"output", "overwrite"},
    "predict": CHOICE | ENGINE | _group("files") | {"output", "overwrite"},
    "serve": CHOICE | ENGINE | VOLUMES | _group("serving"),
}
"""Verb -> the options that can change what it does."""

INSTEAD = {
    "model": "models",
    "model_arguments": "model_settings",
    "lr_scheduler": "schedules",
    "seed": "seeds",
    "fold": "folds",
    "entrant": "variants",
}
"""Options of one experiment -> what `--compare` takes in their place."""


def refuse_without_effect(given: Mapping[str, Any], verbs: Collection[str]) -> None:
    """Refuse options that no verb of the command reads. Keys of a YAML file may serve several commands.

    Raises:
        UserError: names the option, and the verbs that take it.
    """
    if not verbs:
        return
    read = ALWAYS | frozenset(VERB_NAMES) | frozenset().union(*(READ[verb] for verb in verbs))
    for name in given:
        if name in read:
            continue
        # Not the test that --train brings with it.
        takers = _listed([f"`{verb}`" for verb in verbs if verb in given] or [f"`{verb}`" for verb in verbs])
        if "compare" in verbs and name in INSTEAD:
            raise UserError(f"`{name}`: is for `train`; with `compare`, use `{INSTEAD[name]}`")
        raise UserError(f"`{name}`: has no effect with {takers}; it is for {_listed(verbs_that_read(name))}")


def verbs_that_read(name: str) -> list[str]:
    """List the verbs that read an option, in backquotes, in their order."""
    return [f"`{verb}`" for verb, read in READ.items() if name in read]


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
