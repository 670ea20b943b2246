"""`--image_path` of a NIfTI volume: its mask and probability on its own grid, and a panel of its fullest slice."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import printable
from headtohead.options.table import Options
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.grouping import refuse_ignored_channels
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.predictor import open_sound
from headtohead.predicting.results.finishing import Answer, answer, slicing_of
from headtohead.predicting.results.panel import Prediction, draw_panel
from headtohead.predicting.results.placing_one import all_or_none, folder_for, refuse_overwriting
from headtohead.predicting.results.written import Records, truth_is_ours
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import seen_before
from headtohead.predicting.trust.familiarity import unfamiliar_features
from headtohead.predicting.trust.geometry import doubts_of_header
from headtohead.preparing.steps.square import resized, squared
from headtohead.readers.volume_names import volume_end, volume_stem
from headtohead.saving import write_picture
from headtohead.task import Task
from headtohead.task.slicing import Slicing

WHITE = 99.9  # percentile of a volume's intensities that is drawn as white


def predict_volume(options: Options, path: Path) -> Path:
    """Predict one NIfTI volume; see `image.predict_image`.

    Raises:
        UserError: the volume, the model or the place to write to cannot be used; nothing is written then.
    """
    predictor = open_sound(options, path)
    choices = list(predictor.choices)
    folder = folder_for(options, choices)
    end, stem = volume_end(path.name).lower(), volume_stem(path.name)
    outputs = {
        "mask": folder / f"{stem}_mask{end}",
        "probability": folder / f"{stem}_probability{end}",
        "panel": folder / f"{stem}_panel.png",
    }
    refuse_overwriting(outputs, path, options.comparison.overwrite)
    facts, files, records = choices[0].source.facts, options.files, Records()
    # The file itself is predicted whoever wrote it; no other sequence of its case is a result of ours.
    [job] = find_jobs(path, "", facts.task, (), lambda other: other != path and records.ours(other))
    refuse_ignored_channels([job], files.channels, facts.task)
    scan = read_scan(job, facts, files.channels, files.plane)
    if scan.truth is not None and truth_is_ours(job, records):
        scan = replace(scan, truth=None, truth_on_grid=None)
    found = answer(path.name, scan, predictor(scan), predictor, ())
    prediction, about = fullest_slice(scan, found, slicing_of(scan), facts.task)
    said = [f"model {predictor.name}", f"threshold {predictor.threshold:g}", about, found.row.measures]
    said += seen_before(choices, job)[1]
    with all_or_none(outputs) as temporary:
        write_like(job, found.mask, temporary["mask"], scan.source)
        write_like(job, found.probability, temporary["probability"], scan.source)
        write_picture(temporary["panel"], draw_panel(prediction, path.name, "  ·  ".join(said))[:, :, ::-1])
    for choice in choices:
        print(f"{printable(path.name)}: {choice.line}")
    print(f"{printable(path.name)}: {', '.join(said[1:])}")
    for line in scan.notes:
        print(f"{printable(path.name)}: note: {line}")
    if scan.missing:
        print(f"{printable(path.name)}: warning: {scan.substitution(facts.task)}", file=sys.stderr)
    for line in doubts_of_header(scan):
        print(f"{printable(path.name)}: warning: {line}", file=sys.stderr)
    for line in unfamiliar_features(scan.volume, scan.spacing, facts.familiar, scan.primary):
        print(f"{printable(path.name)}: unlike the training data: {line}", file=sys.stderr)
    return folder


def fullest_slice(scan: Scan, found: Answer, view: Slicing, task: Task) -> tuple[Prediction, str]:
    """Show the slice of a volume with most lesion, else the middle one: of the file's own grid, as it is written.

    Args:
        scan: the volume.
        found: mask and probability on the file's own grid.
        view: how that grid is seen as slices.
        task: of the model.

    Returns:
        What the panel shows, its pixels made square, and which slice it is.
    """
    mask = view.to_slices(found.mask)
    amounts = mask.sum(axis=(1, 2))
    place = int(amounts.argmax()) if amounts.any() else len(amounts) // 2
    height, width = mask.shape[1:]
    square = squared((height, width), *view.spacing[1:])
    white = 255.0 if scan.volume.dtype == np.uint8 else max(float(np.percentile(scan.volume, WHITE)), 1e-6)
    channels = range(3) if scan.volume.shape[-1] == 3 else (0, 0, 0)
    planes = {
        channel: resized(_on_grid(scan, channel, view)[place] * (255 / white), square)
        .clip(0, 255)
        .round()
        .astype(np.uint8)
        for channel in set(channels)
    }
    truth = None if scan.truth_on_grid is None else view.to_slices(scan.truth_on_grid)[place]
    shown = Prediction(
        np.stack([planes[channel] for channel in channels], axis=-1).clip(0, 255).round().astype(np.uint8),
        resized(np.ascontiguousarray(view.to_slices(found.probability)[place]), square),
        float(found.row.threshold or 0),
        None if truth is None else _squared(truth, square),
        task,
        _squared(mask[place], square),
    )
    return shown, f"slice {place + 1} of {len(mask)}"


def _on_grid(scan: Scan, channel: int, view: Slicing) -> np.ndarray:
    """Give a channel of a scan as slices of its file's own grid: float32 [slices, H, W]."""
    values = np.ascontiguousarray(scan.volume[..., channel], dtype=np.float32)
    return np.ascontiguousarray(view.to_slices(scan.restore(values)))


def _squared(mask: np.ndarray, square: tuple[int, int]) -> np.ndarray:
    """Draw a mask on square pixels; where its own are square, it is the mask itself."""
    size = (square[1], square[0])
    return cv2.resize(np.ascontiguousarray(mask, np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
