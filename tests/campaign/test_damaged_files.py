"""Thousands of damaged files of every kind that is read."""

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from headtohead.batches.folds import make_folds
from headtohead.cli import main
from headtohead.cohort import open_cohort
from headtohead.models.buda import BudaUNet
from headtohead.runs.folder import RunFolder
from tests.campaign.conftest import Attacks, places
from tests.campaign.judging import attack
from tests.campaign.mutating import BYTES, GZIP, HDF5, JSON, LINES, TEXT, Mutation, damage
from tests.comparing.test_nifti_comparison import make_volumes
from tests.predicting.scans import drawn, head
from tests.trained.foreign.test_fetal_h5 import keras_layers, write_keras

pytestmark = pytest.mark.exhaustive
Command = Callable[[Path], Sequence[str]]
RUN = "runs/tiny/unet-none-s0-f0"
TRAINED = "runs/single/buda-none-s0-f0"
NET = ("--model", "buda", "--lr_scheduler", "none", "--image_size", "32", "--width", "2", "--num_epochs", "1",
       "--batch_size", "32")  # fmt: skip


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


def predicts_again(home: Path) -> Sequence[str]:
    """Predict all scans into a folder that holds what was predicted before."""
    return predicts(home)[:-1]


def predicts_by_keras(home: Path) -> Sequence[str]:
    """Predict one picture by weights of Keras."""
    image, where = str(home / "scans" / "c.png"), ["--output", str(home / "out"), "--overwrite"]
    return ["--image_path", image, *where, "--model", "fetal_unet", "--model_path", str(home / "mask.h5")]


def predicts_by_buda(home: Path) -> Sequence[str]:
    """Predict one volume by published weights."""
    image, where = str(home / "scans" / "b_flair.nii"), ["--output", str(home / "out"), "--overwrite"]
    return ["--image_path", image, *where, "--model", "buda", "--model_path", str(home / "unet.pt")]


def explores_volumes(home: Path) -> Sequence[str]:
    """Open a data set of volumes."""
    where = ["--cache_dir", str(home / "packed"), "--output", str(home / "out")]
    return ["--explore", "--data", "nifti", "--root_dir", str(home / "volumes"), *where]


def trains(home: Path) -> Sequence[str]:
    """Train what is trained already, or go on with it."""
    return ["--train", "--test", "False", *NET, *places(home)]


def trains_a_fold(home: Path) -> Sequence[str]:
    """Train the first of a user's folds."""
    return [*trains(home), "--fold_file", str(home / "folds.csv")]


def with_truth(home: Path) -> None:
    drawn(home / "scans" / "a_flair_mask.nii.gz")


def with_channels(home: Path) -> None:
    for number in range(3):
        head(home / "scans" / f"case_{number:04}.nii.gz")
    described = {"channel_names": {"0": "T1", "1": "FLAIR", "2": "T1Gd"}, "labels": {"lesion": 1}, "numTraining": 1}
    (home / "scans" / "dataset.json").write_text(json.dumps(described))


def with_predictions(home: Path) -> None:
    assert main([*predicts_again(home)]) == 0


def with_a_journal(home: Path) -> None:
    """What a command leaves that has not predicted all of its files."""
    (home / "scans" / "broken.nii").write_bytes(b"no volume")
    assert main([*predicts_again(home)]) == 1


def with_volumes(home: Path) -> None:
    make_volumes(home / "volumes", 3)


def with_keras(home: Path) -> None:
    write_keras(home / "mask.h5", keras_layers(2))


def with_buda(home: Path) -> None:
    torch.save(BudaUNet(3, 2).state_dict(), home / "unet.pt")


def with_a_training(home: Path) -> None:
    """Killed after its last epoch."""
    assert main([*trains(home)]) == 0
    RunFolder(home / TRAINED).note(status="running")


def with_folds(home: Path) -> None:
    make_folds(open_cohort(home / "data", home / "packed"), "2", 0).write(home / "folds.csv")
    assert main([*trains_a_fold(home)]) == 0


@dataclass(frozen=True)
class Kind:
    """Files of one kind.

    Attributes:
        name: of the one that is damaged, a pattern below the home folder.
        mutations: the damage.
        command: what reads it.
        number: of attacks.
        made_by: what makes it and all that belongs to it, if it is not there already.
        kept: the folder that is as it was before each attack, besides the file.
        whole: exit status with the whole file.
    """

    name: str
    mutations: tuple[Mutation, ...]
    command: Command
    number: int
    made_by: Callable[[Path], None] = lambda home: None
    kept: str = ""
    whole: int = 0


