"""Disks that are full after a random number of bytes: a line that names the file, and with room the same numbers."""

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.campaign import commands
from tests.campaign.commands import Attack, Command, run
from tests.campaign.conftest import Attacks
from tests.campaign.disks import Disk
from tests.campaign.judging import judge
from tests.campaign.leaving import broken, numbers

pytestmark = pytest.mark.exhaustive

PAGE = 4096
NET = ("--image_size", "32", "--width", "2", "--num_epochs", "2", "--batch_size", "8", "--learning_rate", "0.03",
       "--threshold", "0.3")  # fmt: skip
Words = Callable[[Path, Path], Sequence[str]]


def data(home: Path, disk: Path) -> list[str]:
    """Name the folders: data lie elsewhere, what is made of them on the disk."""
    return ["--root_dir", str(home / "data"), "--runs_dir", str(disk / "runs"), "--cache_dir", str(disk / "packed")]


def trains(home: Path, disk: Path) -> Sequence[str]:
    return ["--train", "--model", "buda", "--comparison", "single", *data(home, disk), *NET]


def compares(home: Path, disk: Path) -> Sequence[str]:
    grid = ["--models", "buda", "--schedules", "none", "--seeds", "0,1", "--comparison", "new", "--case_gifs", "none"]
    return ["--compare", *grid, *data(home, disk), *NET]


def reports(home: Path, disk: Path) -> Sequence[str]:
    return ["--report", "--comparison", "tiny", *data(home, disk)]


def explores(home: Path, disk: Path) -> Sequence[str]:
    new = ["--cache_dir", str(disk / "copy"), "--output", str(disk / "explored")]
    return ["--explore", *data(home, disk)[:2], *new]


def draws(home: Path, disk: Path) -> Sequence[str]:
    return ["--make_phantoms", str(disk / "phantoms")]


def predicts(home: Path, disk: Path) -> Sequence[str]:
    where = ["--output", str(disk / "masks"), "--model_path", str(home / "mine")]
    return ["--predict", str(home / "scans"), *where, "--preview"]


def exports(kind: str) -> Words:
    def command(home: Path, disk: Path) -> Sequence[str]:
        which = ["--comparison", "tiny", "--run_name", "unet-none-s0-f0", "--runs_dir", str(disk / "runs")]
        return ["--export", kind, *which, "--output", str(disk / "exported"), "--overwrite"]

    return command


COMMANDS: dict[str, tuple[Words, int]] = {
    "train": (trains, 4),
    "compare": (compares, 4),
    "report": (reports, 3),
    "pack and explore": (explores, 4),
    "make_phantoms": (draws, 2),
    "predict": (predicts, 4),
    "export bundle": (exports("bundle"), 2),
    "export onnx": (exports("onnx"), 1),
    "export safetensors": (exports("safetensors"), 1),
    "export torchscript": (exports("torchscript"), 1),
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """A disk of 64 MiB."""
    try:
        small = Disk(tmp_path_factory.mktemp("small") / "disk", commands.forking())
    except OSError as refused:
        pytest.skip(f"needs a disk of its own: {refused}")
    yield small
    small.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_full_after_any_number_of_bytes(
    name: str, home: Path, disk: Disk, attacks: Attacks, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    words, number = COMMANDS[name]
    before, notes, within = tmp_path / "before", tmp_path / "notes", Attack(sees=disk.process)
    for part in ("runs", "packed"):
        shutil.copytree(home / part, before / part)
    disk.hold(before)
    used, argv = disk.used, words(home, disk.place)
    whole = ended_well(argv, notes, within, disk)
    needed, expected, full = disk.used - used, numbers(disk.seen), 0
    for attempt in attacks(number):
        disk.hold(before)
        room = random.Random(f"{name} {attempt}").randrange(needed)
        disk.leave(room)
        struck = run(argv, notes, within)
        told = f"attempt {attempt}, {room} bytes of {needed}\n{struck.told()}"
        status = struck.process.exitcode or 0
        judge(status, struck.err, disk.seen, told)
        assert not broken(disk.seen), f"{told}\nhalf-written: {broken(disk.seen)}"
        if status:
            full += 1
            assert f"no space left on {disk.place}" in struck.err + struck.out, told
        disk.make_room()
        again = ended_well(argv, notes, within, disk)
        found = numbers(disk.seen)
        differs = {name for name in expected | found if found.get(name) != expected.get(name)}
        assert not differs, f"{told}\nand again:\n{again.told()}"
    assert not whole.err
    record_property("campaign", f"{name}: {len(attacks(number))} disks, {full} too small")


def ended_well(argv: Sequence[str], notes: Path, attack: Attack, disk: Disk) -> Command:
    """Run a command that must end with all done."""
    command = run(argv, notes, attack)
    assert command.process.exitcode == 0 and not command.err, command.told()
    judge(0, "", disk.seen, command.told())
    return command


LIMITED = {name: COMMANDS[name] for name in ("train", "report", "pack and explore", "predict", "export bundle")}


@pytest.mark.parametrize("name", LIMITED)
def test_files_up_to_any_size(
    name: str, home: Path, attacks: Attacks, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    """As `ulimit -f` has it, which a quota may come to."""
    argv, notes, refused = COMMANDS[name][0](home, home), tmp_path / "notes", 0
    for attempt in attacks(1):
        longest = int(2 ** random.Random(f"limit {name} {attempt}").uniform(12, 15))  # not what is printed
        struck = run(argv, notes, Attack(longest=longest))
        told = f"attempt {attempt}\n{struck.told()}"
        status = struck.process.exitcode or 0
        judge(status, struck.err, home, told)
        assert not broken(home), f"{told}\nhalf-written: {broken(home)}"
        if status:
            refused += 1
            assert "larger than ulimit -f" in struck.err + struck.out, told
    again = run(argv, notes)
    assert again.process.exitcode == 0 and not again.err, again.told()
    record_property("campaign", f"{name}: {len(attacks(1))} limits, {refused} too short")
