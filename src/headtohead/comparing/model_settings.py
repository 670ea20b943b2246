"""Options of one model alone: a comparison gives each model the scale that its machine can carry, and says so.

Also what models have no use for. Imports nothing heavy: mistakes are refused before anything slow begins.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from headtohead.effects import READ
from headtohead.errors import UserError
from headtohead.models.forms import FILE, PACKAGE, entry_points, folder_part, kind_of_name
from headtohead.models.registry import MODELS, ModelSpec, check_image_size, find_spec
from headtohead.options import table as option_table
from headtohead.options.checks import parts_of_setting
from headtohead.options.comparison import ComparisonOptions
from headtohead.options.group import declarations
from headtohead.options.model import ModelOptions
from headtohead.options.settling import settle
from headtohead.options.table import GROUPS, OPTIONS, RunOptions, known_option
from headtohead.options.training import TrainingOptions
from headtohead.plurals import count_of

FLAG = "`model_settings`"
AXES = ("model", "lr_scheduler", "seed")  # of the grid: what an experiment is named by
FURTHER = ("threshold", "precision", "num_workers")
SETTABLE = tuple(
    one.name
    for group in ("input", "model", "training", "starting")
    for one in declarations(GROUPS[group])
    if one.name not in AXES
)
SETTABLE += FURTHER
"""Options that a single model may have of its own. Data, folds and places are those of the whole comparison."""
USELESS: dict[str, tuple[Callable[[ModelSpec], object], str]] = {
    "width": (lambda spec: not spec.width, "{models} cannot be scaled"),
    "model_arguments": (lambda spec: not spec.form, "{models} {takes} no arguments of {its} own"),
    "encoder_weights": (lambda spec: not spec.encoder, "{models} {has} no pretrained encoder"),
    "deep_supervision": (lambda spec: not spec.deep_supervision, "{models} {has} no heads at lower levels"),
    # Who brings a scaling takes no other, and sees one sequence.
    "preparation": (lambda spec: spec.normalise, "the preparation of {models} is fixed"),
    "normalise": (lambda spec: spec.normalise, "the intensity scaling of {models} is fixed"),
    "neighbours": (lambda spec: spec.normalise, "the intensity scaling of {models} is fixed"),
    "inputs": (lambda spec: spec.normalise, "{models} {takes} one sequence only"),
    "channel_order": (lambda spec: spec.normalise, "the intensity scaling of {models} is fixed"),
    "sequence_dropout": (lambda spec: spec.normalise, "{models} {takes} one sequence only"),
}
"""What some models have no use for -> which ones, and how to say so."""


def own_settings(settings: Sequence[str], model: str) -> dict[str, Any]:
    """Read what `--model_settings` says of one model: option to settled value.

    Raises:
        UserError: an unknown model, option or value anywhere in the list, an option that all models share, one that is
            given twice, or, of this model, a width, a start of the encoder or a scaling that it has no use for.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in settings:
        name, option, text = parts_of_setting(item)
        own_arguments = find_spec(name, FLAG).form and (option not in OPTIONS or option == "width")
        if own_arguments and option.isidentifier():  # a net of others takes arguments of its own
            arguments = found.setdefault(name, {}).setdefault("model_arguments", ())
            found[name]["model_arguments"] = (*arguments, f"{option}={text}")
            continue
        declared = known_option(option, f"{FLAG} {name}.{option}")
        if option not in SETTABLE:
            raise UserError(
                f"{FLAG} {item}: {option} cannot differ between the models of a comparison; these can: "
                f"{', '.join(SETTABLE)}"
            )
        if option in found.setdefault(name, {}):
            raise UserError(f"{FLAG} {item}: {name}.{option} is given twice")
        found[name][option] = settle(declared, text, f"{FLAG} {name}.{option}")
    own, spec = found.get(model, {}), find_spec(model)
    for option, (useless, _) in USELESS.items():
        if option in own and useless(spec):
            raise UserError(f"{FLAG} {model}.{option}: {model} has no such setting; leave it out")
    return own


def with_own_settings(options: RunOptions, model: str) -> RunOptions:
    """Give the options as they are for one model, with `--model_settings` in place of what all models have.

    Raises:
        UserError: as `own_settings`.
    """
    own = own_settings(options.comparison.model_settings, model)
    return option_table.replace(options, **own) if own else options


def check_own_image_size(settings: Sequence[str], model: str, image_size: int) -> None:
    """Refuse an image size, everybody's or the model's own, that the model cannot halve down to its deepest level.

    Raises:
        UserError: names where the size was given, and the sizes that work; or as `own_settings`.
    """
    own = own_settings(settings, model)
    label = f"{FLAG} {model}.image_size" if "image_size" in own else "`image_size`"
    check_image_size(model, own.get("image_size", image_size), label)


