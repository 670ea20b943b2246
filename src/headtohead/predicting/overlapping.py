"""Many files through three stages, where the next is read and the last is written while one is computed."""

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
Computed = TypeVar("Computed")
Result = TypeVar("Result")

WAITING = 2
"""Computed files that may wait to be written; more would only fill the memory."""


@dataclass(frozen=True)
class Ended(Generic[Item, Result]):
    """What became of one item.

    Attributes:
        item: the item.
        result: what the last stage gave; None where there is a fault.
        fault: what a stage raised; None where all went well.
        seconds: of work on this item, all stages together. Their sum is more than the time that passed.
        trace: the traceback of the fault, as Python prints it.
    """

    item: Item
    result: Result | None
    fault: Exception | None
    seconds: float
    trace: str = ""


@contextmanager
def overlap(
    items: Sequence[Item],
    read: Callable[[Item], Read],
    compute: Callable[[Item, Read], Computed],
    write: Callable[[Item, Read, Computed, float], Result],
    leave: Callable[[], object] = lambda: None,
) -> Iterator[Iterator[Ended[Item, Result]]]:
    """Put items through three stages; a fault in one item does not touch the others.

    The last stage is told the seconds that the other two took.

    Reading and writing have one thread each, computing has the caller's. Reading is at most one item ahead; the first
    is read from now on, while the caller gets ready to compute. Left early, for whatever reason, what has begun is
    finished, and nothing else is begun: no thread is at work any more when the block has ended. `leave` is called
    first, and must end whatever a stage may be waiting for.

    Yields:
        What gives the outcome of each item, in their order, as soon as it is written.
    """
    with ThreadPoolExecutor(1, "reading") as reader, ThreadPoolExecutor(1, "writing") as writer:
        ahead = [reader.submit(_attempt, read, items[0])] if items else []

        def outcomes() -> Iterator[Ended[Item, Result]]:
            pending: deque[tuple[Item, _Try[Any], Future[_Try[Result]] | None]] = deque()
            for place, item in enumerate(items):
                loaded = ahead.pop().result()
                if place + 1 < len(items):
                    ahead.append(reader.submit(_attempt, read, items[place + 1]))
                done = loaded.then(compute, item, loaded.value)
                arguments = write, item, loaded.value, done.value, done.seconds
                future = None if done.fault else writer.submit(_attempt, *arguments)
                # Of what is being written the writer alone keeps hold, so that it is freed with the last file of it.
                pending.append((item, _Try(None, done.fault, done.seconds, done.trace), future))
                del loaded, done, arguments
                while pending and (len(pending) > WAITING or pending[0][2] is None or pending[0][2].done()):
                    yield _outcome(*pending.popleft())
            while pending:
                yield _outcome(*pending.popleft())

        try:
            yield outcomes()
        finally:
            leave()
            reader.shutdown(wait=False, cancel_futures=True)
            writer.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Try(Generic[Result]):
    value: Any
    fault: Exception | None
    seconds: float
    trace: str = ""

    def then(self, function: Callable[..., Any], *arguments: Any) -> "_Try[Any]":
        """Go on with another stage, unless this one failed."""
        if self.fault:
            return self
        after = _attempt(function, *arguments)
        return _Try(after.value, after.fault, self.seconds + after.seconds, after.trace)


def _attempt(function: Callable[..., Any], *arguments: Any) -> _Try[Any]:
    start = time.perf_counter()
    try:
        return _Try(function(*arguments), None, time.perf_counter() - start)
    except Exception as fault:
        # A fault is told later; until then the frames of its traceback would keep what the stages worked on.
        trace = "".join(traceback.format_exception(fault))
        link: BaseException | None = fault
        while link is not None:
            link.__traceback__ = None
            link = link.__cause__ or link.__context__
        return _Try(None, fault, time.perf_counter() - start, trace)


def _outcome(item: Item, done: _Try[Any], future: "Future[_Try[Result]] | None") -> Ended[Item, Result]:
    if future is None:
        return Ended(item, None, done.fault, done.seconds, done.trace)
    written = future.result()
    return Ended(item, written.value, written.fault, done.seconds + written.seconds, written.trace)
