"""Three stages that overlap: order, faults, times."""

import threading
import time

import pytest

from headtohead.predicting.overlapping import overlap


def test_order_and_results() -> None:
    found = list(overlap(range(9), lambda n: n + 1, lambda n, read: read * 10, lambda n, read, done: (n, read, done)))
    assert [outcome.item for outcome in found] == list(range(9))
    assert [outcome.result for outcome in found] == [(n, n + 1, 10 * (n + 1)) for n in range(9)]
    assert not list(overlap([], int, int, int))


def test_a_fault_in_any_stage_touches_only_its_item() -> None:
    def stage(name: str):  # type: ignore[no-untyped-def]
        def run(item: str, *_: object) -> str:
            if item == name:
                raise ValueError(name)
            return item

        return run

    items = ["read", "fine", "compute", "write", "fine too"]
    found = list(overlap(items, stage("read"), stage("compute"), stage("write")))
    assert [outcome.result for outcome in found] == [None, "fine", None, None, "fine too"]
    assert [str(outcome.fault) if outcome.fault else "" for outcome in found] == ["read", "", "compute", "write", ""]


def test_reading_and_writing_cost_no_time_beside_computing() -> None:
    pause = 0.05
    start = time.perf_counter()
    found = list(
        overlap(
            range(8),
            lambda n: time.sleep(pause),
            lambda n, read: time.sleep(2 * pause),
            lambda n, read, done: time.sleep(pause),
        )
    )
    passed = time.perf_counter() - start
    assert passed < 1.35 * 8 * 2 * pause  # one after the other it would be 2.0
    assert all(outcome.seconds >= 3.9 * pause for outcome in found)


def test_at_most_one_is_read_ahead() -> None:
    read: list[int] = []
    ahead = []

    def compute(item: int, _: None) -> None:
        time.sleep(0.01)
        ahead.append(max(read) - item)

    list(overlap(range(6), read.append, compute, lambda *_: None))
    assert max(ahead) <= 1


def test_left_early_nothing_new_is_begun() -> None:
    read: list[int] = []

    def compute(item: int, _: None) -> None:
        if item == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(overlap(range(20), read.append, compute, lambda *_: None))
    assert max(read) <= 3
    assert not [one for one in threading.enumerate() if one.name.startswith(("reading", "writing"))]
