"""What `--pos_weight` means for one experiment: a number for each target."""

from headtohead.batches.balance import pixels_of_targets
from headtohead.batches.datamodule import SliceDataset
from headtohead.comparing.experiment import Experiment
from headtohead.errors import UserError

AUTO = "auto"


def weights_of_targets(experiment: Experiment) -> list[float] | None:
    """Give the weight of the pixels of each target in the cross-entropy; None where all pixels count alike.

    `auto` is the pixels without the target over those with it, in an epoch of training slices as the model sees them,
    not augmented and each drawn once, however `sampling` draws them.

    Raises:
        UserError: with `auto`, no training slice holds a target; it is named.
    """
    asked, names = experiment.options.training.pos_weight, experiment.cohort.task.targets.names
    if asked != AUTO:
        return None if float(asked) == 1 else [float(asked)] * len(names)
    empty_slices = experiment.options.training.empty_slices
    dataset = SliceDataset(experiment.cohort, experiment.recipe)
    counted = pixels_of_targets(dataset, experiment.split.train, empty_slices)
    for name, count in zip(names, counted.held, strict=True):
        if not count:
            raise UserError(f"`pos_weight` {AUTO}: no training slice holds {name}; give a number")
    return [round(float((counted.all - count) / count), 4) for count in counted.held]


def named_weights(experiment: Experiment, weights: list[float] | None) -> dict[str, float]:
    """Give weights by the names of the targets; none where all pixels count alike."""
    return dict(zip(experiment.cohort.task.targets.names, weights, strict=True)) if weights else {}
