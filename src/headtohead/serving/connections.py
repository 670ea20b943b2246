"""Connections that send nothing, or half a request, are closed, so that they keep nobody else from the page.

uvicorn has no limit on how long a request may take to come; its limit on connections would refuse whoever comes last,
and that is the user. Here the connection that has been silent longest makes room instead.
"""

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from headtohead.serving.guard import Asgi
from headtohead.serving.limits import Limits


class Connection(H11Protocol):
    """One connection. The time of a request's body is limited by the guard, which can still answer.

    Attributes:
        limits: how long and how many.
        heard: when something was last received, on the loop's clock.
    """

    limits = Limits()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request; where there are too many connections, end another."""
        self.heard = self.loop.time()
        self._until_asked: asyncio.TimerHandle | None = None
        self._until_read: asyncio.TimerHandle | None = None
        super().connection_made(transport)  # type: ignore[arg-type]
        self._wait_for_request()
        # Those that are ended already are still listed for a moment.
        others = [one for one in self.connections if isinstance(one, Connection) and not one.transport.is_closing()]
        if len(others) > self.limits.connections:
            silent = [one for one in others if one.waits and one is not self]
            # Aborted, not closed: what it has not read must not keep it open.
            min(silent, key=lambda one: one.heard, default=self).transport.abort()

    @property
    def waits(self) -> bool:
        """Whether the other side is the one to act: it has sent no request, or only part of one."""
        return self._between_requests or self.cycle.more_body

    @property
    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Take some bytes; they prolong nothing."""
        self.heard = self.loop.time()
        super().data_received(data)
        if self._between_requests:
            self._wait_for_request()
        elif self._until_asked is not None:
            self._until_asked.cancel()
            self._until_asked = None

    def on_response_complete(self) -> None:
        """Wait for what is left of a request that has begun already; else uvicorn waits for another."""
        super().on_response_complete()
        if self._between_requests and self.conn.trailing_data[0]:
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clocks."""
        for clock in (self._until_asked, self._until_read):
            if clock is not None:
                clock.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for the other side to read."""
        super().pause_writing()
        self._until_read = self.loop.call_later(self.limits.silence, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        if self._until_read is not None:
            self._until_read.cancel()
        super().resume_writing()

    def _wait_for_request(self) -> None:
        if self._until_asked is None:
            self._until_asked = self.loop.call_later(self.limits.request, self.transport.abort)


def configuration(app: Asgi, limits: Limits, patience: int) -> uvicorn.Config:
    """Settle how the page is served; requests under way have `patience` seconds to end after Ctrl+C."""
    protocol: Any = type("LimitedConnection", (Connection,), {"limits": limits})
    return uvicorn.Config(
        app,
        http=protocol,
        log_level="critical",  # the guard says what goes wrong
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=patience,
    )
