"""The end of the program while a case is predicted."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.predicting.scan import scan_of
from headtohead.serving.stopping import Stoppable, Stopped, stoppable


def test_an_engine_goes_on_until_it_is_told(engine: Any) -> None:
    stop = threading.Event()
    one = Stoppable(engine, stop)
    batch = np.zeros((2, 5, 8, 8), np.float32)
    assert one.name == "brightness on cpu" and np.array_equal(one(batch), engine(batch))
    stop.set()
    with pytest.raises(Stopped):
        one(batch)


def test_all_engines_of_a_predictor_stop(predictor: Any) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        stoppable(predictor, stop)(scan_of(np.zeros((2, 16, 16, 3), np.uint8)))


def test_who_waits_for_an_answer_is_told(
    server: Any, volume: Path, engine: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    engine.wait = threading.Event()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(server.drop_paths(volume)))
    thread.start()
    assert engine.began.wait(20)
    server.uvicorn.should_exit = True
    assert server.pages.stop.wait(20)
    engine.wait.set()
    thread.join(20)
    assert (answers[0].status, answers[0].text) == (503, "the program was stopped\n")
    assert "retry-after" not in answers[0].headers
    assert capfd.readouterr().err == ""
