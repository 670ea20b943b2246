"""In what the entrants of a comparison differ besides their model: a reader must know it before any ranking."""

from collections.abc import Callable
from functools import partial
from typing import Any

from headtohead.errors import UserError
from headtohead.options.settling import settle
from headtohead.options.table import OPTIONS
from headtohead.readers.sequence_names import word_of
from headtohead.readers.tasks import task_of
from headtohead.reporting.entrant_names import in_words, joined_by_commas
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import Ledger
from headtohead.runs.run import Run

ONE_SCALE = {
    "image size": "image_size",
    "learning rate": "learning_rate",
    "batch size": "batch_size",
    "loss": "loss",
    "sampling": "sampling",
    "weight of the targets' pixels": "pos_weight",
    "deep supervision": "deep_supervision",
}
LATER = ("loss", "pos_weight", "deep_supervision", "sampling")
"""Options that came later: an older run was made as their defaults say."""
INPUT = ("preparation", "normalise", "neighbours", "channel_order")


def unequal_settings(ledger: Ledger) -> list[str]:
    """Warn where the trained experiments that count differ in threshold, epochs, scale, input, clean-up, or
    flips of the test.

    Args:
        ledger: of the comparison.

    Returns:
        One paragraph each; none where all were treated alike. A fact that a run does not state does not count.
    """
    runs = [run for run in ledger.counted if run.is_model]
    notes = []
    if len(thresholds := {str(run.record.get("threshold")) for run in runs}) > 1:
        notes.append(f"The experiments were scored at different thresholds ({', '.join(sorted(thresholds))}).")
    epochs = {run.name: run.record.get("epochs") or 0 for run in runs}
    if len(set(epochs.values())) > 1:
        fewest, most = min(epochs, key=epochs.__getitem__), max(epochs, key=epochs.__getitem__)
        notes.append(
            f"The experiments were trained for different numbers of epochs, from {epochs[fewest]} ({fewest}) to "
            f"{epochs[most]} ({most})."
        )
    found = {word: _who_has(runs, partial(_setting, option=option)) for word, option in ONE_SCALE.items()}
    if differing := [f"{word} {said}" for word, said in found.items() if said]:
        notes.append(
            f"Entrants were trained with different settings: {'; '.join(differing)}. "
            "A difference between them may come from these and not from the model."
        )
    if said := _who_has(runs, _input):
        notes.append(f"Entrants were given different inputs: {said}.")
    if said := _cleaned(runs):
        notes.append(f"Masks were cleaned before they were scored, by steps declared before the training: {said}.")
    if flipped := sorted({_name(run) for run in runs if run.record.get("test_flips")}):
        who = joined_by_commas(flipped)
        notes.append(f"Validation and test slices were flipped and rotated at random, a historical fault: {who}.")
    return notes


def _who_has(runs: list[Run], fact: Callable[[Run], Any]) -> str:
    """Say `96 (resnext none), 128 (unet none)`; nothing where all that state the fact agree."""
    holders: dict[Any, set[str]] = {}
    for run in runs:
        if (value := fact(run)) is not None:
            holders.setdefault(value, set()).add(_name(run))
    if len(holders) < 2:
        return ""
    return ", ".join(f"{value} ({joined_by_commas(sorted(holders[value]))})" for value in sorted(holders))


def _cleaned(runs: list[Run]) -> str:
    """Say whose masks were cleaned by what: `largest (buda none)`; nothing where none were."""
    steps: dict[str, set[str]] = {}
    for run in runs:
        if done := run.record.get("test_postprocessing"):
            steps.setdefault(done, set()).add(_name(run))
    return "; ".join(f"{done} ({joined_by_commas(sorted(steps[done]))})" for done in sorted(steps))


def _input(run: Run) -> str | None:
    recipe = run.record.get("recipe")
    if not recipe:
        return None
    said = [f"{name} {recipe[name]}" for name in INPUT if name in recipe]
    if shown := recipe.get("shown"):
        sequences = task_of(run.record.get("data") or {}).sequences
        said.append(f"sequences {'+'.join(word_of(sequences[channel]) for channel in shown)}")
    return ", ".join(said)


def _setting(run: Run, option: str) -> Any:
    """A setting from run.json; one that it did not always hold, from config.yaml beside it."""
    recipe = run.record.get("recipe") or {}
    value = run.record.get(option, recipe.get(option))
    if value is not None:
        return value
    try:
        value = RunFolder(run.folder).read_config().get(option)
        if value is None:
            return OPTIONS[option].default if option in LATER else None
        return settle(OPTIONS[option], value, option)
    except UserError:
        return None


def _name(run: Run) -> str:
    return in_words(" ".join(run.entrant))
