"""run.json: what must be in it to be believed. Fields that an earlier version did not write may be missing."""

import sys
from pathlib import Path
from typing import Any

from headtohead.options.flags import as_flags
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError
from headtohead.records.shape import either, listing, mapping, nothing, number, text, truth, undefined, whole
from headtohead.task import Task

FILE = "run.json"
LARGEST = 16 << 20
"""Bytes."""

COUNT = whole(0)
SCORE = either(undefined, number())
MAYBE_TEXT = either(nothing, text)
MAYBE_COUNT = either(nothing, COUNT)


def a_task(value: Any) -> str | None:
    """Say whether a value is a task: None if it is, else that the field itself is at fault."""
    try:
        Task.from_dict(value)
    except ValueError:
        return ""
    return None


READING = ("patient_pattern", "labels", "sequences", "mask_dir", "mask_pattern", "bits", "images")
DATA = {
    **dict.fromkeys(("kind", "root", "key", "name", *READING), text),
    **dict.fromkeys(("cases", "slices"), COUNT),
    "made_up": truth,
    "task": a_task,
    "parts": mapping(others=listing(text)),
}
SPLIT = {
    **dict.fromkeys(("kind", "key", "plan", "source", "site"), text),
    **dict.fromkeys(("train", "val", "test", "leaking_patients"), COUNT),
    "folds": COUNT,
    "chosen_on_test": truth,
    "seed": either(nothing, whole()),
}
RECIPE = {
    **dict.fromkeys(("normalise", "channel_order", "depth", "preparation"), text),
    **dict.fromkeys(("image_size", "neighbours"), COUNT),
    "shown": listing(COUNT),
}
RECORD = mapping(
    {
        "status": text,
        "experiment": mapping(
            {
                "model": text,
                **dict.fromkeys(("schedule", "name", "architecture"), MAYBE_TEXT),
                **dict.fromkeys(("seed", "fold"), either(nothing, whole())),
            }
        ),
        "data": mapping(DATA),
        "split": mapping(SPLIT),
        "recipe": mapping(RECIPE),
        "masks": mapping({"folder": text, "key": text, "files": COUNT}),
        "members": mapping(others=MAYBE_TEXT),
        **dict.fromkeys(("versions", "hardware"), mapping(others=MAYBE_TEXT)),
        **dict.fromkeys(("best_val_dice", "test_dice", "threshold", "learning_rate", "margin"), SCORE),
        **dict.fromkeys(("seconds", "test_seconds"), SCORE),
        **dict.fromkeys(("training_slices_per_second", "test_slices_per_second"), SCORE),
        "multiply_adds_of": listing(COUNT, 3, 3),
        "net": mapping({"arguments": listing(text)}, others=text),
        **dict.fromkeys(("epochs", "best_epoch", "parameters", "multiply_adds", "batch_size"), MAYBE_COUNT),
        **dict.fromkeys(("thresholds", "best_val_dice_of_targets", "test_dice_of_targets"), mapping(others=SCORE)),
        "start": mapping(
            {
                **dict.fromkeys(("from", "kind", "name", "sha256", "training_cases", "warning"), text),
                **dict.fromkeys(("layers", "of_layers", "weights", "of_weights"), COUNT),
                **dict.fromkeys(("adapted", "new"), listing(text)),
            },
            needed=("name", "sha256", "training_cases", "new"),
        ),
        "seen_before": listing(text),
        "frozen": text,
        "thaw_epoch": COUNT,
        "old_layers_rate": SCORE,
        "seed": either(nothing, whole()),
        **dict.fromkeys(("test_flips", "deep_supervision"), either(nothing, truth)),
        "pos_weights": mapping(others=number(0)),
        **dict.fromkeys(("command", "device", "precision", "git_commit", "comparison"), MAYBE_TEXT),
        **dict.fromkeys(("loss", "pos_weight", "sampling"), MAYBE_TEXT),
        **dict.fromkeys(("started", "ended", "tested", "error", "onnx", "test_postprocessing"), MAYBE_TEXT),
    }
)


def read_record(folder: Path) -> dict[str, Any]:
    """Read run.json of a run folder.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it cannot be read, or a field holds what no run of this program has; the field is named.
    """
    record = read_json(folder / FILE, LARGEST)
    if (fault := RECORD(record)) is not None:
        raise UnreadableError(f"{fault} is not of its kind")
    return record


def name_left_out(reason: str) -> None:
    """Say in a line that a run is passed over; the reason names the file of it that cannot be read."""
    print(f"warning: {as_flags(reason)}; this run is left out", file=sys.stderr)
