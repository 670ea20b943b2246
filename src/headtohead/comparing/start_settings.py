"""Options of a start that others leave without effect. Imports nothing heavy: mistakes answer at once."""

from collections.abc import Sequence

from headtohead.comparing.model_settings import model_of, own_settings
from headtohead.effects import READ
from headtohead.options.comparison import ComparisonOptions
from headtohead.options.group import declarations
from headtohead.options.model import ModelOptions
from headtohead.options.starting import StartingOptions
from headtohead.options.training import TrainingOptions
from headtohead.plurals import count_of

NAMES = ("encoder_weights", *(one.name for one in declarations(StartingOptions)))


def no_use_for_start(
    name: str,
    verb: str,
    train: bool,
    model: ModelOptions,
    training: TrainingOptions,
    starting: StartingOptions,
    comparison: ComparisonOptions,
) -> str:
    """Say why an option has no effect on how a training starts; empty if it has one for any of its models."""
    if name not in NAMES or name not in READ[verb] or not (train or verb == "compare"):
        return ""  # `--test` alone compares them with what the run was made with
    models: Sequence[str] = comparison.models if verb == "compare" else model_of(True, model, comparison)
    shared = {one.name: getattr(starting, one.name) for one in declarations(StartingOptions)}
    shared |= {"encoder_weights": model.encoder_weights, "num_epochs": training.num_epochs}
    reasons = [_no_use(name, shared | own_settings(comparison.model_settings, one)) for one in models]
    return reasons[0] if reasons and all(reasons) else ""


def _no_use(name: str, values: dict[str, object]) -> str:
    pretrained = values["init_from"] or values["encoder_weights"] != "none"
    if name == "encoder_weights" and values["init_from"] and values["encoder_weights"] != "none":
        return "has no effect with `init_from`, which fills the encoder as well; leave one of them out"
    if name in ("freeze", "old_layers_rate") and values[name] not in ("", 1.0) and not pretrained:
        return "has no effect on weights drawn at random; add `init_from`, or leave it out"
    if name == "thaw_epoch" and values["thaw_epoch"]:
        if not values["freeze"]:
            return "changes nothing where nothing is frozen; add `freeze`, or leave it out"
        if values["thaw_epoch"] >= values["num_epochs"]:  # type: ignore[operator]
            epochs = count_of(int(values["num_epochs"]), "epoch")  # type: ignore[call-overload]
            return f"has no effect in {epochs} of training; give less, or leave it out: 0 is never"
    return ""
