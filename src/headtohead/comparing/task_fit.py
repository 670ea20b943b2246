"""Whether a model can be tested on a cohort: its sequences must be there, and its targets by their names."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.readers.sequence_names import sequence_label
from headtohead.task import Case, Target, Targets, Task


def channels_from(model: Task, there: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Say for each sequence of a model which one of a cohort goes into its channel: itself, or what stands in for it.

    Raises:
        UserError: one is not there, and none stands in for it.
    """
    sources = tuple(one if one in there else model.stand_ins.get(one, one) for one in model.sequences)
    if not set(sources) - set(there):
        return sources
    needed, found = (", ".join(map(sequence_label, names)) for names in (model.lost(there), there))
    raise UserError(
        f"{where}: has {found}, but the model needs {needed} too; use other data, or say which file is which sequence "
        "(`data=nifti` with `sequences`)"
    )


def with_targets_of(model: Task, cohort: Cohort, where: str) -> Cohort:
    """Give the cohort with the model's targets alone, in their order; labels of others are background.

    Raises:
        UserError: one of them is no target of the cohort.
    """
    own = cohort.task.targets
    by_name = {target.name: target for target in own.all}
    if lost := [name for name in model.targets.names if name not in by_name]:
        raise UserError(
            f"{where}: has {', '.join(own.names)}, but the model segments {', '.join(lost)}; say which labels are it: "
            f"`labels` '{lost[0]}={','.join(map(str, own.labels))}'"
        )
    kept = tuple(_looking_like(by_name[target.name], target) for target in model.targets.all)
    used = {label for target in kept for label in target.labels}
    others = tuple(sorted({*own.labels, *own.others} - used))
    try:
        targets = Targets(kept, model.targets.kind, others)
    except ValueError as fault:
        raise UserError(f"{where}: {fault}; say which labels are which target with `labels`") from None
    task = replace(cohort.task, targets=targets)
    return Cohort(cohort.root, cohort.key, cohort.table, cohort.packed, task, cohort.data, cohort.reading)


def _looking_like(target: Target, model: Target) -> Target:
    return replace(target, colour=model.colour)


def as_the_model_sees(case: Case, task: Task, sources: tuple[str, ...]) -> Case:
    """Give a case of a task with the channels that a model takes, as `channels_from` names them."""
    channels: list[NDArray[np.generic]] = [case.images[..., task.sequences.index(source)] for source in sources]
    return replace(case, images=np.stack(channels, axis=-1), labels=None)
