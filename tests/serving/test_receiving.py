"""Which upload gives way to another: by a clock of the test."""

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest

from headtohead.serving.guard import Receive, TooSlow
from headtohead.serving.limits import Limits
from headtohead.serving.receiving import Receiving

RATE = 1000


class Sender:
    """What sends as many bytes as it is told to."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[int] = asyncio.Queue()

    async def __call__(self) -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(await self.sent.get()), "more_body": True}


def three_and_a_fourth(amounts: tuple[int, int, int]) -> list[bool]:
    """Let three uploads of two places and one begin a second apart, sending so much; say which had to give way."""

    async def run() -> list[bool]:
        now = 0.0
        receiving = Receiving(Limits(receiving=3, rate=RATE), lambda: now)
        with ExitStack() as stack:
            receives: list[Receive] = []
            for amount in amounts:
                sender = Sender()
                receive = stack.enter_context(receiving.place(sender))
                sender.sent.put_nowait(amount)
                await receive()
                receives.append(receive)
                now += 1
            waiting = [asyncio.ensure_future(receive()) for receive in receives]
            await asyncio.sleep(0)
            stack.enter_context(receiving.place(Sender()))
            await asyncio.wait(waiting, timeout=0.05)
            gone = [one.done() and isinstance(one.exception(), TooSlow) for one in waiting]
            assert len(receiving.uploads) == 3
            for one in waiting:
                one.cancel()
        assert not receiving.uploads
        return gone

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("amounts", "gone"),
    [
        ((0, 0, 0), [True, False, False]),
        ((9000, 0, 0), [False, True, False]),
        ((2900, 1900, 0), [False, False, True]),
    ],
    ids=["the oldest", "not one that sends", "the furthest behind"],
)
def test_the_one_furthest_behind_gives_way(amounts: tuple[int, int, int], gone: list[bool]) -> None:
    assert three_and_a_fourth(amounts) == gone


def test_one_that_gave_way_stays_away() -> None:
    async def run() -> None:
        receiving = Receiving(Limits(receiving=1))
        with receiving.place(Sender()) as receive, receiving.place(Sender()), pytest.raises(TooSlow):
            await receive()

    asyncio.run(run())
