"""How each kind of command is run, a long training made short, and what is looked at afterwards."""

import importlib.metadata
import json
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from headtohead import cli

DEMO = "--make_phantoms data/phantoms --compare --config configs/demo.yaml"
SHORT = shlex.split("--num_epochs 1 --image_size 32 --empty_slices 0.05 --gpus cpu --num_workers 0")
# Small nets, and nothing that one model has of its own.
ONE_OF_EACH = ["--schedules", "none", "--width", "4", "--model_settings", "", "--case_gifs", "none"]
FIVE_FOLDS = {"configs/lgg_cv.yaml", "configs/masker.yaml"}  # two are enough to run the command
TESTS = ("-m pytest", '-m "not exhaustive"')


def run(words: list[str], place: Path) -> str:
    """Run a program to its end; give what it printed."""
    done = subprocess.run(
        words,
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,  # no test of speed: only so that nothing hangs for ever
    )
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def run_main(words: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run `main.py` with these words, a long training made short; the places that it names must be there."""
    status = cli.main([*words, *shortening(words)])
    printed = capsys.readouterr()
    assert status == 0, f"{printed.out[-2000:]}\n{printed.err[-4000:]}"
    if "--help" in words:
        assert "--compare" in printed.out
        return
    if "--print_config" in words:
        assert printed.out.startswith("#")
        return
    drop_spent_checkpoints(place)
    last = printed.out.splitlines()[-1]
    assert last.startswith("results: ")
    for result in last.removeprefix("results: ").split(", "):
        found = place / result
        assert found.is_file() or any(found.iterdir())


def shortening(words: list[str]) -> list[str]:
    """Give the flags that make a long training short; none for any other command, which runs as it is printed."""
    if "--print_config" in words or not {"--compare", "--train"} & set(words) or "trial" in words:
        return []
    flags = list(SHORT)
    if "--compare" in words and "configs/demo.yaml" not in words:
        flags += ONE_OF_EACH
    if set(words) & FIVE_FOLDS:
        flags += ["--folds", "2"]
    if "--thaw_epoch" in words:
        flags += ["--num_epochs", "2", "--thaw_epoch", "1"]
    if "configs/lgg_cv.yaml" in words:
        flags += ["--models", "buda"]  # of three, in every fold
    return flags


def drop_spent_checkpoints(place: Path) -> None:
    """Free the disk of what only a killed training would need."""
    for last in place.glob("runs/*/*/checkpoints/last.ckpt"):
        if json.loads((last.parents[1] / "run.json").read_text())["status"] in ("trained", "finished"):
            last.unlink()


def run_serve(words: list[str], place: Path) -> None:
    """Open the page on a free port, look at it, and stop it as a user does."""
    command = [sys.executable, "-u", "main.py", *words, "--port", "0"]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"Head-to-Head" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def run_make(target: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run what a target of the Makefile runs, but into this environment; tests do not run themselves."""
    if target == "help":
        assert "make demo" in run(["make", "help"], place)
        return
    recipe = run(["make", "--dry-run", target, "VENV=.absent"], place)
    assert "-m venv .absent" in recipe
    assert "-m pip install --quiet --requirement requirements.txt" in recipe
    runs = {"install": (), "test": TESTS, "test-all": TESTS, "lint": ("ruff check", "ruff format --check", "mypy")}
    if target in runs:
        assert all(command in recipe for command in runs[target])
        return
    assert target == "demo", f"make {target}: no such target in the tests of the pages"
    calls = [line.removeprefix(".absent/bin/python main.py ") for line in recipe.splitlines() if "main.py" in line]
    assert calls == [DEMO]
    run_main(shlex.split(DEMO), place, capsys)
    table = re.search(r"^echo \"table +(\S+)\"$", recipe, re.MULTILINE)
    assert table
    assert (place / table[1]).is_file()


def run_tensorboard(words: list[str], place: Path) -> None:
    """Let TensorBoard read the folder and say what it found there, in place of serving it."""
    output = run([sys.executable, "-m", "tensorboard.main", "--inspect", *words], place)
    assert "dice/val" in output
    assert "dice/train" in output


def check_pins(requirements: Path) -> None:
    """Hold an installation command to what it would install: exact pins, and those that are tested here."""
    for line in requirements.read_text().splitlines():
        requirement = re.split("[#;]", line)[0].strip()
        if requirement:
            name, version = requirement.split("==")
            assert importlib.metadata.version(name).split("+")[0] == version
