"""A made-up data set as nnU-Net lays it out, masks of other programs beside it, and a truth scored once for all."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from headtohead import cli
from headtohead.entrants import score
from tests.processes import printed_by

AFFINE = np.diag([1.0, 1.0, 3.0, 1.0])
SHAPE = (22, 24, 6)
CASES = 9
FIRST, SECOND = "case_000.nii.gz", "case_001.nii.gz"
Distort = Callable[[np.ndarray], np.ndarray]
Scored = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]


def save(values: np.ndarray, path: Path, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


def truth_of(number: int) -> np.ndarray:
    """A ball, at another place and of another size in each case: uint8 {0, 1}."""
    rng = np.random.default_rng(number)
    grid = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    middle = (*rng.uniform(9, 13, 2), 3)
    apart = sum(((one - centre) * step) ** 2 for one, centre, step in zip(grid, middle, (1, 1, 2), strict=True))
    return (apart < rng.uniform(4, 7) ** 2).astype(np.uint8)


def write_masks(folder: Path, distort: Distort = lambda mask: mask, name: str = "case_{:03}.nii.gz") -> Path:
    for number in range(CASES):
        save(distort(truth_of(number)), folder / name.format(number))
    return folder


def eroded(mask: np.ndarray) -> np.ndarray:
    return ndimage.binary_erosion(mask).astype(np.uint8)


def shifted(mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, 1, axis=0)


@pytest.fixture(scope="session")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a data set with `imagesTs`, `labelsTs` and three folders of masks. Read only."""
    root = tmp_path_factory.mktemp("entrants") / "Dataset007_Balls"
    labels = {"background": 0, "ball": 1}
    described = {"channel_names": {"0": "T1"}, "labels": labels, "numTraining": 0, "file_ending": ".nii.gz"}
    root.mkdir()
    (root / "dataset.json").write_text(json.dumps(described))
    write_masks(root / "labelsTs")
    for number in range(CASES):
        noise = np.random.default_rng(number).integers(10, 60, SHAPE)
        save((noise + 90 * truth_of(number)).astype(np.int16), root / "imagesTs" / f"case_{number:03}_0000.nii.gz")
    write_masks(root / "equal")
    write_masks(root / "eroded", eroded, "case_{:03}_pred.nii.gz")
    write_masks(root / "nnunet", shifted)
    for beside in ("dataset.json", "plans.json", "predict_from_raw_data_args.json", "summary.json"):
        (root / "nnunet" / beside).write_text(json.dumps(described if beside == "dataset.json" else {"a": 1}))
    (root / "nnunet" / "case_000.npz").write_bytes(b"probabilities")
    return root


@pytest.fixture(scope="session")
def scored(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The comparison of the three folders, scored in a Python of its own, and what that printed. Read only."""
    place = tmp_path_factory.mktemp("scored")
    words = ["--score", "--truth", data_set / "labelsTs", "--images", data_set / "imagesTs", "--comparison", "balls"]
    words += ["--masks", ",".join(f"{name}={data_set / name}" for name in ("equal", "eroded", "nnunet"))]
    words += ["--runs_dir", place / "runs", "--cache_dir", place / "packed", "--case_gifs", "none"]
    program = f"import sys; from headtohead import cli; print('status', cli.main({[*map(str, words)]}))\n"
    return place / "runs" / "balls", printed_by(program + "print('loaded', *sys.modules)")


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the report out, which takes seconds: the run folders say what was scored."""
    monkeypatch.setattr(score, "write_held", lambda *about: None)


@pytest.fixture
def masks(data_set: Path, tmp_path: Path) -> Path:
    """Masks that a test spoils."""
    return Path(shutil.copytree(data_set / "equal", tmp_path / "masks"))


@pytest.fixture
def score_in(
    data_set: Path, tmp_path: Path, cache_dir: Path, no_report: None, capsys: pytest.CaptureFixture[str]
) -> Scored:
    """Give `score_in(masks, *words)`: the exit status and what was printed."""

    def run(given: str, *words: str, truth: Path | None = None) -> tuple[int, str, str]:
        place = ["--runs_dir", str(tmp_path / "runs"), "--cache_dir", str(cache_dir), "--comparison", "c"]
        status = cli.main(["--score", "--truth", str(truth or data_set / "labelsTs"), "--masks", given, *place, *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def refused(score_in: Scored, tmp_path: Path) -> Refused:
    """Give `refused(masks, *words)`: the line of a refusal, which leaves nothing behind."""

    def line(given: str, *words: str, truth: Path | None = None) -> str:
        status, _, said = score_in(given, *words, truth=truth)
        assert status == 2 and said.count("\n") == 1, said
        runs = tmp_path / "runs"
        assert not runs.exists() or not [path for path in runs.rglob("*") if path.suffix != ".lock"]
        return said

    return line
