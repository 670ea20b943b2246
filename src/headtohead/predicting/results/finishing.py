"""From what the models say of a scan to the files of it, all of them or none, and its line of the summary."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from headtohead.drawing.animation import write_gif
from headtohead.errors import UserError
from headtohead.predicting.cleaning.postprocessing import Step, clean
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.results.masking import write_masked
from headtohead.predicting.results.outputs import Outputs, Paths
from headtohead.predicting.results.preview import Slices, draw_frames, draw_sheet
from headtohead.predicting.results.summary import Row, measure
from headtohead.predicting.results.written import checksum
from headtohead.predicting.scan import Scan
from headtohead.predicting.trust.uncertainty import entropy
from headtohead.saving import temporary_folder, write_picture
from headtohead.task.slicing import PLANES, Slicing, slicing
from headtohead.trained.facts import ModelFacts

if TYPE_CHECKING:
    from headtohead.predicting.predictor import Estimate
    from headtohead.trained.choosing import Choice


class Predicts(Protocol):
    """What answers for a scan: trained models as `predicting.predictor.Predictor` holds them."""

    @property
    def facts(self) -> ModelFacts:
        """What the models expect."""

    @property
    def name(self) -> str:
        """What to call them."""

    @property
    def choices(self) -> "Sequence[Choice]":
        """Each of them, and why it was chosen."""

    @property
    def members(self) -> int:
        """How many there are."""

    @property
    def threshold(self) -> float:
        """Probability from which a voxel is inside."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Clean-up of the mask."""

    def ready(self) -> None:
        """Wait until they can be asked."""

    def prepare(self, scan: Scan, /) -> Any:
        """Prepare a scan for each of them."""

    def ask(self, inputs: Any, /) -> Any:
        """Ask each of them for all slices of what was prepared."""

    def combine(self, inputs: Any, answers: Any, /) -> "Estimate":
        """Bring the answers onto the grid of the scan, and average them."""


@dataclass(frozen=True)
class Answer:
    """What was found in a scan, on the grid of its file.

    Attributes:
        probability: of each voxel: float32, three axes, from 0 to 1.
        variance: between the models, float32 of the same shape; None where there is one model.
        mask: bool of the same shape, cleaned.
        row: its measures.
    """

    probability: np.ndarray
    variance: np.ndarray | None
    mask: np.ndarray
    row: Row


def answer(name: str, scan: Scan, estimate: "Estimate", predictor: Predicts, warnings: Sequence[str]) -> Answer:
    """Bring an estimate onto the file's own grid, make the mask there, clean and measure it.

    Args:
        name: the file's name in the summary.
        scan: the scan.
        estimate: what the models say of it.
        predictor: the models.
        warnings: what makes the result doubtful.
    """
    restored = scan.restore(estimate.probability)
    variance = None if estimate.variance is None else scan.restore(estimate.variance)
    if variance is not None:
        np.maximum(variance, 0, out=variance)
    view = slicing_of(scan)
    # Seen as slices, a copy of the volume with other axes is cleaned in the same way.
    slices = np.ascontiguousarray(view.to_slices(restored >= predictor.threshold))
    spacing = view.spacing if scan.grid_spacing else None
    cleaned = clean(slices, predictor.steps, spacing)
    truth = None if scan.truth_on_grid is None else np.ascontiguousarray(view.to_slices(scan.truth_on_grid))
    row = Row(
        file=name,
        **measure(cleaned, truth, spacing),  # type: ignore[arg-type]
        threshold=predictor.threshold,
        steps=",".join(map(str, predictor.steps)),
        model=predictor.name,
        warnings=tuple(warnings),
    )
    # In the order of the slices, which is mostly that of the file, and so soonest written.
    probability = np.clip(restored, 0, 1, out=restored)  # rounding adds a hair to it
    return Answer(probability, variance, view.to_grid(cleaned).copy(order="K"), row)


def slicing_of(scan: Scan) -> Slicing:
    """Find how a file's own grid is seen as slices: as a reader holds them, in the plane that the model saw."""
    source = scan.source
    if source is None:
        return Slicing("axial", (0, 1, 2), (False, False, False), scan.grid_spacing or (1.0, 1.0, 1.0))
    views = (slicing(source.affine, source.spacing, plane) for plane in PLANES)
    return next(view for view in views if view.slice_axis == scan.slice_axis)


def write_results(
    job: Job,
    scan: Scan,
    found: Answer,
    outputs: Outputs,
    paths: Paths,
    folder: Path,
    record: Callable[[Mapping[Path, str]], None] = lambda _: None,
) -> list[Path]:
    """Write the files of one scan, all or none.

    Args:
        job: what was read.
        scan: the scan.
        found: the answer.
        outputs: what is to be written.
        paths: where to, by what it is.
        folder: `--output`, an ancestor of all paths.
        record: called with the path and the SHA-256 of each file once all are written, before the first gets its name.

    Returns:
        The paths.

    Raises:
        UserError: a file cannot be written; then all is as it was before.
        OSError: one cannot be put in its place; likewise.
    """
    final = [path for kind in paths for path in paths[kind]]
    # Beside the results, so that a rename is enough; a folder of its own, so that names and their ends stay.
    with temporary_folder(folder) as place:
        staged = {kind: tuple(place / path.name for path in wanted) for kind, wanted in paths.items()}
        try:
            _write_all(job, scan, found, outputs, staged)
        except UserError as fault:
            raise UserError(str(fault).replace(f"{place}/", "")) from fault
        written = [path for kind in staged for path in staged[kind]]
        record({path: checksum(source) for source, path in zip(written, final, strict=True)})
        _move_all(written, final, place)
    return final


def _write_all(job: Job, scan: Scan, found: Answer, outputs: Outputs, paths: Paths) -> None:
    for kind, files in paths.items():
        if kind == "mask":
            write_like(job, found.mask, files[0], scan.source)
        elif kind == "probability":
            write_like(job, found.probability, files[0], scan.source)
        elif kind == "uncertainty":
            wanted = entropy(found.probability) if outputs.uncertainty == "entropy" else found.variance
            write_like(job, np.asarray(wanted, np.float32), files[0], scan.source)
    if outputs.preview:
        _write_preview(scan, found, paths["preview"][0], paths["scroll"][0])
    for one in outputs.masked:
        for number, path in enumerate(paths[f"image{one.suffix}"]):
            mask = found.mask[number : number + 1] if job.kind == "folder" else found.mask
            write_masked(job.files[number], mask, one.multiplier, path)


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


def _write_preview(scan: Scan, found: Answer, sheet: Path, scroll: Path) -> None:
    view = slicing_of(scan)
    grey = scan.restore(np.ascontiguousarray(scan.volume[..., scan.primary], dtype=np.float32))
    truth = None if scan.truth_on_grid is None else view.to_slices(scan.truth_on_grid)
    row = found.row
    about = f"{row.measures}  ·  model {row.model}  ·  threshold {row.threshold:g}"
    slices = Slices(view.to_slices(grey), view.to_slices(found.mask), truth, view.spacing[1:])
    picture = draw_sheet(slices, row.file, about)
    write_picture(sheet, picture[:, :, ::-1])
    write_gif(draw_frames(slices, row.file, row.measures), scroll)
