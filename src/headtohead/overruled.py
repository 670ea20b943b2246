"""Options that a verb reads and that change nothing all the same, because of others in the same command."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from headtohead.comparing.model_settings import FLAG, SETTABLE, own_settings
from headtohead.effects import READ
from headtohead.errors import UserError
from headtohead.models.registry import ModelSpec, find_spec
from headtohead.options.table import Options
from headtohead.plurals import count_of

PREDICTING = frozenset({"image_path", "predict", "serve"})
CHOOSING = PREDICTING | {"export"}
TRAINING = frozenset({"train", "test", "compare", "tune_postprocessing"})
BATCHES = TRAINING | {"view_aug"}

Rule = Callable[[Options, str], str]
"""(options, verb) -> why an option has no effect on the verb; empty if it has one."""


def refuse_overruled(given: Mapping[str, Any], options: Options, verbs: Collection[str]) -> None:
    """Refuse options that others of the command leave without effect on every verb; a YAML file may serve several.

    Raises:
        UserError: names the option and what overrules it.
    """
    for name, value in given.items():
        readers = [verb for verb in verbs if name in READ[verb]]
        off = value is False or value == ""
        reasons = [reason_against(name, options, verb) for verb in readers]
        if readers and not off and all(reasons):
            raise UserError(f"--{name}: {reasons[0]}")
    if "model_settings" in given and "compare" not in verbs:  # --compare has a check of its own
        refuse_other_models(options, verbs)


def reason_against(name: str, options: Options, verb: str) -> str:
    """Say why an option has no effect on a verb that reads it; empty if it has one."""
    rules = (rule for verbs, names, rule in RULES if verb in verbs and name in names)
    own = [] if verb not in TRAINING or name not in SETTABLE else [_set_for_each_model(name, options, verb)]
    return next(filter(None, [*(rule(options, verb) for rule in rules), *own]), "")


def refuse_other_models(options: Options, verbs: Collection[str]) -> None:
    """Refuse a setting of a model that is not the one of this command.

    Raises:
        UserError: names the setting.
    """
    models = [model for verb in verbs if verb in TRAINING for model in models_of(options, verb)]
    for item in options.comparison.model_settings:
        name = item.partition(".")[0].strip()
        if models and name not in models:
            raise UserError(f"{FLAG} {item}: the model is {models[0]}; leave it out, or add --model {name}")


def models_of(options: Options, verb: str) -> tuple[str, ...]:
    """List the models of a verb; none where only the run folder can tell."""
    if verb == "compare":
        return options.comparison.models
    if options.comparison.run_name and not options.model.model and not options.verbs.train:
        return ()
    return (options.model.architecture,)


def _when(given: Callable[[Options], object], why: str) -> Rule:
    """Make a rule that overrules where something else is given."""
    return lambda options, verb: why if given(options) else ""


def _if_all(useless: Callable[[ModelSpec], object], why: str) -> Rule:
    """Make a rule that overrules where none of the verb's models has a use for the option."""

    def rule(options: Options, verb: str) -> str:
        models = models_of(options, verb)
        if not models or not all(useless(find_spec(model)) for model in models):
            return ""
        takes, has = ("takes", "has") if len(models) == 1 else ("take", "have")
        return why.format(models=" and ".join(models), takes=takes, has=has)

    return rule


def _by_name(options: Options, verb: str) -> str:
    chosen = options.comparison
    flag = "--run_name" if chosen.run_name else "--comparison" if chosen.comparison else ""
    return f"has no effect with {flag}, which names the runs to choose from; leave it out" if flag else ""


def _runs_dir(options: Options, verb: str) -> str:
    path, output = options.prediction.model_path, options.prediction.output
    exports_into_run = verb == "export" and bool(path) and (Path(path) / "run.json").is_file()
    if path and (output or exports_into_run or verb in ("predict", "serve")):
        return "has no effect with --model_path, which names the model; leave it out"
    return ""


def _never_stops(options: Options, verb: str) -> str:
    patience, models = options.training.early_stopping, models_of(options, verb)
    if not patience or not models or not (options.verbs.train or verb == "compare"):
        return ""  # --test alone compares it with what the run was made with
    epochs = max(
        own_settings(options.comparison.model_settings, model).get("num_epochs", options.training.num_epochs)
        for model in models
    )
    if patience < epochs:
        return ""
    return f"has no effect in {count_of(epochs, 'epoch')} of training; give less than {epochs}, or leave it out"


def _set_for_each_model(name: str, options: Options, verb: str) -> str:
    models = models_of(options, verb)
    if not models or not all(name in own_settings(options.comparison.model_settings, model) for model in models):
        return ""
    return f"has no effect: {FLAG} sets it for {' and '.join(models)}; leave one of them out"


NAMES_THE_MODEL = _when(
    lambda options: options.prediction.model_path,
    "has no effect with --model_path, which names the model; leave one of them out",
)
NAMES_THE_FOLDER = _when(
    lambda options: options.prediction.output,
    "has no effect with --output, which names the folder; leave one of them out",
)
FLOAT32_ONLY = _when(
    lambda options: options.prediction.engine == "onnx" and options.machine.precision == "bf16",
    "--engine onnx computes in float32; leave one of them out, or use another engine",
)
OWN_SCALING = _if_all(lambda spec: spec.normalise, "the intensity scaling of {models} is fixed; leave it out")
ONE_SEQUENCE = _if_all(lambda spec: spec.normalise, "{models} {takes} one sequence only; leave it out")
NOT_SCALABLE = _if_all(lambda spec: not spec.width, "{models} cannot be scaled; leave it out")
NO_ENCODER = _if_all(lambda spec: not spec.encoder, "{models} {has} no pretrained encoder; leave it out")

RULES: tuple[tuple[frozenset[str], frozenset[str], Rule], ...] = (
    (CHOOSING, frozenset({"run_name", "comparison", "data"}), NAMES_THE_MODEL),
    (PREDICTING, frozenset({"ensemble"}), NAMES_THE_MODEL),
    (CHOOSING, frozenset({"data"}), _by_name),
    (CHOOSING, frozenset({"runs_dir"}), _runs_dir),
    (frozenset({"view_aug"}), frozenset({"runs_dir", "comparison"}), NAMES_THE_FOLDER),
    (frozenset({"explore"}), frozenset({"runs_dir"}), NAMES_THE_FOLDER),
    (PREDICTING, frozenset({"precision"}), FLOAT32_ONLY),
    (BATCHES, frozenset({"normalise", "neighbours", "channel_order"}), OWN_SCALING),
    (BATCHES, frozenset({"sequence_dropout"}), ONE_SEQUENCE),
    (TRAINING, frozenset({"early_stopping"}), _never_stops),
    (TRAINING, frozenset({"width"}), NOT_SCALABLE),
    (TRAINING, frozenset({"encoder_weights"}), NO_ENCODER),
)
"""Verbs, options that they read, and what can leave these without effect."""
