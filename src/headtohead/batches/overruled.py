"""Options of what a model is shown that others leave without effect. Imports nothing heavy: mistakes answer at once."""

from headtohead.effects import READ
from headtohead.options.data import DataOptions
from headtohead.options.input import InputOptions
from headtohead.options.preparation import standardises
from headtohead.options.training import TrainingOptions


def no_use_for_batches(name: str, verb: str, data: DataOptions, inputs: InputOptions, training: TrainingOptions) -> str:
    """Say why an option has no effect on the slices that a verb shows a model; empty if it has one."""
    if name not in READ[verb]:
        return ""
    if name == "split_seed" and data.split == "buda":
        return "has no effect with `split=buda`, whose patients are named; leave it out"
    if name == "normalise" and standardises(inputs.preparation):
        return "has no effect with a `preparation` that standardises whole volumes; leave one of them out"
    if name == "empty_slices" and training.sampling == "lesion_weighted":
        return (
            "has no effect with `sampling=lesion_weighted`, which draws slices by their lesion; leave one of them out"
        )
    return ""
