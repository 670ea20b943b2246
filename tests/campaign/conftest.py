"""What is attacked: a comparison that was really trained, a bundle of it, and one file of each kind that is read.

`make test-all` carries out the first of each attack, the same every time; `--attacks 3` all that results/reliability.md
counts, and a larger number more of them.
"""

import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from headtohead.cli import main
from tests.predicting.scans import head, picture

COUNTED = 3
"""`--attacks` of results/reliability.md, for which the numbers in the tests are given."""

TINY = "--image_size 32 --width 2 --num_epochs 2 --batch_size 8 --empty_slices 1 --learning_rate 0.03"
TINY += " --models unet --schedules none,cosine --case_gifs none"
Attacks = Callable[[int], range]


@pytest.fixture(scope="session")
def attacks(pytestconfig: pytest.Config) -> Attacks:
    """Give `attacks(number)`: the numbers of the attacks to carry out, at least one."""
    return lambda number: range(math.ceil(number * pytestconfig.getoption("attacks") / COUNTED))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, phantom_root: Path) -> Path:
    """A folder that holds `data`, `packed` and `runs/tiny`, a comparison of two trainings. Copy it to change it."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "attacked"
    with FileLock(f"{place}.lock"):
        if not place.is_dir():
            partial = place.with_suffix(".partial")
            shutil.copytree(phantom_root, partial / "data")
            assert main(["--compare", "--comparison", "tiny", *places(partial), *TINY.split()]) == 0
            bundle = ["--export", "bundle", "--comparison", "tiny", "--output", str(partial / "bundle")]
            assert main([*bundle, "--runs_dir", str(partial / "runs")]) == 0
            (written,) = (partial / "bundle").iterdir()
            written.rename(partial / "mine")
            partial.rename(place)
    return place


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    """A copy of what was trained, and scans, to attack."""
    place = tmp_path / "home"
    shutil.copytree(trained, place)
    scans = place / "scans"
    head(scans / "a_flair.nii.gz")
    head(scans / "b_flair.nii")
    for name in ("c.png", "d.tif", "e.jpg"):
        picture(scans / name)
    return place


def places(home: Path) -> list[str]:
    """Give the options that name the folders of a copy."""
    return [
        "--root_dir", str(home / "data"), "--runs_dir", str(home / "runs"), "--cache_dir", str(home / "packed"),
    ]  # fmt: skip
