"""`--predict` killed twice, at random moments and before random changes to the disk: the same command ends it.

No result that was there at a kill is unknown as ours; in the end all files are those of a command that nobody killed.
"""

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.predicting.results import journal, summary
from headtohead.predicting.results.written import Written
from tests.campaign.commands import Attack, Command, run
from tests.campaign.conftest import Attacks
from tests.campaign.judging import judge
from tests.campaign.leaving import broken, numbers, unfinished
from tests.predicting.scans import INSIDE, case_of_slices, head

pytestmark = pytest.mark.exhaustive
ENDS = {signal.SIGKILL: (-9, ""), signal.SIGTERM: (143, "stopped; "), signal.SIGINT: (130, "interrupted; ")}
FLAGS = ("--save_probability", "--outputs", "0:_brain.nii")


def finished(out: Path) -> bool:
    """Say whether a command came to its end, though the signal may have struck while Python put everything away."""
    return (out / summary.FILE).is_file() and not (out / journal.FILE).exists()


@pytest.mark.parametrize("more", [(), ("--overwrite",)], ids=["new", "overwrite"])
@pytest.mark.parametrize("by", ENDS, ids=lambda by: by.name)
def test_killed_at_any_moment(
    by: signal.Signals, more: tuple[str, ...], home: Path, attacks: Attacks, tmp_path: Path,
    record_property: Callable[..., None],
) -> None:  # fmt: skip
    notes, out, before, killed, between = tmp_path / "notes", home / "out", tmp_path / "before", 0, 0
    case_of_slices(home / "scans" / "case")
    argv = ["--predict", str(home / "scans"), "--output", str(out), "--model_path", str(home / "mine"), *FLAGS, *more]
    if more:  # there is something else to replace
        assert run(argv, notes).process.exitcode == 0
    for place in range(6):
        head(home / "scans" / "many" / f"s{place}_flair.nii.gz", np.roll(INSIDE, place, axis=0))
    head(home / "scans" / "a_flair.nii.gz", ~INSIDE)
    shutil.copytree(home, before)
    whole = run(argv, notes)
    assert whole.process.exitcode == 0 and not whole.err, whole.told()
    changes, expected, rng = whole.changes, numbers(home), random.Random(f"{by.name} {more}")
    for attempt in attacks(2):
        shutil.rmtree(home)
        shutil.copytree(before, home)
        for _ in range(2):
            if rng.random() < 0.5:
                struck = run(argv, notes, Attack(by, rng.randint(1, changes)))
            else:
                struck = Command(argv, notes).start()
                time.sleep(rng.random() * whole.took)
                struck.strike(by)
            status = struck.end()
            told = f"attempt {attempt}\n{struck.told()}"
            assert status in (0, ENDS[by][0]), told
            assert not broken(home), f"{told}\nhalf-written: {broken(home)}"
            results = [path for path in out.rglob("*_*.*") if ".writing" not in str(path)]
            assert all(map(Written(out).ours, results)), told
            if status and by != signal.SIGKILL:
                judge(status, struck.err, home, told, ENDS[by][1])
            if finished(out) and (status == 0 or not more):
                break
            killed += status != 0
            between += bool(results)
        else:
            again = run(argv, notes)
            told += f"\nand again:\n{again.told()}"
            assert again.process.exitcode == 0 and not again.err, told
        found = numbers(home)
        assert {name for name in expected | found if found.get(name) != expected.get(name)} == set(), told
        assert not unfinished(home), told
    record_property("campaign", f"predict {' '.join(more)}: {killed} times {by.name}, {between} with results there")
    assert killed or len(attacks(2)) == 1, "a single one may come too late"
