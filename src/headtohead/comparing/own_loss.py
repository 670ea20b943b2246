"""The loss of each model of a command, and what its options may not ask of it. Imports nothing heavy."""

from collections.abc import Collection, Sequence

from headtohead.comparing.model_settings import FLAG, own_settings
from headtohead.learning.losses.registry import LossSpec, find_loss, refuse_weight
from headtohead.options.comparison import ComparisonOptions
from headtohead.options.training import TrainingOptions

ALIKE = TrainingOptions().pos_weight  # all pixels


def loss_of(model: str, settings: Sequence[str], training: TrainingOptions) -> LossSpec:
    """Find the loss of a model: its own by `--model_settings`, else that of all.

    Raises:
        UserError: there is no such loss, and where it was given; or as `own_settings`.
    """
    own = own_settings(settings, model)
    return find_loss(own.get("loss", training.loss), f"{FLAG} {model}.loss" if "loss" in own else "`loss`")


def refuse_impossible_losses(
    verbs: Collection[str], training: TrainingOptions, comparison: ComparisonOptions, architecture: str
) -> None:
    """Refuse losses that do not exist, and a weight of positive pixels that no loss of the command takes.

    Raises:
        UserError: names the loss or the setting, and the fix.
    """
    find_loss(training.loss)
    models = comparison.models if "compare" in verbs else ()
    if "train" in verbs:
        models = (*models, architecture)
    settings = comparison.model_settings
    specs = {model: loss_of(model, settings, training) for model in models}
    for model, spec in specs.items():
        own = own_settings(settings, model).get("pos_weight", ALIKE)
        if own != ALIKE:
            refuse_weight(spec, f"{FLAG} {model}.pos_weight {own}")
    # Of several models, one that has no use for it must not stop the others.
    if specs and training.pos_weight != ALIKE and not any(spec.weighs for spec in specs.values()):
        refuse_weight(next(iter(specs.values())), f"`pos_weight` {training.pos_weight}")
