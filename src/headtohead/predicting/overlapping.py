"""Many files through three stages, where the next is read and the last is written while one is computed."""

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
        seconds: of work on this item, all stages together.
        trace: the traceback of the fault, as Python prints it.
    """

    item: Item
    result: Result | None = None
    fault: Exception | None = None
    seconds: float = 0.0
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

    Reading and writing have one thread each, computing has the caller's. Reading is at most one item ahead; the first
    is read from now on, while the caller gets ready to compute. The last stage is told the seconds that the other two
    took. Left early, for whatever reason, what has begun is finished, and nothing else is begun: no thread is at work
    any more when the block has ended. `leave` is called first, and must end whatever a stage may be waiting for.

    Yields:
        What gives the outcome of each item, in their order, as soon as it is written.
    """
    with ThreadPoolExecutor(1, "reading") as reader, ThreadPoolExecutor(1, "writing") as writer:
        ahead = [reader.submit(_after, Ended(item), read) for item in items[:1]]

        def outcomes() -> Iterator[Ended[Item, Result]]:
            pending: deque[Future[Ended[Item, Result]]] = deque()
            for place in range(len(items)):
                loaded = ahead.pop().result()
                ahead.extend(reader.submit(_after, Ended(item), read) for item in items[place + 1 : place + 2])
                done = _after(loaded, compute, loaded.result)
                # Of what is being written the writer alone keeps hold, so that it is freed with the last file of it.
                pending.append(
                    writer.submit(_after, replace(done, result=None), write, loaded.result, done.result, done.seconds)
                )
                del loaded, done
                while pending and (len(pending) > WAITING or pending[0].done()):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

        try:
            yield outcomes()
        finally:
            leave()
            reader.shutdown(wait=False, cancel_futures=True)
            writer.shutdown(wait=False, cancel_futures=True)


def _after(before: Ended[Any, Any], stage: Callable[..., Any], *arguments: Any) -> Ended[Any, Any]:
    """Go on with a stage, unless an earlier one failed."""
    if before.fault:
        return before
    start = time.perf_counter()
    result = fault = None
    trace = ""
    try:
        result = stage(before.item, *arguments)
    except Exception as caught:
        # A fault is told later; until then the frames of its traceback would keep what the stages worked on.
        fault, trace = caught, "".join(traceback.format_exception(caught))
        link: BaseException | None = caught
        while link is not None:
            link.__traceback__ = None
            link = link.__cause__ or link.__context__
    return Ended(before.item, result, fault, before.seconds + time.perf_counter() - start, trace)
