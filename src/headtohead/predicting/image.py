"""`--image_path`: predict one image or volume; write its label map, its probability and a panel to look at.

Everything a TIFF needs here is light to import: from a cold start it is predicted before PyTorch would be loaded.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from headtohead.errors import UserError, printable
from headtohead.options.flags import as_flags
from headtohead.options.table import Options
from headtohead.predicting.cleaning.postprocessing import NO_CLEAN_UP
from headtohead.predicting.files.assigning import refuse_ignored_channels, refuse_ignored_plane
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.grouping import Job, slices_around
from headtohead.predicting.files.pictures import refuse_wrong_file
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.predict import Found, predict
from headtohead.predicting.predictor import Predictor, open_predictor
from headtohead.predicting.results.outputs import Outputs, every
from headtohead.predicting.results.panel import Prediction, draw_panel
from headtohead.predicting.results.summary import measures_in_words, rows_of
from headtohead.predicting.results.written import Records, truth_is_ours
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import part_of_split, seen_before
from headtohead.predicting.trust.familiarity import unfamiliar_features
from headtohead.predicting.trust.geometry import doubts_of_scan
from headtohead.preparing.steps.square import resampled, squared
from headtohead.readers.file_names import stem
from headtohead.readers.other_layouts import LABELS, folders_of_masks
from headtohead.readers.volume_names import volume_end
from headtohead.saving import all_or_none, write_picture
from headtohead.task import Task
from headtohead.trained.start import BEFORE

WHITE = 99.9  # percentile of a volume's intensities that is drawn as white, where it has more than 8 bits

SEEN = {"train": "a slice that the model was trained on", "val": "a validation slice", "test": "a test slice"}
SEEN |= {BEFORE: "a slice of a case that the weights it started from were trained on"}


def predict_image(options: Options) -> Path:
    """Carry out `--image_path`.

    Writes into `--output`, or the run folder's `figures`, `<stem>_mask`, `<stem>_probability` (of several targets one
    each: `<stem>_probability_<target>`) and `<stem>_panel.png`. The first two are on the image's own grid: NIfTI of
    NIfTI, else PNG, where a lone target is {0, 255} and 65535 is certain. The panel shows a volume's fullest slice.

    Returns:
        The folder they are in.

    Raises:
        UserError: the image, the model or the place to write to cannot be used; nothing is written then.
    """
    path, files, settings = Path(str(options.verbs.image_path)), options.files, options.comparison
    volume = bool(volume_end(path.name))
    if not volume:
        refuse_wrong_file(path)
        refuse_ignored_plane([], files.plane)
    predictor = open_predictor(options, path, many=volume)
    task, records = predictor.facts.task, Records()
    job = _job_of(path, task, records)
    refuse_ignored_channels([job], files.channels, task)
    folder = _folder_for(options.prediction.output, Path(settings.runs_dir), predictor)
    wanted = Outputs("_mask.png", probability=True).of(task.targets)
    outputs = every(wanted.paths(replace(job, relative=Path(path.name)), folder))
    outputs.append(folder / f"{stem(path)}_panel.png")
    _refuse_overwriting(outputs, path, settings.overwrite)
    scan = read_scan(job, predictor.facts, files.channels, files.plane)
    if scan.truth is not None and truth_is_ours(job, records):
        scan = replace(scan, truth=None)
    if job.context and not options.prediction.postprocessing:
        predictor = replace(predictor, clean_up=NO_CLEAN_UP)  # what is stored with a model is for whole volumes
    found = predict(scan, predictor)
    shown, about = fullest_slice(scan, found, task)
    facts = [f"model {predictor.name}", f"threshold {found.threshold:g}", *_facts(job, scan, found, predictor, about)]
    try:
        with all_or_none(outputs, folder, outputs[0]) as staged:
            label_map, *maps, panel = staged.values()
            write_like(job, found.as_written(job), [label_map], scan.source)
            for one, place in zip(found.probability, maps, strict=True):
                write_like(job, one, [place], scan.source)
            write_picture(panel, draw_panel(shown, path.name, *facts)[:, :, ::-1])
    except OSError as fault:
        raise UserError(f"{folder}: cannot be written to ({fault.strerror}); choose another `output`") from fault
    if job.context:
        alone = "a single image, scaled by its own intensities"
        facts.append(f"scaled by the {len(job.context)} slices of its folder" if len(job.context) > 1 else alone)
    _tell(printable(path.name), facts[1:], scan, predictor)
    return folder


def _job_of(path: Path, task: Task, records: Records) -> Job:
    """Find what belongs to an image: the other sequences of a volume, the other slices of a picture's case."""
    if not volume_end(path.name):
        return Job(path.name, (path,), "picture", (), Path(path.name), context=slices_around(path))
    # The file itself is predicted whoever wrote it; no other sequence of its case is a result of ours.
    [job] = find_jobs(path, "", task, (), lambda other: other != path and records.ours(other), "image_path")
    return job


