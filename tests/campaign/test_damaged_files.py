"""Thousands of damaged files of every kind that is read."""

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.campaign.conftest import Attacks, places
from tests.campaign.judging import attack
from tests.campaign.mutating import BYTES, GZIP, JSON, TEXT, Mutation, damage

pytestmark = pytest.mark.exhaustive
Command = Callable[[Path], Sequence[str]]
RUN = "runs/tiny/unet-none-s0-f0"


def predicts(home: Path) -> Sequence[str]:
    """Predict all scans by the bundle."""
    return ["--predict", str(home / "scans"), "--output", str(home / "out"), "--model_path", str(home / "mine"),
            "--overwrite"]  # fmt: skip


def predicts_by_weights(home: Path) -> Sequence[str]:
    """Predict all scans by the weights of the bundle."""
    return [*predicts(home), "--engine", "torch"]


def predicts_one(home: Path) -> Sequence[str]:
    """Predict one slice by the run."""
    slice_of_a_case = sorted((home / "data").rglob("*_3.tif"))[0]
    return ["--image_path", str(slice_of_a_case), "--run_name", "unet-none-s0-f0", "--comparison", "tiny",
            "--output", str(home / "out"), "--overwrite", "--runs_dir", str(home / "runs")]  # fmt: skip


def predicts_by_pytorch(home: Path) -> Sequence[str]:
    """Predict one slice by the checkpoint."""
    return [*predicts_one(home), "--engine", "torch"]


def chooses(home: Path) -> Sequence[str]:
    """Predict one slice by whichever run is the best: a damaged one stops none of the others."""
    command = list(predicts_one(home))
    place = command.index("--run_name")
    return command[:place] + command[place + 4 :]


def reports(home: Path) -> Sequence[str]:
    """Report the comparison."""
    return ["--report", "--comparison", "tiny", "--case_gifs", "none", *places(home)]


def explores(home: Path) -> Sequence[str]:
    """Open the data set."""
    return ["--explore", "--output", str(home / "out"), *places(home)[:2], "--cache_dir", str(home / "packed")]


def configured(home: Path) -> Sequence[str]:
    """Read a file of options."""
    return ["--config", str(home / RUN / "config.yaml"), "--print_config"]


KINDS: dict[str, tuple[str, tuple[Mutation, ...], Command, int]] = {
    "nifti": ("scans/b_flair.nii", BYTES, predicts, 120),
    "gzipped nifti": ("scans/a_flair.nii.gz", GZIP, predicts, 120),
    "png": ("scans/c.png", BYTES, predicts, 80),
    "tiff": ("scans/d.tif", BYTES, predicts, 120),
    "jpeg": ("scans/e.jpg", BYTES, predicts, 60),
    "model.json of a bundle": ("mine/model.json", JSON, predicts, 200),
    "safetensors": ("mine/weights.safetensors", BYTES, predicts_by_weights, 40),
    "onnx of a bundle": ("mine/model.onnx", BYTES, predicts, 60),
    "model.json of a run": (f"{RUN}/model.json", JSON, predicts_one, 150),
    "onnx of a run": (f"{RUN}/model.onnx", BYTES, predicts_one, 40),
    "checkpoint": (f"{RUN}/checkpoints/best.ckpt", BYTES, predicts_by_pytorch, 40),
    "run.json": (f"{RUN}/run.json", JSON, chooses, 250),
    "run.json in a report": (f"{RUN}/run.json", JSON, reports, 25),
    "cases.csv": (f"{RUN}/cases.csv", TEXT, reports, 25),
    "slices.csv": (f"{RUN}/slices.csv", TEXT, reports, 15),
    "metrics.csv": (f"{RUN}/metrics.csv", TEXT, reports, 15),
    "split.csv": (f"{RUN}/split.csv", TEXT, chooses, 100),
    "masks.npz": (f"{RUN}/masks.npz", BYTES, reports, 10),
    "config.yaml": (f"{RUN}/config.yaml", TEXT, configured, 400),
    "data.csv": ("data/data.csv", TEXT, explores, 40),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(
    kind: str, home: Path, attacks: Attacks, capfd: pytest.CaptureFixture[str], record_property: Callable[..., None]
) -> None:
    name, mutations, command, number = KINDS[kind]
    path = home / name
    if not path.is_file():
        pytest.fail(f"{name}: no such file; there are {[str(p.relative_to(home)) for p in path.parent.glob('*')]}")
    whole = path.read_bytes()
    ended = {0: 0, 1: 0, 2: 0}
    for attempt in attacks(number):
        path.write_bytes(whole)
        what = damage(path, mutations, random.Random(f"{kind} {attempt}"))
        ended[attack(command(home), home, capfd, f"{kind} {attempt}: {what}")] += 1
        shutil.rmtree(home / "out", ignore_errors=True)
    path.write_bytes(whole)
    assert attack(command(home), home, capfd, "the whole file again") == 0
    record_property("campaign", f"{kind}: {sum(ended.values())} damaged, {ended[2]} refused, {ended[1]} partly done")
