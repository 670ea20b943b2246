"""The real command line, `python main.py ...`: spellings that work, and mistakes that leave nothing behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead import cli

MAIN = Path(__file__).parents[2] / "main.py"
HEAVY = ("torch", "lightning", "numpy", "pandas", "matplotlib", "albumentations", "cv2", "scipy")


def head_to_head(folder: Path, *words: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the program in `folder`, on a machine that shows it no GPU."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *python, str(MAIN), *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Give `refused(words)`: the one line with which they are refused in the test's folder.

    In this process: a new one would import PyTorch before it looks at the folds.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.machine, "tune_allocator", lambda: None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    def run(words: str) -> str:
        assert cli.main(words.split()) == 2
        [line] = capfd.readouterr().err.splitlines()
        assert line.startswith("error: ")
        return line

    return run


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    done = head_to_head(tmp_path, "--help", python=("-X", "importtime"))
    assert done.returncode == 0
    assert done.stdout.startswith("Head-to-Head ")
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "headtohead" in imported
    assert not imported & {*HEAVY, "pytorch_lightning", "yaml"}


def test_train_and_score_through_the_front_door(phantom_root: Path, tmp_path: Path) -> None:
    small = ["--model", "buda", "--width", "4", "--image_size", "32", "--num_epochs", "1", "--gpus", "cpu"]
    done = head_to_head(
        tmp_path,
        "--train=True",
        "--view-aug",
        "False",
        "--lr_scheduler",
        "--root_dir",
        str(phantom_root),
        *small,
    )
    assert done.returncode == 0, done.stderr
    run = Path("runs/single/buda-cosine-s0-f0")
    assert done.stdout.splitlines()[-1] == f"results: {run}"
    assert (tmp_path / run / "checkpoints" / "best.ckpt").is_file()
    assert "lr_scheduler: cosine" in (tmp_path / run / "config.yaml").read_text()
    table = (tmp_path / "runs" / "single" / "results.md").read_text()
    assert "| buda-cosine-s0-f0 " in table and table in done.stdout


def test_false_is_false(tmp_path: Path) -> None:
    done = head_to_head(tmp_path, "--train", "False")
    assert done.returncode == 2
    assert done.stderr.startswith("nothing to do")
    done = head_to_head(tmp_path, "--train", "--lr_scheduler=False", "--print_config")
    assert done.returncode == 0
    assert "\nlr_scheduler: none " in done.stdout


def test_unknown_model(tmp_path: Path) -> None:
    done = head_to_head(tmp_path, "--train", "--model", "resnxt")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("error: --model resnxt: no such model; did you mean resnext?")


def test_gpu_that_is_not_there(refused: Callable[[str], str], phantom_root: Path, tmp_path: Path) -> None:
    assert "--gpus 0" in refused(f"--train --gpus 0 --root_dir {phantom_root}")
    assert not (tmp_path / "runs").exists()


def test_data_set_that_is_not_there(refused: Callable[[str], str], tmp_path: Path) -> None:
    assert "nowhere" in refused("--train --root_dir nowhere")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--train --folds 1", "--folds 1: takes a number of folds (2 or more), or the word patients"),
        ("--train --fold 2", "--fold 2: without folds there is only one split; add --folds 5, or a --fold_file"),
        ("--compare --split slice --folds 5", "--split slice: folds are by patient"),
        ("--train --folds 5 --fold_file folds.csv", "--folds and --fold_file both define the folds"),
        ("--train --fold_file nowhere.csv", "--fold_file nowhere.csv: no such file"),
        ("--train --channels flair=0", "--channels: has no effect with --train; it is for --image_path, --predict"),
        ("--compare --fold 1 --folds 5", "--fold: is for --train; with --compare, use --folds"),
        ("--compare --fold 1", "--fold 1: without folds there is only one split"),
        ("--report", "--report: runs holds no finished comparison; run --compare first"),
        ("--report --comparison mine", "mine: no such comparison"),
        ("--explore --root_dir nowhere", "--root_dir nowhere: no such folder"),
    ],
)
def test_folds_and_reports_that_make_no_sense(
    words: str, message: str, refused: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "folds.csv").write_text("case,fold\n")
    assert message in refused(words)
    assert [path.name for path in tmp_path.iterdir()] == ["folds.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--train --model fetal_unet --neighbours 1", "--neighbours: the intensity scaling of fetal_unet"),
        ("--train --model fetal_unet --normalise inner", "--normalise: the intensity scaling of fetal_unet"),
        ("--test --run_name a,b", "--run_name a,b: name one run"),
        ("--predict nowhere --output masks", "--predict nowhere: no such file or folder"),
        ("--export onnx --half", "--half: is for --export bundle, not for --export onnx"),
    ],
)
def test_what_would_be_ignored_or_fail_later(
    words: str, message: str, refused: Callable[[str], str], tmp_path: Path
) -> None:
    assert message in refused(words if words.startswith(("--predict", "--export")) else f"{words} --root_dir .")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--folds 13", "--folds 13: not possible with 12 patients"),
        ("--folds 3 --fold 3", "--fold 3: give a number from 0 to 2"),
        ("--fold_file folds.csv", "--fold_file folds.csv: nobody is not in the data set"),
        ("--fold_file text.csv", "--fold_file text.csv: not a table of folds"),
    ],
)
def test_folds_that_do_not_fit_the_data(
    words: str, message: str, refused: Callable[[str], str], phantom_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "folds.csv").write_text("case,fold\nnobody,0\n")
    (tmp_path / "text.csv").write_text("not a table")
    assert message in refused(f"--train {words} --root_dir {phantom_root} --gpus cpu")
    assert not (tmp_path / "runs").exists()


def test_image_that_is_not_one(refused: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("not an image")
    assert "x.txt" in refused("--image_path x.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]


def test_reader_that_has_gone(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, str(MAIN), "--help"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
