"""Slices a second: of training without validation, over all epochs of a run; of a test without its scoring."""

from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.learning import pace
from headtohead.learning.pace import Pace, PaceOfTest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


def epoch(one: Pace, clock: list[float], seconds: float) -> None:
    module: Any = SimpleNamespace(device=SimpleNamespace(type="cpu"))
    trainer: Any = SimpleNamespace(is_last_batch=False)
    one.on_train_epoch_start(trainer, module)
    for place, size in enumerate((4, 4, 2)):
        clock[0] += seconds / 3
        trainer.is_last_batch = place == 2
        one.on_train_batch_end(trainer, module, None, {"mask": [0] * size}, place)
    clock[0] += 50  # validation


def test_validation_does_not_count_and_a_resumed_run_goes_on(clock: list[float]) -> None:
    first, resumed = Pace(), Pace()
    assert first.slices_per_second is None
    epoch(first, clock, 2)
    assert first.slices_per_second == 5
    resumed.load_state_dict(first.state_dict())
    epoch(resumed, clock, 3)
    assert resumed.slices_per_second == 4


def test_scoring_does_not_count(clock: list[float]) -> None:
    def score(seconds: float) -> str:
        clock[0] += seconds
        return "scored"

    testing = PaceOfTest()
    clock[0] += 4
    assert testing.spare(score)(30) == "scored"
    with pytest.raises(TypeError):
        testing.spare(score)()
    assert testing.slices_per_second(10) == 2.5
    assert testing.slices_per_second(0) is None
