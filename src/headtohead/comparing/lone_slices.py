"""A batch of one slice, with which an epoch may end, and nets that cannot learn from it."""

import math

from headtohead.batches.sampling import LESION_WEIGHTED
from headtohead.cohort.cases import cases_of
from headtohead.comparing.experiment import Experiment
from headtohead.errors import UserError
from headtohead.models.registry import find_spec
from headtohead.models.sources import fault_of_lone_image


def refuse_lone_slice(experiment: Experiment) -> None:
    """Refuse a net that would fail, in the middle of its training, at a batch of one slice.

    Batch norm has no variance of features of one pixel of one image. A net is asked only where there is such a batch.

    Raises:
        UserError: names the nearest batch sizes without such a batch.
    """
    model, size = experiment.options.model, experiment.options.training.batch_size
    spec, recipe = find_spec(model.architecture), experiment.recipe
    if spec.form is None and not spec.batch_norm:
        return
    count = slices_of_epoch(experiment)
    if not _ends_with_one(count, size):
        return
    channels, content = (recipe.channels, experiment.cohort.task.targets.logits), experiment.net.get("sha256", "")
    arguments = tuple(model.model_arguments)
    fault = fault_of_lone_image(model.architecture, arguments, model.width, channels, recipe.image_size, content)
    if fault:
        below = [other for other in range(size - 1, 1, -1) if not _ends_with_one(count, other)][:1]
        above = [other for other in range(size + 1, count + 1) if not _ends_with_one(count, other)][:1]
        mend = " or ".join(f"{other}" for other in below + above)
        raise UserError(
            f"`batch_size` {size}: {'every' if size == 1 else 'the last'} batch of an epoch of {count} slices has one "
            f"slice, of which {model.architecture} {fault}; " + (f"write {mend}" if mend else "train on more slices")
        )


def slices_of_epoch(experiment: Experiment) -> int:
    """Count the slices that an epoch of training draws."""
    training, cases = experiment.options.training, cases_of(experiment.cohort, experiment.recipe)
    slices = cases.shown(experiment.split.train)
    if training.sampling == LESION_WEIGHTED:
        return len(slices)
    held = int(cases.has_lesion(slices).sum())
    return held + math.ceil(training.empty_slices * (len(slices) - held))


def _ends_with_one(count: int, size: int) -> bool:
    return size == 1 or count % size == 1
