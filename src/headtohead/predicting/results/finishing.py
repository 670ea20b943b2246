"""From what was found in a scan to the files of it."""

from pathlib import Path

import numpy as np

from headtohead.drawing.animation import write_gif
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.predict import Found
from headtohead.predicting.results.masking import write_masked
from headtohead.predicting.results.outputs import Outputs, Paths
from headtohead.predicting.results.preview import Preview, draw_frames, draw_sheet
from headtohead.predicting.results.summary import Rows, measures_in_words
from headtohead.predicting.scan import Scan
from headtohead.predicting.trust.uncertainty import entropy
from headtohead.saving import write_picture


def write_results(job: Job, scan: Scan, found: Found, rows: Rows, outputs: Outputs, paths: Paths) -> None:
    """Write what was found in a scan.

    Raises:
        UserError: a file cannot be written.
    """
    spread = entropy(found.probability) if outputs.uncertainty == "entropy" else found.variance
    maps = {"probability": found.probability, "uncertainty": spread}
    for kind, files in paths.items():
        name, _, target = kind.partition(" of ")
        if kind == "mask":
            write_like(job, found.as_written(job), files, scan.source)
        elif name in maps:
            place = found.targets.names.index(target) if target else 0
            write_like(job, np.asarray(maps[name], np.float32)[place], files, scan.source)
    if outputs.preview:
        _write_preview(scan, found, rows, paths["preview"][0], paths["scroll"][0])
    for suffix, multiplier in outputs.masked.items():
        for number, path in enumerate(paths[f"image{suffix}"]):
            mask = found.labels[number : number + 1] if job.kind == "folder" else found.labels
            write_masked(job.files[number], mask != 0, multiplier, path)


def _write_preview(scan: Scan, found: Found, rows: Rows, sheet: Path, scroll: Path) -> None:
    labels, truth = found.as_slices(found.labels), None if found.truth is None else found.as_slices(found.truth)
    slices = Preview(scan.drawn(scan.primary), labels, truth, found.view.spacing[1:], found.targets)
    measures = measures_in_words(rows)
    about = f"{measures}  ·  model {rows[0].model}  ·  threshold {found.threshold:g}"
    write_picture(sheet, draw_sheet(slices, rows[0].file, about)[:, :, ::-1])
    write_gif(draw_frames(slices, rows[0].file, measures), scroll)
