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


def test_the_next_is_read_and_the_last_is_written_while_one_is_computed() -> None:
    reading = [threading.Event() for _ in range(3)]
    computing = [threading.Event() for _ in range(3)]

    def compute(item: int, _: None) -> None:
        computing[item].set()
        if item + 1 < len(reading):
            assert reading[item + 1].wait(60), "the next was not read meanwhile"

    def write(item: int, *_: None) -> None:
        if item + 1 < len(computing):
            assert computing[item + 1].wait(60), "the next was not computed meanwhile"

    found = list(overlap(range(3), lambda item: reading[item].set(), compute, write))
    assert [outcome.fault for outcome in found] == [None] * 3


def test_the_first_is_read_while_the_caller_gets_ready() -> None:
    read = threading.Event()
    outcomes = overlap(range(2), lambda item: read.set(), lambda *_: None, lambda *_: None)
    assert read.wait(60), "nothing is read before the first outcome is asked for"
    assert len(list(outcomes)) == 2


def test_seconds_are_those_of_all_stages() -> None:
    pause = 0.02
    stages = (lambda n: time.sleep(pause), lambda n, read: time.sleep(pause), lambda n, read, done: time.sleep(pause))
    assert all(outcome.seconds >= 2.9 * pause for outcome in overlap(range(2), *stages))


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