def _folder_for(output: str, runs_dir: Path, predictor: Predictor) -> Path:
    """Say where outputs go: `--output`, or the figures of the run, or a folder of predictions below `--runs_dir`."""
    if output:
        return Path(output)
    run = predictor.choices[0].run
    return run.figures if run and predictor.members == 1 else runs_dir / "predictions"


def _refuse_overwriting(outputs: Sequence[Path], image: Path, overwrite: bool) -> None:
    """Refuse to replace files, unless told to, and ever to put a predicted mask where the truth is looked for."""
    mask, folder = outputs[0], outputs[0].parent
    for one in (image.resolve().parent, *folders_of_masks(image)):
        if folder.resolve() == one.resolve():
            said = "the folder of its masks" if LABELS.fullmatch(one.name) else "the image's own folder"
            raise UserError(
                f"`output` {folder}: {said}, where {mask.name} would be taken for its truth; choose another folder"
            )
    for path in outputs:
        if path.exists() and not overwrite:
            raise UserError(f"{path}: already exists; choose another folder with `output`, or add `overwrite`")


def fullest_slice(scan: Scan, found: Found, task: Task) -> tuple[Prediction, str]:
    """Give the panel of the slice with the most found in it, else of the middle one, in square pixels; and its name."""
    labels = found.as_slices(found.labels)
    amounts = np.sum([np.count_nonzero(mask, axis=(1, 2)) for mask in found.targets.encode(labels)], axis=0)
    place = int(amounts.argmax()) if amounts.any() else len(amounts) // 2
    height, width = labels.shape[1:]
    square = squared((height, width), *found.view.spacing[1:])
    white = 255.0 if scan.volume.dtype == np.uint8 else max(float(np.percentile(scan.volume, WHITE)), 1e-6)
    channels = range(3) if scan.volume.shape[-1] == 3 else [scan.primary]
    drawn = [np.ascontiguousarray(scan.drawn(channel)[place]) * (255 / white) for channel in channels]
    planes = [resampled(plane, square).clip(0, 255) for plane in drawn]

    def whole(values: np.ndarray) -> np.ndarray:
        return cv2.resize(found.as_slices(values)[place], square[::-1], interpolation=cv2.INTER_NEAREST)

    shown = Prediction(
        np.stack(planes * (3 // len(planes)), axis=-1).round().astype(np.uint8),
        np.stack([resampled(found.as_slices(one)[place], square) for one in found.probability]),
        found.threshold,
        whole(found.labels),
        None if found.truth is None else whole(found.truth),
        task,
    )
    return shown, f"slice {place + 1} of {len(labels)}"


def _facts(job: Job, scan: Scan, found: Found, predictor: Predictor, about: str) -> list[str]:
    """State what was found, the Dice where there is a truth, and whether a model has seen the case."""
    rows = rows_of(job.name, found, predictor.name)
    if not job.context:
        return [about, measures_in_words(rows), *seen_before(predictor.choices, job)[1]]
    scores = [row.score.replace("Dice", "Dice of this slice") for row in rows if row.score]
    if len(rows) > 1:
        scores = [f"{row.target}: {score}" for row, score in zip(rows, scores, strict=False)]
    parts = {part_of_split(choice, job.files[0], scan.wanted.start) for choice in predictor.choices}
    # Of several models the one that knows most of the slice is what a reader must be told of.
    return scores + [words for part, words in SEEN.items() if part in parts][:1]


def _tell(name: str, facts: list[str], scan: Scan, predictor: Predictor) -> None:
    """Print which model it was, what it found, and on stderr what makes that doubtful."""
    for choice in predictor.choices:
        print(f"{name}: {as_flags(choice.line)}")
    print(f"{name}: {', '.join(facts)}")
    for line in scan.notes:
        print(f"{name}: note: {line}")
    for line in doubts_of_scan(scan, predictor.facts.task, predictor.idle):
        print(f"{name}: warning: {as_flags(line)}", file=sys.stderr)
    for line in unfamiliar_features(scan.volume, predictor.facts.familiar, scan.primary):
        print(f"{name}: unlike the training data: {as_flags(line)}", file=sys.stderr)