KINDS: dict[str, Kind] = {
    "nifti": Kind("scans/b_flair.nii", BYTES, predicts, 120),
    "gzipped nifti": Kind("scans/a_flair.nii.gz", GZIP, predicts, 120),
    "truth of a volume": Kind("scans/a_flair_mask.nii.gz", GZIP, predicts, 30, with_truth),
    "dataset.json of nnU-Net": Kind("scans/dataset.json", JSON, predicts, 30, with_channels),
    "png": Kind("scans/c.png", BYTES, predicts, 80),
    "tiff": Kind("scans/d.tif", BYTES, predicts, 120),
    "jpeg": Kind("scans/e.jpg", BYTES, predicts, 60),
    "summary.csv": Kind("out/summary.csv", TEXT, predicts, 25, with_predictions, "out"),
    "predicted.sha256": Kind("out/predicted.sha256", TEXT, predicts, 25, with_predictions, "out"),
    "journal of a prediction": Kind("out/.predicting.jsonl", LINES, predicts_again, 60, with_a_journal, "out", 1),
    "model.json of a bundle": Kind("mine/model.json", JSON, predicts, 200),
    "safetensors": Kind("mine/weights.safetensors", BYTES, predicts_by_weights, 40),
    "onnx of a bundle": Kind("mine/model.onnx", BYTES, predicts, 60),
    "h5 of Keras": Kind("mask.h5", HDF5, predicts_by_keras, 60, with_keras),
    "state dict of others": Kind("unet.pt", BYTES, predicts_by_buda, 40, with_buda),
    "model.json of a run": Kind(f"{RUN}/model.json", JSON, predicts_one, 150),
    "onnx of a run": Kind(f"{RUN}/model.onnx", BYTES, predicts_one, 40),
    "checkpoint": Kind(f"{RUN}/checkpoints/best.ckpt", BYTES, predicts_by_pytorch, 40),
    "checkpoint to go on from": Kind(
        f"{TRAINED}/checkpoints/last.ckpt", BYTES, trains, 15, with_a_training, "runs/single"
    ),
    "run.json": Kind(f"{RUN}/run.json", JSON, chooses, 250),
    "run.json in a report": Kind(f"{RUN}/run.json", JSON, reports, 20),
    "cases.csv": Kind(f"{RUN}/cases.csv", TEXT, reports, 20),
    "slices.csv": Kind(f"{RUN}/slices.csv", TEXT, reports, 12),
    "metrics.csv": Kind(f"{RUN}/metrics.csv", TEXT, reports, 12),
    "split.csv": Kind(f"{RUN}/split.csv", TEXT, chooses, 100),
    "masks.npz": Kind(f"{RUN}/masks.npz", BYTES, reports, 10),
    "probabilities.npz": Kind(f"{RUN}/probabilities.npz", BYTES, reports, 6),
    "config.yaml": Kind(f"{RUN}/config.yaml", TEXT, configured, 400),
    "folds.csv": Kind("folds.csv", TEXT, trains_a_fold, 60, with_folds, "runs/single"),
    "data.csv": Kind("data/data.csv", TEXT, explores, 30),
    "tiff of a data set": Kind("data/*/*_3.tif", BYTES, explores, 12),
    "volume of a data set": Kind("volumes/sub-01/anat/sub-01_T2w.nii.gz", GZIP, explores_volumes, 12, with_volumes),
    "mask of a data set": Kind("volumes/sub-01/anat/*_mask.nii.gz", GZIP, explores_volumes, 12, with_volumes),
    "note of the packed copy": Kind("packed/*.json", JSON, explores, 8, kept="packed"),
    "cases of the packed copy": Kind("packed/*/cases.csv", TEXT, explores, 8, kept="packed"),
    "statistics of the packed copy": Kind("packed/*/statistics.npz", BYTES, explores, 8, kept="packed"),
}

STOPS_NOTHING = ("run.json", "split.csv", "masks.npz", "probabilities.npz")
"""Of one run, while others are whole: the command is carried out without it."""


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files(
    name: str, home: Path, attacks: Attacks, capfd: pytest.CaptureFixture[str], record_property: Callable[..., None]
) -> None:
    kind = KINDS[name]
    kind.made_by(home)
    path = sorted(home.glob(kind.name))[0]
    whole, before = path.read_bytes(), home.with_name("before")
    if kind.kept:
        shutil.copytree(home / kind.kept, before)

    def restore() -> None:
        shutil.rmtree(home / "out", ignore_errors=True)
        if kind.kept:
            shutil.rmtree(home / kind.kept, ignore_errors=True)
            shutil.copytree(before, home / kind.kept)
        path.write_bytes(whole)

    ended = {0: 0, 1: 0, 2: 0}
    for attempt in attacks(kind.number):
        restore()
        what = damage(path, kind.mutations, random.Random(f"{name} {attempt}"))
        ended[attack(kind.command(home), home, capfd, f"{name} {attempt}: {what}")] += 1
    restore()
    assert attack(kind.command(home), home, capfd, "the whole file again") == kind.whole
    assert not (name in STOPS_NOTHING and ended[2])
    record_property("campaign", f"{name}: {sum(ended.values())} damaged, {ended[2]} refused, {ended[1]} partly done")
