"""Masks of copies that are resampled onto turned grids come back on these grids, and agree with that of the case."""

from itertools import product
from pathlib import Path
from typing import Protocol

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from headtohead.options.table import from_flat
from headtohead.predicting.files import volumes
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.predictor import Estimate, open_predictor
from headtohead.predicting.scan import Scan
from headtohead.readers import lgg
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.trained.facts import ModelFacts
from headtohead.trained.shipped import SHIPPED
from tests.matrices import thinned

RIGHT, FRONT, UP = range(3)
FACTS = ModelFacts("m", "buda", 4, 5, {"image_size": 32, "normalise": "inner", "neighbours": 1}, task=LGG_TASK)
CASE = "TCGA_HT_7692_19960724"
"""A test case of the shipped model; results/rotated-copies.md has it and seven more."""


class Predicts(Protocol):
    facts: ModelFacts
    threshold: float

    def __call__(self, scan: Scan, /) -> Estimate: ...


class UpperLeft:
    """In place of a model, one that knows which way is up: what is bright and nearer to the top left corner."""

    facts, threshold = FACTS, 0.5

    def __call__(self, scan: Scan, /) -> Estimate:
        bright = scan.volume[..., 1] > 60
        rows, columns = (np.linspace(-1, 1, size) for size in bright.shape[1:])
        return Estimate((bright & (rows[:, None] + 0.5 * columns < 0)).astype(np.float32)[None], None)


def grid(shape: tuple[int, ...], steps: tuple[float, ...], axis: int = UP, degrees: float = 0) -> np.ndarray:
    """An affine that is turned about its own middle."""
    one, other = (place for place in range(3) if place != axis)
    affine, angle = np.eye(4), np.deg2rad(degrees)
    affine[one, one] = affine[other, other] = np.cos(angle)
    affine[one, other], affine[other, one] = -np.sin(angle), np.sin(angle)
    affine[:3, :3] *= steps
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return affine


def carry(
    values: np.ndarray, affine: np.ndarray, onto: np.ndarray, shape: tuple[int, ...], order: int = 1
) -> np.ndarray:
    way = np.linalg.inv(affine) @ onto
    return ndimage.affine_transform(values.astype(np.float32), way[:3, :3], way[:3, 3], shape, order=order)


def predict(folder: Path, predictor: Predicts, sequences: dict[str, np.ndarray], affine: np.ndarray) -> np.ndarray:
    folder.mkdir(exist_ok=True)
    for name, values in sequences.items():
        image = nibabel.Nifti1Image(np.clip(np.rint(values), 0, 255).astype(np.uint8), affine)
        nibabel.save(image, folder / f"copy_{name}.nii")
    [job] = find_jobs(folder, "", predictor.facts.task, ())
    scan = read_scan(job, predictor.facts, "", "auto")
    return scan.on_grid(predictor(scan).probability)[0] >= predictor.threshold


def agreement(
    folder: Path, predictor: Predicts, sequences: dict[str, np.ndarray], steps: tuple[float, ...], axis: int,
    degrees: float, enlarged: bool,
) -> float:  # fmt: skip
    """Dice between the mask of a copy and that of the case, carried onto the copy's grid."""
    shape = next(iter(sequences.values())).shape
    affine = grid(shape, steps)
    mask = predict(folder, predictor, sequences, affine)
    assert mask.any()
    size = shape
    if enlarged:
        turn = np.abs(grid(shape, (1, 1, 1), axis, degrees)[:3, :3])
        size = tuple(np.ceil(turn @ (np.array(shape) * steps) / steps).astype(int).tolist())
    onto = grid(size, steps, axis, degrees)
    copy = {name: carry(values, affine, onto, size, 3) for name, values in sequences.items()}
    found, expected = predict(folder, predictor, copy, onto), carry(mask, affine, onto, size) >= 0.5
    return float(2 * (found & expected).sum() / (found.sum() + expected.sum()))


TURNS = list(product((UP, RIGHT, FRONT), (10, 20, -30, 45), (False, True)))
"""Axis, degrees, and whether the grid is enlarged."""
FEW = {(UP, 10, False), (UP, 45, True), (RIGHT, 20, True), (RIGHT, -30, False), (FRONT, 45, False), (FRONT, 20, True)}


@pytest.mark.parametrize(("axis", "degrees", "enlarged"), thinned(TURNS, FEW))
def test_what_knows_up_from_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, axis: int, degrees: float, enlarged: bool
) -> None:
    shape = (72, 72, 48)
    places = np.moveaxis(np.indices(shape), 0, -1) - (np.array(shape) - 1) / 2
    head = {"flair": np.where((places**2 / np.array([30, 34, 23]) ** 2).sum(axis=-1) < 1, 150, 0)}
    head["flair"] = head["flair"] + np.random.default_rng(0).integers(1, 8, shape)  # air is never quite dark
    seen = agreement(tmp_path / "a", UpperLeft(), head, (1, 1, 1), axis, degrees, enlarged)
    assert seen > 0.95
    if axis == UP and not enlarged:
        monkeypatch.setattr(volumes, "needs_levelling", lambda *_: False)
        # A wedge is gained on one side and lost on the other.
        assert agreement(tmp_path / "a", UpperLeft(), head, (1, 1, 1), axis, degrees, enlarged) < 0.95


@pytest.fixture(scope="module")
def shipped() -> Predicts:
    wanted = {"predict": "in", "output": "out", "model_path": str(SHIPPED)}
    return open_predictor(from_flat(wanted))


@pytest.fixture(scope="module")
def case(shared_lgg: Path) -> dict[str, np.ndarray]:
    """Volumes that run right, front, up: a slice's rows run to the back, its columns to the left."""
    [files] = (one for one in lgg.list_cases(shared_lgg) if one.name == CASE)
    volumes = lgg.read_case(files).images.transpose(3, 2, 1, 0)[:, ::-1, ::-1]
    return dict(zip(("t1", "flair", "t1ce"), volumes, strict=True))


LEAST = {(UP, 10): 0.97, (UP, 20): 0.97, (UP, 30): 0.97, (RIGHT, 20): 0.87, (RIGHT, 30): 0.87}
"""Dice that a levelled copy reaches, and one cut along its own axes does not. Measured: .985, .985, .986, .902, .912,
and .949, .737, .616, .800, .728."""


@pytest.mark.exhaustive
@pytest.mark.parametrize(("axis", "degrees"), LEAST)
def test_the_shipped_model_on_a_real_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: Predicts, case: dict[str, np.ndarray], axis: int,
    degrees: float,
) -> None:  # fmt: skip
    levelled = agreement(tmp_path / "a", shipped, case, (1, 1, 5), axis, degrees, True)
    monkeypatch.setattr(volumes, "needs_levelling", lambda *_: False)
    own = agreement(tmp_path / "a", shipped, case, (1, 1, 5), axis, degrees, True)
    assert levelled > LEAST[axis, degrees] > own, f"{levelled:.3f}, {own:.3f}"
