"""Killed at random moments: nothing half-written, and the same command ends with the same numbers.

Half of the kills come after a random share of the time that the command takes, half before a random one of its changes
to the disk, where most can go wrong.
"""

import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.campaign.commands import Attack, Command, run
from tests.campaign.conftest import Attacks, places
from tests.campaign.judging import judge
from tests.campaign.leaving import broken, numbers

pytestmark = pytest.mark.exhaustive

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
ENDS = {signal.SIGTERM: (143, "stopped; "), signal.SIGINT: (130, "interrupted; "), signal.SIGKILL: (-9, "")}
NET = ("--image_size", "32", "--width", "2", "--num_epochs", "2", "--batch_size", "8", "--learning_rate", "0.03",
       "--threshold", "0.3")  # fmt: skip


def trains(home: Path) -> Sequence[str]:
    """Train and test one run, with a process that loads the slices."""
    one = ["--model", "buda", "--comparison", "single", "--num_workers", "1"]
    return ["--train", *one, *places(home), *NET]


def compares(home: Path) -> Sequence[str]:
    """Pack, train two seeds, average and report them."""
    grid = ["--models", "buda", "--schedules", "none", "--seeds", "0,1", "--comparison", "new", "--case_gifs", "all"]
    return ["--compare", *grid, *places(home)[:4], "--cache_dir", str(home / "runs" / "new_copy"), *NET]


def compares_again(home: Path) -> Sequence[str]:
    """Replace a finished comparison."""
    grid = ["--models", "buda", "--schedules", "none", "--comparison", "tiny", "--case_gifs", "none"]
    return ["--compare", *grid, *places(home), *NET, "--overwrite"]


def reports(home: Path) -> Sequence[str]:
    """Replace the report of a comparison."""
    return ["--report", "--comparison", "tiny", *places(home)]


def tunes(home: Path) -> Sequence[str]:
    """Choose a clean-up."""
    return ["--tune_postprocessing", "--comparison", "tiny", "--run_name", "unet-none-s0-f0", *places(home)]


def explores(home: Path) -> Sequence[str]:
    """Pack a data set that is not packed, and draw figures of it."""
    new = ["--cache_dir", str(home / "runs" / "copy"), "--output", str(home / "runs" / "explored")]
    return ["--explore", *places(home)[:2], *new]


def draws(home: Path) -> Sequence[str]:
    """Draw made-up patients."""
    return ["--make_phantoms", str(home / "runs" / "phantoms")]


def augments(home: Path) -> Sequence[str]:
    """Draw the sheet of augmented images."""
    data = [*places(home)[:2], *places(home)[4:]]
    return ["--view_aug", "--image_size", "32", *data, "--output", str(home / "runs" / "sheet")]


def exports(kind: str) -> Callable[[Path], Sequence[str]]:
    """Export a run over what was exported before."""

    def command(home: Path) -> Sequence[str]:
        which = ["--comparison", "tiny", "--run_name", "unet-none-s0-f0", "--runs_dir", str(home / "runs")]
        return ["--export", kind, *which, "--output", str(home / "runs" / "exported"), "--overwrite"]

    return command


COMMANDS: dict[str, tuple[Callable[[Path], Sequence[str]], int]] = {
    "train": (trains, 5),
    "compare": (compares, 6),
    "compare --overwrite": (compares_again, 4),
    "report": (reports, 5),
    "tune_postprocessing": (tunes, 2),
    "pack and explore": (explores, 5),
    "make_phantoms": (draws, 4),
    "view_aug": (augments, 1),
    "export bundle": (exports("bundle"), 5),
    "export onnx": (exports("onnx"), 3),
    "export safetensors": (exports("safetensors"), 2),
    "export torchscript": (exports("torchscript"), 2),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_any_moment(
    name: str, home: Path, attacks: Attacks, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    words, number = COMMANDS[name]
    argv, notes, before = words(home), tmp_path / "notes", tmp_path / "before"
    if name.startswith("export"):  # there is something to replace
        run(argv, notes)
    shutil.copytree(home, before)
    whole = run(argv, notes)
    judge(whole.process.exitcode or 0, whole.err, home, whole.told())
    assert whole.process.exitcode == 0 and not whole.err, whole.told()
    expected, changes, killed = numbers(home), whole.changes, 0
    for attempt in attacks(number):
        shutil.rmtree(home)
        shutil.copytree(before, home)
        rng = random.Random(f"{name} {attempt}")
        by = SIGNALS[attempt % len(SIGNALS)]
        if attempt % 2:
            struck = run(argv, notes, Attack(by, rng.randint(1, changes)))
        else:
            struck = Command(argv, notes).start()
            time.sleep(rng.random() * whole.took)
            struck.strike(by, all_of_it=rng.random() < 0.5)
        status = struck.end()
        told = f"attempt {attempt}\n{struck.told()}"
        assert struck.gone(), f"{told}\na process of it is left"
        assert not broken(home), f"{told}\nhalf-written: {broken(home)}"
        if status:
            killed += 1
            assert status == ENDS[by][0], told
            if by != signal.SIGKILL:
                judge(status, struck.err, home, told, ENDS[by][1])
                assert not list((notes / "tmp").iterdir()), told
        again = run(argv, notes)
        told += f"\nand again:\n{again.told()}"
        assert again.process.exitcode == 0 and not again.err, told
        judge(0, again.err, home, told)
        found = numbers(home)
        assert {name for name in expected | found if found.get(name) != expected.get(name)} == set(), told
    record_property("campaign", f"{name}: {len(attacks(number))} signals, {killed} ended it")
