"""Three stages that overlap: order, faults, times."""

import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from headtohead.predicting.overlapping import Ended, overlap


def outcomes_of(items: Sequence[Any], *stages: Any) -> list[Ended[Any, Any]]:
    with overlap(items, *stages) as outcomes:
        return list(outcomes)


def test_order_and_results() -> None:
    found = outcomes_of(range(9), lambda n: n + 1, lambda n, read: read * 10, lambda n, read, done, _: (n, read, done))
    assert [outcome.item for outcome in found] == list(range(9))
    assert [outcome.result for outcome in found] == [(n, n + 1, 10 * (n + 1)) for n in range(9)]
    assert not outcomes_of([], int, int, int)


def test_a_fault_in_any_stage_touches_only_its_item() -> None:
    def stage(name: str):  # type: ignore[no-untyped-def]
        def run(item: str, *_: object) -> str:
            if item == name:
                raise ValueError(name)
            return item

        return run

    items = ["read", "fine", "compute", "write", "fine too"]
    found = outcomes_of(items, stage("read"), stage("compute"), stage("write"))
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

    found = outcomes_of(range(3), lambda item: reading[item].set(), compute, write)
    assert [outcome.fault for outcome in found] == [None] * 3


def test_the_first_is_read_while_the_caller_gets_ready() -> None:
    read = threading.Event()
    with overlap(range(2), lambda item: read.set(), lambda *_: None, lambda *_: None) as outcomes:
        assert read.wait(60), "nothing is read before the first outcome is asked for"
        assert len(list(outcomes)) == 2


def test_a_caller_that_cannot_get_ready_leaves_no_thread_at_work() -> None:
    """A reader keeps the line that says why from being seen: it sends stderr nowhere while it decodes."""
    began, read = threading.Event(), []

    def slowly(item: int) -> None:
        began.set()
        time.sleep(0.1)
        read.append(item)

    def not_ready() -> None:
        with overlap(range(3), slowly, lambda *_: None, lambda *_: None):
            assert began.wait(60)
            raise ValueError("not ready")

    with pytest.raises(ValueError, match="not ready"):
        not_ready()
    assert read == [0]
    assert not [one for one in threading.enumerate() if one.name.startswith(("reading", "writing"))]


def test_seconds_are_those_of_all_stages() -> None:
    pause = 0.02
    told = []

    def write(item: int, read: None, done: None, seconds: float) -> None:
        told.append(seconds)
        time.sleep(pause)

    found = outcomes_of(range(2), lambda n: time.sleep(pause), lambda n, read: time.sleep(pause), write)
    assert all(outcome.seconds >= 2.9 * pause for outcome in found)
    assert all(1.9 * pause <= seconds < outcome.seconds for seconds, outcome in zip(told, found, strict=True))


def test_at_most_one_is_read_ahead() -> None:
    read: list[int] = []
    ahead = []

    def compute(item: int, _: None) -> None:
        time.sleep(0.01)
        ahead.append(max(read) - item)

    outcomes_of(range(6), read.append, compute, lambda *_: None)
    assert max(ahead) <= 1


def test_left_early_nothing_new_is_begun() -> None:
    read: list[int] = []

    def compute(item: int, _: None) -> None:
        if item == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcomes_of(range(20), read.append, compute, lambda *_: None)
    assert max(read) <= 3
    assert not [one for one in threading.enumerate() if one.name.startswith(("reading", "writing"))]


def test_left_early_what_waits_for_another_is_ended() -> None:
    over = threading.Event()

    def read(item: int) -> None:
        if item == 2:
            assert over.wait(60), "nobody ends it"

    def compute(item: int, _: None) -> None:
        if item == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), overlap(range(9), read, compute, lambda *_: None, over.set) as outcomes:
        list(outcomes)


class Volume:
    """Stands for much memory."""


@pytest.mark.parametrize("fails", ["nothing", "compute", "write"])
def test_what_is_done_with_is_freed_while_the_next_is_still_read(fails: str) -> None:
    volumes: weakref.WeakSet[Volume] = weakref.WeakSet()
    began, freed = threading.Event(), []

    def read(item: int) -> Volume:
        if item == 1:
            began.wait(10)  # before that, nothing is there to be freed
        end = time.monotonic() + 10
        while item == 1 and len(volumes) and time.monotonic() < end:
            time.sleep(0.01)
        freed.append(not len(volumes))
        volume = Volume()
        volumes.add(volume)
        return volume

    def compute(item: int, volume: Volume) -> Volume:
        answer = Volume()
        volumes.add(answer)
        began.set()
        if fails == "compute":
            raise ValueError
        return answer

    def write(item: int, volume: Volume, answer: Volume, seconds: float) -> None:
        if fails == "write":
            raise ValueError

    found = outcomes_of(range(2), read, compute, write)
    assert {type(outcome.fault) for outcome in found} == {type(None) if fails == "nothing" else ValueError}
    assert freed == [True, True]
