"""Do masks of rotated copies of a scan agree with the mask of the scan?

Cases of LGG, test cases of the shipped model, are written as NIfTI, and copies of them resampled (cubic) onto grids
that are rotated within the slices, or tilted: every second case about the left-right axis, the others about the
front-back axis. LGG has no spacing; --spacing is assumed. A copy's grid has the case's own size, so that
corners are cut off, or is enlarged to hold all of it. Each copy is predicted twice: along its own axes, and levelled.

Claims:
1. Levelled copies rotated within the slices by 5 degrees or more agree with their case at a mean Dice of at least .97.
2. From the limits of preparing/steps/level.py on, levelling agrees better than the copy's own axes, or as well (.005).

"agree" is the Dice of the copy's mask with the case's mask resampled onto the copy's grid (linear, threshold one half),
"truth" the Dice with the resampled truth. "resampled" is the Dice of a mask with itself after resampling it onto that
grid and back: the most that can be reached.

    python benchmarks/rotated_copies.py
    python benchmarks/rotated_copies.py --spacing 1 1 2 --grids enlarged --cases 4
    python benchmarks/rotated_copies.py --volume t1.nii.gz
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import nibabel
import numpy as np
from scipy import ndimage

from headtohead import machine
from headtohead.options.table import from_flat
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.predictor import Predictor, open_predictor
from headtohead.preparing.steps import level
from headtohead.readers import lgg
from headtohead.trained.shipped import SHIPPED

CASES = (
    "TCGA_CS_6665_20010817",
    "TCGA_DU_7294_19890104",
    "TCGA_HT_7692_19960724",
    "TCGA_DU_7306_19930512",
    "TCGA_FG_7634_20000128",
    "TCGA_CS_6290_20000917",
    "TCGA_HT_8018_19970411",
    "TCGA_DU_5854_19951104",
)
"""Test cases of the shipped model, of several hospitals, that it knows well and less well."""

COLUMNS = ("agree, own axes", "agree, levelled", "truth, own axes", "truth, levelled")
NAMES = ("t1", "flair", "t1ce")
RIGHT, FRONT, UP = range(3)
LIMITS = {"own axes": 180.0, "levelled": 0.0}
"""How a copy is predicted -> the limit in degrees from which a scan is levelled."""


@dataclass(frozen=True)
class Case:
    """Sequences [x, y, z] that run right, front, up, and a mask; the affine of all."""

    sequences: list[np.ndarray]
    truth: np.ndarray | None
    affine: np.ndarray


def main() -> None:
    """Read the command line, measure, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--root_dir", type=Path, default=Path("data/kaggle_3m"), help="LGG's folder (%(default)s)")
    parser.add_argument("--model_path", type=Path, default=SHIPPED, help="a bundle or a run folder (the shipped model)")
    parser.add_argument("--cases", type=int, default=4, help=f"how many, of {len(CASES)} (%(default)s)")
    parser.add_argument("--spacing", type=float, nargs=3, default=(1, 1, 5), help="assumed for LGG, in mm (1 1 5)")
    parser.add_argument("--degrees", type=float, nargs="+", default=(5, 10, 20, 30, 45), help="(5 to 45)")
    parser.add_argument("--grids", nargs="+", default=("same", "enlarged"), help="sizes of the copies' grids (both)")
    parser.add_argument("--kinds", nargs="+", default=("rotated", "tilted"), help="of copies; also: both")
    parser.add_argument("--volume", type=Path, help="copies of this volume instead, which has no truth")
    arguments = parser.parse_args()

    machine.tune_allocator()
    start = time.perf_counter()
    wanted = {"predict": "copies", "output": "masks", "model_path": str(arguments.model_path)}
    predictor = open_predictor(from_flat(wanted))
    cases = [of_volume(arguments.volume)] if arguments.volume else list(of_lgg(arguments))
    found: dict[tuple[str, str, float], list[list[float]]] = defaultdict(list)
    for number, case in enumerate(cases):
        mask = predict(predictor, case, "own axes")
        for kind in arguments.kinds:
            across = (RIGHT, FRONT)[number % 2]
            axes = {"rotated": (UP,), "tilted": (across,), "both": (UP, across)}[kind]
            for grid in arguments.grids:
                for degrees in arguments.degrees:
                    scores = of_copy(predictor, case, mask, axes, degrees, grid == "enlarged")
                    found[kind, grid, degrees].append(scores)
    print(f"{predictor.name}, {len(cases)} scans, spacing {cases[0].affine.diagonal()[:3]} mm\n")
    print(
        "| copy | grid | degrees | resampled | agree, own axes | agree, levelled | truth, own axes | truth, levelled |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for (kind, grid, degrees), scores in found.items():
        means = " | ".join("" if np.isnan(mean) else f"{mean:.3f}" for mean in np.mean(scores, axis=0))
        print(f"| {kind} | {grid} | {degrees:g} | {means} |")
    print(f"\n{time.perf_counter() - start:.0f} s")


def of_lgg(arguments: argparse.Namespace) -> Iterator[Case]:
    """Give cases of LGG as volumes that run right, front, up."""
    files = {one.name: one for one in lgg.list_cases(arguments.root_dir)}
    for name in CASES[: arguments.cases]:
        found = lgg.read_case(files[name])
        assert found.labels is not None
        # A slice's rows run to the back, its columns to the left.
        volumes = [
            values.transpose(2, 1, 0)[::-1, ::-1] for values in (*np.moveaxis(found.images, -1, 0), found.labels)
        ]
        yield Case(volumes[:3], volumes[3] > 0, np.diag([*arguments.spacing, 1.0]))


def of_volume(path: Path) -> Case:
    """Give a NIfTI volume, shown as FLAIR, with its axes along those of the world."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    values = np.asarray(image.dataobj, np.float32)
    affine = np.diag([*np.linalg.norm(image.affine[:3, :3], axis=0), 1.0])
    return Case([values * (255 / np.percentile(values[values > 0], 99.9))], None, affine)


def of_copy(
    predictor: Predictor, case: Case, mask: np.ndarray, axes: tuple[int, ...], degrees: float, enlarged: bool
) -> list[float]:
    """Predict one copy: Dice after resampling, then agreement, then Dice; the last two along own axes and levelled."""
    affine, shape = rotated_grid(case.affine, mask.shape, axes, degrees, enlarged)
    copies = [np.clip(np.rint(resample(one, case.affine, affine, shape, 3)), 0, 255) for one in case.sequences]
    there = resample(mask, case.affine, affine, shape, 1) >= 0.5
    again = resample(there, affine, case.affine, mask.shape, 1) >= 0.5
    masks = [predict(predictor, Case(copies, None, affine), how) for how in LIMITS]
    scores = [dice(again, mask), *(dice(one, there) for one in masks)]
    if case.truth is None:
        return [*scores, np.nan, np.nan]
    truth = resample(case.truth, case.affine, affine, shape, 1) >= 0.5
    return [*scores, *(dice(one, truth) for one in masks)]


def rotated_grid(
    affine: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...], degrees: float, enlarged: bool
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Rotate a grid about its centre, about one world axis after the other, by so many degrees each."""
    turn, angle = np.eye(3), np.deg2rad(degrees)
    for axis in axes:
        step = np.eye(3)
        one, other = (place for place in range(3) if place != axis)
        step[one, one] = step[other, other] = np.cos(angle)
        step[one, other], step[other, one] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    size, steps = np.array(shape), np.linalg.norm(affine[:3, :3], axis=0)
    middle = affine[:3, :3] @ (size - 1) / 2 + affine[:3, 3]
    if enlarged:
        size = np.ceil(np.abs(turn) @ (size * steps) / steps).astype(int)
    out = np.eye(4)
    out[:3, :3] = turn @ affine[:3, :3]
    out[:3, 3] = middle - out[:3, :3] @ (size - 1) / 2
    return out, tuple(size.tolist())


def resample(
    values: np.ndarray, affine: np.ndarray, onto: np.ndarray, shape: tuple[int, ...], order: int
) -> np.ndarray:
    """Resample values onto another grid; 0 outside."""
    matrix = np.linalg.inv(affine) @ onto
    return ndimage.affine_transform(values.astype(np.float32), matrix[:3, :3], matrix[:3, 3], shape, order=order)


def predict(predictor: Predictor, case: Case, how: str) -> np.ndarray:
    """Write a case as NIfTI of 8 bits, read it as `--predict` does, and give its mask."""
    with tempfile.TemporaryDirectory() as folder, limited(LIMITS[how]):
        for name, values in zip(NAMES if len(case.sequences) > 1 else ("flair",), case.sequences, strict=True):
            image = nibabel.Nifti1Image(values.astype(np.uint8), case.affine)
            nibabel.save(image, Path(folder) / f"copy_{name}.nii")
        [job] = find_jobs(Path(folder), "", predictor.facts.task, ())
        scan = read_scan(job, predictor.facts, "", "auto")
        return scan.on_grid(predictor(scan).probability)[0] >= predictor.threshold


@contextmanager
def limited(degrees: float) -> Iterator[None]:
    """Set from which angle a scan is levelled."""
    names = ("TURNED", "TILTED", "THICK_TILTED")
    kept = {name: getattr(level, name) for name in names}
    for name in names:
        setattr(level, name, max(degrees, 0.1))  # above 0, for a level grid is to stay as it is
    try:
        yield
    finally:
        for name, limit in kept.items():
            setattr(level, name, limit)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Dice of two masks; 1 of two empty ones."""
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0


if __name__ == "__main__":
    main()
