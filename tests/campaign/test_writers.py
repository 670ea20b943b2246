"""Two and three commands at once on one comparison, or into one folder of masks: each ends as documented, with the
files of commands that ran one after the other.
"""

import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.campaign.commands import Command, run
from tests.campaign.conftest import Attacks, places
from tests.campaign.judging import judge
from tests.campaign.leaving import broken, numbers
from tests.predicting.scans import OURS, files_in

pytestmark = pytest.mark.exhaustive

NET = ("--image_size", "32", "--width", "2", "--num_epochs", "2", "--batch_size", "8", "--learning_rate", "0.03",
       "--threshold", "0.3")  # fmt: skip
NOT_YET = ("no experiment is finished", "no such comparison")


def compares(home: Path) -> Sequence[str]:
    grid = ["--models", "buda", "--schedules", "none", "--seeds", "0,1", "--comparison", "new", "--case_gifs", "none"]
    return ["--compare", *grid, *places(home)[:4], "--cache_dir", str(home / "runs" / "copy"), *NET]


def compares_again(home: Path) -> Sequence[str]:
    return [*compares(home), "--overwrite"]


def reports(home: Path) -> Sequence[str]:
    copy = str(home / "runs" / "copy")
    return ["--report", "--comparison", "new", *places(home)[:4], "--cache_dir", copy, "--case_gifs", "none"]


def packs(home: Path) -> Sequence[str]:
    new = ["--cache_dir", str(home / "runs" / "copy"), "--output", str(home / "explored")]
    return ["--explore", *places(home)[:2], *new]


def predicts(home: Path, pattern: str) -> Sequence[str]:
    where = ["--output", str(home / "out"), "--model_path", str(home / "mine")]
    return ["--predict", str(home / "scans"), "--pattern", pattern, *where]


ROUNDS: dict[str, tuple[tuple[Callable[[Path], Sequence[str]], ...], int]] = {
    "two writers": ((compares, compares), 2),
    "three writers": ((compares, compares, compares), 1),
    "two writers that overwrite": ((compares_again, compares_again), 2),
    "a writer and two reporters": ((compares, reports, reports), 2),
    "a writer and a packer": ((compares, packs), 1),
    "a writer that overwrites and a reporter": ((compares_again, reports), 1),
}


@pytest.fixture
def alone(home: Path, tmp_path: Path) -> tuple[Path, dict[str, str], float]:
    """What one command makes: a folder to begin from, with and without it; its numbers; the seconds it took."""
    before = tmp_path / "before"
    shutil.copytree(home, before / "new")
    whole = run(compares(home), tmp_path / "notes")
    assert whole.process.exitcode == 0 and not whole.err, whole.told()
    shutil.copytree(home, before / "made")
    return before, numbers(home / "runs"), whole.took


def test_several_writers(
    home: Path,
    alone: tuple[Path, dict[str, str], float],
    attacks: Attacks,
    tmp_path: Path,
    record_property: Callable[..., None],
) -> None:
    before, expected, seconds = alone
    for name, (commands, number) in ROUNDS.items():
        statuses = []
        for attempt in attacks(number):
            rng = random.Random(f"{name} {attempt}")
            shutil.rmtree(home)
            shutil.copytree(before / ("made" if compares_again in commands else "new"), home)
            began = []
            for place, words in enumerate(commands):
                if place:  # a reporter needs something to report
                    earliest = 0.5 if words is reports and place == 1 else 0
                    time.sleep(rng.choice((earliest, rng.uniform(earliest, 1))) * seconds / place)
                began.append(Command(words(home), tmp_path / f"notes{place}").start())
            for command in began:
                command.end()
            told = f"{name} {attempt}\n" + "\n".join(command.told() for command in began)
            for words, command in zip(commands, began, strict=True):
                status = command.process.exitcode or 0
                statuses.append(status)
                judge(status, command.err, home, told)
                too_early = words is reports and status == 2 and any(text in command.err for text in NOT_YET)
                assert (status == 0 and not command.err) or too_early, told
            assert not broken(home), f"{told}\nhalf-written: {broken(home)}"
            found = numbers(home / "runs")
            assert {name for name in expected | found if found.get(name) != expected.get(name)} == set(), told
        early = f", {statuses.count(2)} too early" if 2 in statuses else ""
        record_property("campaign", f"{name}: {len(attacks(number))} rounds, {len(statuses)} commands{early}")


def test_two_predictions_into_one_new_folder(
    home: Path, attacks: Attacks, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    commands, out, took, refused = [predicts(home, pattern) for pattern in ("[ab]*", "[cde]*")], home / "out", 0.0, 0
    for argv in commands:
        alone = run(argv, tmp_path / "notes")
        assert alone.process.exitcode == 0 and not alone.err, alone.told()
        took = max(took, alone.took)
    expected = numbers(out)
    rng = random.Random("predictions")
    for attempt in attacks(2):
        shutil.rmtree(out)
        began = []
        for place, argv in enumerate(rng.sample(commands, 2)):
            time.sleep(place * rng.random() * took)
            began.append(Command(argv, tmp_path / f"notes{place}").start())
        statuses = [command.end() for command in began]
        told = f"{attempt}\n" + "\n".join(command.told() for command in began)
        for command, status in zip(began, statuses, strict=True):
            judge(status, command.err, home, told)
            assert status == 0 or (status == 2 and "another --predict is writing there" in command.err), told
            refused += status == 2
        assert 0 in statuses, told
        listed = {line.split("  ")[1] for line in (out / "predicted.sha256").read_text().splitlines()}
        assert listed == files_in(out) - OURS, told
        for command, status in zip(began, statuses, strict=True):
            again = run(command.argv if status else [*command.argv, "--overwrite"], tmp_path / "notes")
            assert again.process.exitcode == 0 and not again.err, f"{told}\nand again:\n{again.told()}"
        assert numbers(out) == expected, told
    rounds = len(attacks(2))
    record_property("campaign", f"two predictions: {rounds} rounds, {2 * rounds} commands, {refused} refused")
