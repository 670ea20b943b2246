"""From what was found in a scan to the files of it, all of them or none."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from headtohead.drawing.animation import write_gif
from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.predict import Found
from headtohead.predicting.results.masking import write_masked
from headtohead.predicting.results.outputs import Outputs, Paths, every
from headtohead.predicting.results.preview import Preview, draw_frames, draw_sheet
from headtohead.predicting.results.summary import Rows, measures_in_words
from headtohead.predicting.scan import Scan
from headtohead.predicting.trust.uncertainty import entropy
from headtohead.saving import temporary_folder, write_picture


@contextmanager
def all_or_none(paths: Paths, folder: Path) -> Iterator[Paths]:
    """Give a temporary path for each file of a scan, all below `folder`; all get their names at the end, or none.

    Raises:
        UserError: a file cannot be written; then all is as it was before.
        OSError: one cannot be put in its place; likewise.
    """
    # Beside the results, so that a rename is enough; a folder of its own, so that names and their ends stay.
    with temporary_folder(folder) as place:
        staged = {kind: tuple(place / path.name for path in files) for kind, files in paths.items()}
        try:
            yield staged
        except UserError as fault:
            raise type(fault)(str(fault).replace(f"{place}/", "")) from fault
        _move_all(every(staged), every(paths), place)


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
            write_like(job, found.as_written(job), files[0], scan.source)
        elif name in maps:
            place = found.targets.names.index(target) if target else 0
            write_like(job, np.asarray(maps[name], np.float32)[place], files[0], scan.source)
    if outputs.preview:
        _write_preview(scan, found, rows, paths["preview"][0], paths["scroll"][0])
    for suffix, multiplier in outputs.masked.items():
        for number, path in enumerate(paths[f"image{suffix}"]):
            mask = found.labels[number : number + 1] if job.kind == "folder" else found.labels
            write_masked(job.files[number], mask != 0, multiplier, path)


def _move_all(staged: Sequence[Path], final: Sequence[Path], place: Path) -> None:
    begun: list[tuple[Path, Path, Path | None]] = []  # and where what stood there before waits in `place`
    try:
        for number, (source, path) in enumerate(zip(staged, final, strict=True)):
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = place / f"before-{number}" if os.path.lexists(path) else None
            begun.append((source, path, aside))  # before the first change, since a signal may come after it
            if aside:
                path.replace(aside)
            source.replace(path)
    except BaseException:
        try:
            _put_back(begun)
        except BaseException:  # a signal came meanwhile
            _put_back(begun)
            raise
        raise


def _put_back(begun: Sequence[tuple[Path, Path, Path | None]]) -> None:
    """Undo what `_move_all` has begun; doing it twice does no harm."""
    for source, path, aside in begun:
        if aside is None and not source.exists():
            path.unlink(missing_ok=True)
        elif aside is not None and os.path.lexists(aside):
            aside.replace(path)


def _write_preview(scan: Scan, found: Found, rows: Rows, sheet: Path, scroll: Path) -> None:
    labels, truth = found.as_slices(found.labels), None if found.truth is None else found.as_slices(found.truth)
    slices = Preview(scan.drawn(scan.primary), labels, truth, found.view.spacing[1:], found.targets)
    measures = measures_in_words(rows)
    about = f"{measures}  ·  model {rows[0].model}  ·  threshold {found.threshold:g}"
    write_picture(sheet, draw_sheet(slices, rows[0].file, about)[:, :, ::-1])
    write_gif(draw_frames(slices, rows[0].file, measures), scroll)
