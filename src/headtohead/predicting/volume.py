"""`--image_path` of a NIfTI volume: its mask and probability on its own grid, and a panel of its fullest slice."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError
from headtohead.options import Options
from headtohead.predicting.cleaning.postprocessing import clean
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.grouping import refuse_ignored_channels
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.image import all_or_none, folder_for, refuse_overwriting
from headtohead.predicting.predictor import Predictor, open_choices
from headtohead.predicting.results.finishing import answer
from headtohead.predicting.results.panel import Prediction, draw_panel
from headtohead.predicting.results.written import Records, truth_is_ours
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import seen_before
from headtohead.predicting.trust.familiarity import strangeness
from headtohead.predicting.trust.geometry import doubts_of_header
from headtohead.trained.choosing import choose_models

WHITE = 99.9  # percentile of a volume's intensities that is drawn as white


def predict_volume(options: Options, path: Path) -> Path:
    """Predict one NIfTI volume; see `image.predict_image`.

    Raises:
        UserError: the volume, the model or the place to write to cannot be used; nothing is written then.
    """
    choices = choose_models(options, path)
    folder = folder_for(options, choices)
    end = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    stem = path.name[: -len(end)]
    outputs = {
        "mask": folder / f"{stem}_mask{end}",
        "probability": folder / f"{stem}_probability{end}",
        "panel": folder / f"{stem}_panel.png",
    }
    refuse_overwriting(outputs, path, options.comparison.overwrite)
    predictor = open_choices(choices, options)
    facts, files, records = choices[0].source.facts, options.files, Records()
    # The file itself is predicted whoever wrote it; no other sequence of its case is a result of ours.
    [job] = find_jobs(path, "", facts.sequences, (), lambda other: other != path and records.ours(other))
    refuse_ignored_channels([job], files.channels, facts.sequences)
    scan = read_scan(job, facts, files.channels, files.plane)
    if scan.truth is not None and truth_is_ours(job, records):
        scan = replace(scan, truth=None, truth_on_grid=None)
    estimate = predictor(scan)
    found = answer(path.name, scan, estimate, predictor, ())
    prediction, about = fullest_slice(predictor, scan, estimate.probability)
    said = [f"model {predictor.name}", f"threshold {predictor.threshold:g}", about, found.row.measures]
    said += seen_before(choices, job)[1]
    with all_or_none(outputs) as temporary:
        write_like(job, found.mask, temporary["mask"])
        write_like(job, found.probability, temporary["probability"])
        if not cv2.imwrite(str(temporary["panel"]), draw_panel(prediction, path.name, "  ·  ".join(said))[:, :, ::-1]):
            raise UserError(f"{outputs['panel']}: cannot be written; choose another folder with --output")
    for choice in choices:
        print(f"{path.name}: {choice.line}")
    print(f"{path.name}: {', '.join(said[1:])}")
    for line in scan.notes:
        print(f"{path.name}: note: {line}")
    if scan.missing:
        print(f"{path.name}: warning: {scan.substitution}", file=sys.stderr)
    for line in doubts_of_header(scan):
        print(f"{path.name}: warning: {line}", file=sys.stderr)
    for line in strangeness(scan.volume, scan.spacing, predictor.facts.familiar):
        print(f"{path.name}: unlike the training data: {line}", file=sys.stderr)
    return folder


def fullest_slice(predictor: Predictor, scan: Scan, probability: np.ndarray) -> tuple[Prediction, str]:
    """Show the slice of a volume with most lesion, else the middle one.

    Args:
        predictor: has threshold and steps.
        scan: the volume.
        probability: float32 [slices, H, W] on the grid of `scan.volume`.

    Returns:
        What the panel shows, and which slice it is.
    """
    mask = clean(probability >= predictor.threshold, predictor.steps, scan.spacing)
    found = mask.sum(axis=(1, 2))
    place = int(found.argmax()) if found.any() else len(found) // 2
    image = scan.volume[place]
    if image.dtype != np.uint8:
        white = max(float(np.percentile(scan.volume, WHITE)), 1e-6)
        image = (np.clip(image / white, 0, 1) * 255).round().astype(np.uint8)
    if image.shape[2] != 3:
        image = np.repeat(image[:, :, :1], 3, axis=2)
    truth = None if scan.truth is None else scan.truth[place]
    shown = Prediction(image, probability[place], predictor.threshold, truth, mask[place])
    kind = "level slice" if scan.levelled else "slice"  # the file's own slices are others
    return shown, f"{kind} {place + 1} of {len(found)}"
