"""Five volumes to predict, by models that take down what they are asked and stop where they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.predicting.conftest import Brightness
from tests.predicting.scans import INSIDE, Predict, drawn, files_in, head, summary_of

NAMES = ("a", "b", "c", "d", "site/e")
FLAGS = ("--save_probability", "--outputs", "0:_brain.nii")


class Killed(BaseException):
    """Nothing in the program catches it, as nothing catches a kill."""


@dataclass(frozen=True)
class Counting(Brightness):
    """Takes down what it is asked, and stops at one."""

    asked: tuple[list[str], ...] = ()
    stop: str = ""
    stage: str = "ask"
    how: Callable[[], BaseException] = KeyboardInterrupt

    def prepare(self, scan: Any, /) -> Any:
        return self._pass("prepare", scan)

    def ask(self, scan: Any, /) -> Any:
        self.asked[0].append(scan.name)
        return super().ask(self._pass("ask", scan))

    def combine(self, scan: Any, answers: Any, /) -> Any:
        return super().combine(self._pass("combine", scan), answers)

    def _pass(self, stage: str, scan: Any) -> Any:
        if (stage, scan.name) == (self.stage, self.stop):
            raise self.how()
        return scan


@pytest.fixture
def asked(tmp_path: Path, predict: Predict) -> Callable[..., tuple[int, list[str]]]:
    """Give a function that predicts five volumes: exit status, and what the models were asked."""
    for number, name in enumerate(NAMES):
        head(tmp_path / f"in/{name}.nii", np.roll(INSIDE, number, axis=0))
    drawn(tmp_path / "in/b_seg.nii")

    def run(*flags: str, stop: str = "", stage: str = "ask", how: Any = KeyboardInterrupt, **places: str) -> Any:
        said: list[str] = []
        return predict(*flags, predictor=Counting(asked=(said,), stop=stop, stage=stage, how=how), **places), said

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Give the bytes of all files but the summary."""
    return {name: (folder / name).read_bytes() for name in files_in(folder) - {"summary.csv"}}


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    """Give the summary without what no two commands have in common."""
    return {name: row | {"seconds": ""} for name, row in summary_of(folder).items()}
