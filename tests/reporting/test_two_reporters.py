"""Several commands write the report of one comparison: one after the other, each from the runs as they are then."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.reporting import rewriting
from headtohead.reporting.rewriting import write_reports, write_row
from headtohead.reporting.tensorboard import write_layout
from headtohead.runs import holding
from headtohead.runs.holding import comparison_held


def test_at_once_none_fails_and_all_is_there(
    comparison: Path, write_run: Any, no_pictures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in ("unet", "resnext"):
        folder = write_run(model)
    moving: list[int] = []  # how many are replacing the files of the comparison
    remove, move = rewriting.remove_earlier, rewriting.move_into

    def removing(place: Path) -> None:
        moving.append(1)
        time.sleep(0.02)  # in which the others would come in
        assert len(moving) == 1
        remove(place)

    def moved(*given: Path) -> None:
        move(*given)
        moving.pop()

    monkeypatch.setattr(rewriting, "remove_earlier", removing)
    monkeypatch.setattr(rewriting, "move_into", moved)

    def finish(number: int) -> None:
        write_reports(comparison, None, "none" if number % 2 else "few")
        write_layout(comparison, ["lesion"])
        write_row(folder)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(finish, range(8))) == [None] * 8
    assert set(pd.read_csv(comparison / "results.csv")["entrant"]) == {"unet none", "resnext none"}
    assert (comparison / "report.html").is_file()
    assert len(list(comparison.glob("events.*.layout"))) == 1
    assert not list(comparison.glob(".writing-*"))


@pytest.fixture
def beside(
    comparison: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], None], Callable[[], None]], str]:
    """Give `beside(write, change)`: write while another holds the comparison, which changes it once that one waits."""

    def run(write: Callable[[], None], change: Callable[[], None]) -> str:
        waiting, told = threading.Event(), []

        def noticed(*words: Any, **_: Any) -> None:
            told.extend(words)
            waiting.set()

        monkeypatch.setattr(holding, "print", noticed, raising=False)
        with ThreadPoolExecutor(1) as pool:
            with comparison_held(comparison):
                written = pool.submit(write)
                waiting.wait(20)
                change()
            written.result(20)
        return " ".join(told)

    return run


def test_one_that_waited_reports_the_runs_as_they_are_then(
    comparison: Path, write_run: Any, no_pictures: None, beside: Any
) -> None:
    folder = write_run("unet")
    said = beside(lambda: write_reports(comparison, None), lambda: write_run("resnext"))
    assert said == "lgg: another process is writing its tables and figures; waiting"
    assert set(pd.read_csv(comparison / "results.csv")["entrant"]) == {"unet none", "resnext none"}
    (comparison / "report.html").unlink()
    beside(lambda: write_row(folder), lambda: write_run("buda"))
    assert "buda" in (comparison / "results.md").read_text()


def test_a_layout_waits_as_well(comparison: Path, beside: Any) -> None:
    assert "waiting" in beside(lambda: write_layout(comparison, ["lesion"]), lambda: None)
    assert len(list(comparison.glob("events.*.layout"))) == 1
