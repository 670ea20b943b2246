"""Uploads on their way: a few at once, so that half a one keeps nobody waiting, and no more than the disk can hold.

Where another one comes, the one that is furthest behind the least rate gives way.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headtohead.serving.guard import Message, Receive, TooSlow
from headtohead.serving.limits import Limits


class Upload:
    """One that is being received."""

    def __init__(self, receive: Receive, clock: Callable[[], float]) -> None:
        """Begin to receive; the clock gives seconds."""
        self._receive, self._clock = receive, clock
        self._began, self._bytes = clock(), 0
        self._given_up = False
        self._pending: asyncio.Future[Message] | None = None

    async def receive(self) -> Message:
        """Receive a part.

        Raises:
            TooSlow: another upload has taken the place.
        """
        if self._given_up:
            raise TooSlow
        self._pending = asyncio.ensure_future(self._receive())
        try:
            message = await self._pending
        except asyncio.CancelledError:
            if self._given_up:
                raise TooSlow from None
            self._pending.cancel()
            raise
        self._bytes += len(message.get("body", b""))
        return message

    def behind(self, rate: float) -> float:
        """Give the seconds that it is behind a rate in bytes a second; below 0 where it is faster."""
        return self._clock() - self._began - self._bytes / rate

    def give_up(self) -> None:
        """Let `receive` fail, now if it waits."""
        self._given_up = True
        if self._pending is not None:
            self._pending.cancel()


class Receiving:
    """The places for uploads that are being received. For one event loop.

    Attributes:
        uploads: those that have one.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self.clock = limits, clock
        self.uploads: list[Upload] = []

    @contextmanager
    def place(self, receive: Receive) -> Iterator[Receive]:
        """Take a place, and give what the upload is received with; another upload may lose its own by that."""
        if len(self.uploads) >= self.limits.receiving:
            slowest = max(self.uploads, key=lambda one: one.behind(self.limits.rate))
            self.uploads.remove(slowest)
            slowest.give_up()
        upload = Upload(receive, self.clock)
        self.uploads.append(upload)
        try:
            yield upload.receive
        finally:
            if upload in self.uploads:
                self.uploads.remove(upload)
