"""One case in, what the page shows of it out: grey slices, probability, and for any threshold mask and measures."""

import io
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headtohead.errors import UserError
from headtohead.options.files import FileOptions
from headtohead.options.flags import as_flags
from headtohead.predicting.files.finding import Job
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.files.writing import write_like
from headtohead.predicting.predict import Found, predict
from headtohead.predicting.predictor import Predictor
from headtohead.predicting.results.outputs import name_of
from headtohead.predicting.results.summary import measure_mask
from headtohead.predicting.scan import Scan
from headtohead.predicting.seen import seen_before
from headtohead.readers.nifti_file import VolumeFile
from headtohead.serving.limits import Limits
from headtohead.serving.uploads import refuse_many_voxels, the_case
from headtohead.task import Task

WHITE = 99.8
"""Percentile of the lit voxels that is shown white, sequence by sequence."""


@dataclass(frozen=True)
class Finding:
    """What the page shows of a case, as slices of the file's own grid, seen as a reader holds them.

    Attributes:
        name: of the case.
        pictures: grey slices by sequence: uint8 [slices, H, W].
        found: what was found in it.
        sides: which side of the patient lies at the left, right, top and bottom of a slice; None where unknown.
        warnings: what makes the result doubtful.
        job: the case; its files are gone.
        source: the header of its file, for the file to download; None of pictures.
        seconds: of reading and predicting.
    """

    name: str
    pictures: dict[str, np.ndarray]
    found: Found
    sides: dict[str, str] | None
    warnings: tuple[str, ...]
    job: Job
    source: VolumeFile | None
    seconds: float

    @property
    def probability(self) -> np.ndarray:
        """Of each target: float32 [K, slices, H, W]."""
        return np.stack([self.found.view.to_slices(one) for one in self.found.probability])

    @property
    def truth(self) -> np.ndarray | None:
        """Of each target: bool [K, slices, H, W]; None without a truth."""
        return None if self.found.truth is None else self._channels(self.found.truth)

    def masks(self, threshold: float) -> np.ndarray:
        """Decide and clean up as `--predict` does: bool [K, slices, H, W]."""
        return self._channels(self.found.label_map(threshold))

    def _channels(self, labels: np.ndarray) -> np.ndarray:
        return self.found.targets.encode(self.found.as_slices(labels))

    def measures(self, masks: np.ndarray) -> list[dict[str, Any]]:
        """Measure the masks as `--predict` does; a target that the truth does not hold is left alone or not."""
        truths = self.truth
        return [self._measures(mask, None if truths is None else truths[k]) for k, mask in enumerate(masks)]

    def _measures(self, mask: np.ndarray, truth: np.ndarray | None) -> dict[str, Any]:
        found = measure_mask(mask, truth, self.found.spacing)
        healthy = truth is not None and not truth.any()
        return {**found, "dice": None if healthy else found["dice"], "left_alone": not mask.any() if healthy else None}

    def file(self, threshold: float, scratch: Path) -> tuple[str, bytes]:
        """Make the mask's file, name and content: on the source's grid and of its format; of a folder of slices a ZIP.

        Nothing stays in the scratch folder.
        """
        found = replace(self.found, labels=self.found.label_map(threshold))
        with tempfile.TemporaryDirectory(dir=scratch) as place:
            files = self.job.files if self.job.kind == "folder" else self.job.files[:1]
            paths = [Path(place) / name_of(file, "_mask.nii") for file in files]
            write_like(self.job, found.as_written(self.job), paths, self.source)
            if self.job.kind != "folder":
                return paths[0].name, paths[0].read_bytes()
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in paths:
                    archive.write(path, path.name)
            return f"{self.name}_mask.zip", packed.getvalue()


def answer(files: Sequence[Path], predictor: Predictor, options: FileOptions, limits: Limits) -> Finding:
    """Predict the case in some files as `uploads.store` left them, all of which may be removed afterwards.

    Raises:
        UserError: the files cannot be used; no path of this machine is named.
    """
    from headtohead.predicting.trust.familiarity import unfamiliar_features
    from headtohead.predicting.trust.geometry import doubts_of_scan

    start = time.perf_counter()
    folder = files[0].parent
    try:
        refuse_many_voxels(files, limits)
        job = the_case(files, predictor.facts.task)
        scan = read_scan(job, predictor.facts, options.channels, options.plane)
        found = predict(scan, predictor)
    except UserError as fault:
        raise UserError(without_paths(str(fault), folder)) from fault
    warnings = [*scan.notes, *seen_before(predictor.choices, job)[1]]
    warnings += doubts_of_scan(scan, predictor.facts.task, predictor.idle)
    warnings += unfamiliar_features(scan.volume, predictor.facts.familiar, scan.primary)
    return Finding(
        name=job.name,
        pictures=pictures(scan, predictor.facts.task),
        found=found,
        sides=scan.view.sides if scan.source and scan.source.oriented else None,
        warnings=tuple(map(as_flags, warnings)),
        job=job,
        source=scan.source,
        seconds=time.perf_counter() - start,
    )


def without_paths(text: str, folder: Path) -> str:
    """Take the folder of the upload, and flags that nobody gave, out of a message."""
    for place in (f"{folder}/", str(folder)):
        text = text.replace(place, "")
    return " ".join(text.removeprefix("`predict` ").removeprefix(": ").split())


def pictures(scan: Scan, task: Task) -> dict[str, np.ndarray]:
    """Give grey slices of each sequence that was there: uint8 [slices, H, W], the primary or the only one first."""
    shown = [name for name in task.sequences if name not in scan.missing]
    found = {}
    for name in sorted(shown, key=lambda name: name != task.primary):
        grey = scan.drawn(task.sequences.index(name))
        lit = grey[grey > 0]
        white = float(np.percentile(lit, WHITE)) if lit.size else 1.0
        found[name] = np.ascontiguousarray(np.clip(grey * (255 / white), 0, 255).round().astype(np.uint8))
    return found
