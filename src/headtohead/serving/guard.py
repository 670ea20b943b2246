"""Who may ask, and how much may be sent: checked before every page.

A page that is bound to this machine can still be asked by every web site its user visits: by forms and scripts
(cross-site requests), and under a name of the site's own that leads here (DNS rebinding). So the name that was asked
for must be this machine's, and whatever changes something must come from our own page.
"""

import asyncio
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from headtohead.errors import one_line
from headtohead.serving.limits import MIB, Limits

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

OURS = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?")
SAFE = ("GET", "HEAD")

STOPPED = "the program was stopped"
TOO_SLOW = "the upload did not come in time; drop the files again, or use the command line instead: --predict"

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class TooLarge(Exception):
    """More was sent than the page takes."""


class TooSlow(Exception):
    """The rest of a request did not come in time."""


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: Asgi, limits: Limits, debug: bool = False) -> None:
        self.app, self.limits, self.debug = app, limits, debug

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it in one line."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        refusal = refuse(scope, self.limits)
        if refusal:
            await send_line(guarded_send, *refusal)
            return
        try:
            await self.app(scope, counted(receive, self.limits), guarded_send)
        except TooLarge:
            if not started:
                await send_line(guarded_send, 413, too_large(self.limits))
        except TooSlow:
            if not started:
                await send_line(guarded_send, 408, TOO_SLOW)
        except asyncio.CancelledError:  # Ctrl+C, and what was under way took too long
            if not started:
                await send_line(guarded_send, 503, STOPPED)
        except Exception as fault:
            # What went wrong is told where the program runs, not to the page.
            print(one_line(f"internal error: {type(fault).__name__}: {fault}"), file=sys.stderr, flush=True)
            if self.debug:
                traceback.print_exception(fault)
            if not started:
                await send_line(guarded_send, 500, "internal error; the terminal has the details")


def refuse(scope: Message, limits: Limits) -> tuple[int, str] | None:
    """Say, by the headers alone, with which status and line a request is refused; None where it may be answered."""
    hosts, origins, sites, lengths = (
        [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
        for wanted in (b"host", b"origin", b"sec-fetch-site", b"content-length")
    )
    if len(hosts) != 1 or not OURS.fullmatch(hosts[0].lower()):
        return 421, "wrong host name; open the address printed in the terminal"
    if scope["method"] not in SAFE and (
        any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins)
        or any(site not in ("same-origin", "none") for site in sites)
    ):
        return 403, "requests from other pages are refused; open the address printed in the terminal"
    if any(not length.isdecimal() or int(length) > limits.upload for length in lengths):
        return 413, too_large(limits)
    return None


def too_large(limits: Limits) -> str:
    """Refuse an upload for its size."""
    return f"more than {limits.upload // MIB} MiB, the limit of this page; use the command line instead: --predict"


def counted(receive: Receive, limits: Limits) -> Receive:
    """Count what is received, since a length need not be told beforehand, and how long it takes.

    Raises:
        TooLarge: as soon as it is too much.
        TooSlow: as soon as it takes too long.
    """
    total, whole, begin = 0, False, time.monotonic()

    async def counting() -> Message:
        nonlocal total, whole
        if whole:  # what comes now is that nobody listens any longer, and may take its time
            return await receive()
        # As Apache's mod_reqtimeout does: a sender of drops is not waited for because each of them comes in time.
        end = begin + min(limits.silence + total / limits.rate, limits.body)
        try:
            message = await asyncio.wait_for(receive(), min(limits.silence, end - time.monotonic()))
        except TimeoutError:
            raise TooSlow from None
        whole = not message.get("more_body", False)
        total += len(message.get("body", b""))
        if total > limits.upload:
            raise TooLarge
        return message

    return counting


async def send_line(send: Send, status: int, line: str) -> None:
    """Answer with a line of text."""
    body = f"{line}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status in (403, 408, 413, 421):  # what else was sent is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