def check_models(comparison: ComparisonOptions, image_size: int) -> None:
    """Refuse a comparison of which a model cannot have its settings, or that sets one of a model it does not hold.

    Raises:
        UserError: names the model or the setting, and the fix.
    """
    models, settings = comparison.models, comparison.model_settings
    for model in models:
        find_spec(model, "`models`")
        check_own_image_size(settings, model, image_size)
    _refuse_shared_folders(models)
    for item in settings:
        name = parts_of_setting(item)[0]
        if name not in models:
            raise UserError(f"{FLAG} {item}: {name} is not in `models` {','.join(models)}; add it, or leave this out")


def _refuse_shared_folders(models: Sequence[str]) -> None:
    """Refuse nets whose run folders would have one name, such as `a/net.py:Net` and `b/net.py:Net`."""
    first: dict[str, str] = {}
    for model in models:
        other = first.setdefault(folder_part(model), model)
        if other != model:
            raise UserError(
                f"`models` {model}: its run folders would be those of {other}; rename one of the two files or classes"
            )


def refuse_impossible_models(
    given: Mapping[str, Any],
    verbs: Collection[str],
    model: ModelOptions,
    comparison: ComparisonOptions,
    image_size: int,
) -> None:
    """Refuse models that do not exist, or that cannot have the settings that this command gives them.

    Args:
        given: the flags that the user gave, name to settled value.
        verbs: what is to be done.
        model: the one model.
        comparison: the models of a comparison, and the settings of each.
        image_size: everybody's.

    Raises:
        UserError: names the model or the setting, and the fix.
    """
    if model.model != given.get("model"):
        refuse_unnamed_code(model.model, "`config`")
    find_spec(model.architecture)
    if "compare" in verbs:
        for name in set(comparison.models) - set(given.get("models", ())):
            refuse_unnamed_code(name, "`config`")
        check_models(comparison, image_size)
    if "train" in verbs:
        check_own_image_size(comparison.model_settings, model.architecture, image_size)


def refuse_unnamed_code(name: str, place: str) -> None:
    """Refuse a net whose code would be run and that a file names, not the user: the file may come from anybody.

    Args:
        name: of the net.
        place: the file that names it.

    Raises:
        UserError: says what to do.
    """
    kind = kind_of_name(name) if name and name not in MODELS else ""
    if kind == FILE or (kind == PACKAGE and name in entry_points()):
        raise UserError(
            f"{place}: the code of {name} is run only if you name it on the command line: add `model` {name}, or, with "
            f"`compare`, `models`, if you trust it"
        )


def refuse_several_runs(verbs: Collection[str], name: str) -> None:
    """Refuse names of runs that are not those of one run.

    Raises:
        UserError: names the option, and what to give.
    """
    if {"train", "test", "tune_postprocessing"} & set(verbs) and "," in name:
        raise UserError(f"`run_name` {name}: name one run; only predictions average several")
    if "compare" in verbs and name:
        raise UserError("`run_name`: `compare` makes many runs and names them itself; leave it out")


def refuse_other_models(
    given: Mapping[str, Any], verbs: Collection[str], model: ModelOptions, comparison: ComparisonOptions
) -> None:
    """Refuse a setting of a model that is not the one of this command; arguments as for `refuse_impossible_models`.

    Raises:
        UserError: names the setting.
    """
    if not verbs or "model_settings" not in given or "compare" in verbs:  # `check_models` knows those of a comparison
        return
    models = model_of("train" in verbs, model, comparison)
    for item in comparison.model_settings:
        name = parts_of_setting(item)[0]
        if models and name not in models:
            raise UserError(f"{FLAG} {item}: the model is {models[0]}; leave it out, or add `model` {name}")


def model_of(train: bool, model: ModelOptions, comparison: ComparisonOptions) -> tuple[str, ...]:
    """Name the one model of a command that compares none; nothing where only the run folder can tell."""
    unknown = comparison.run_name and not model.model and not train
    return () if unknown else (model.architecture,)


def no_use_for_models(
    name: str, verb: str, train: bool, model: ModelOptions, comparison: ComparisonOptions, training: TrainingOptions
) -> str:
    """Say why an option has no effect on the models of a verb; empty if it has one."""
    models = comparison.models if verb == "compare" else model_of(train, model, comparison)
    settable = "model_settings" in READ[verb] and name in SETTABLE
    own = [own_settings(comparison.model_settings, one) for one in models] if settable else []
    listed = " and ".join(models)
    if models and name in USELESS:
        useless, why = USELESS[name]
        takes, has, its = ("takes", "has", "its") if len(models) == 1 else ("take", "have", "their")
        if all(useless(find_spec(one)) for one in models):
            return f"{why.format(models=listed, takes=takes, has=has, its=its)}; leave it out"
    if own and name == "early_stopping" and (train or verb == "compare"):
        # `--test` alone compares it with what the run was made with.
        epochs = max(one.get("num_epochs", training.num_epochs) for one in own)
        if training.early_stopping >= epochs:
            return f"has no effect in {count_of(epochs, 'epoch')} of training; give less than {epochs}, or leave it out"
    if own and all(name in one for one in own):
        return f"has no effect: {FLAG} sets it for {listed}; leave one of them out"
    return ""
