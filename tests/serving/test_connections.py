"""Half-sent requests, over raw sockets: they are ended in time, and never keep the user from the page."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette import formparsers

from headtohead.serving.guard import TOO_SLOW
from headtohead.serving.limits import Limits
from headtohead.serving.pages import BUSY

POST = (
    b"POST /cases HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b'Content-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="a.nii"\r\n\r\n'
)
WHOLE = b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
LATE = 30  # a test waits no longer than that for what must come


@pytest.fixture
def connect() -> Iterator[Callable[..., socket.socket]]:
    """Give `connect(server, sent)`; the connections are closed at the end."""
    with ExitStack() as opened:

        def begin(server: Any, sent: bytes) -> socket.socket:
            line = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), LATE))
            line.sendall(sent)
            return line

        yield begin


def rest(line: socket.socket) -> bytes:
    """Read until the other side ends the connection."""
    found = b""
    try:
        while piece := line.recv(2**16):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: loc", POST], ids=["nothing", "half a head", "a body"])
def test_200_of_them_leave_the_page_to_others(
    start: Callable[..., Any], connect: Any, volume: Path, sent: bytes
) -> None:
    server = start()
    for _ in range(200):
        connect(server, sent)
    assert server.ask("GET", "/").status == 200
    assert server.drop_paths(volume).status == 200
    assert len(server.uvicorn.server_state.connections) <= Limits().connections


def test_few_uploads_are_received_at_once_and_the_oldest_half_ones_give_way(
    start: Callable[..., Any], connect: Any, volume: Path
) -> None:
    server = start(Limits(receiving=2))
    first = connect(server, POST)
    until = time.monotonic() + LATE
    while not server.pages.receiving.uploads and time.monotonic() < until:
        time.sleep(0.01)
    for _ in range(5):
        connect(server, POST)
    found = rest(first)
    assert found.startswith(b"HTTP/1.1 408") and found.endswith(f"{TOO_SLOW}\n".encode())
    assert len(server.pages.receiving.uploads) <= 2
    assert server.drop_paths(volume).status == 200


def test_a_body_that_comes_in_drops_is_ended(start: Callable[..., Any], connect: Any) -> None:
    """Each comes well before a silence would end it."""
    line = connect(start(Limits(silence=0.5, rate=1000)), POST)
    line.settimeout(0.05)
    found = b""
    until = time.monotonic() + LATE
    while not found and time.monotonic() < until:
        try:
            line.sendall(b"x")
            found = line.recv(2**16)
        except TimeoutError:
            pass
    assert found.startswith(b"HTTP/1.1 408")


def test_half_a_head_is_ended(start: Callable[..., Any], connect: Any) -> None:
    server = start(Limits(request=0.2))
    for sent in (b"", WHOLE[:30]):
        assert rest(connect(server, sent)) == b""


def test_half_a_second_request_is_ended_as_well(start: Callable[..., Any], connect: Any) -> None:
    server = start(Limits(request=0.2))
    found = rest(connect(server, WHOLE + WHOLE[:30]))
    assert found.startswith(b"HTTP/1.1 200") and found.count(b"HTTP/1.1") == 1
    line = connect(server, WHOLE)
    assert line.recv(12) == b"HTTP/1.1 200"
    line.sendall(WHOLE[:30])
    assert b"HTTP/1.1" not in rest(line)


def test_drops_of_a_head_prolong_nothing(start: Callable[..., Any], connect: Any) -> None:
    line = connect(start(Limits(request=0.5)), b"GET / HTTP/1.1\r\n")

    def drip() -> None:
        for number in range(LATE * 10):
            line.sendall(f"X{number}: y\r\n".encode())
            time.sleep(0.1)

    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        drip()


def test_a_request_that_takes_its_time_to_be_answered_is_not_ended(
    start: Callable[..., Any], volume: Path, engine: Any
) -> None:
    server = start(Limits(request=0.1, silence=0.1, body=0.1))
    engine.wait = threading.Event()
    threading.Timer(1, engine.wait.set).start()
    assert server.drop_paths(volume).status == 200


@pytest.mark.parametrize("limits", [{"silence": 0.3}, {"body": 0.3}])
def test_half_a_body_is_told_so_and_leaves_nothing(
    start: Callable[..., Any], connect: Any, volume: Path, limits: dict[str, float]
) -> None:
    server = start(Limits(**limits))
    found = rest(connect(server, POST))
    assert found.startswith(b"HTTP/1.1 408") and found.endswith(f"{TOO_SLOW}\n".encode())
    assert b"connection: close" in found.lower()
    assert server.drop_paths(volume).status == 200
    assert list(server.scratch.iterdir()) == []


def test_busy_is_told_before_anything_of_an_upload_is_kept(
    server: Any, volume: Path, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooled = []
    spool = formparsers.SpooledTemporaryFile

    def noted(*given: Any, **named: Any) -> Any:
        spooled.append(given)
        return spool(*given, **named)

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", noted)
    engine.wait = threading.Event()
    first = threading.Thread(target=server.drop_paths, args=(volume,))
    first.start()
    try:
        assert engine.began.wait(LATE) and len(spooled) == 1
        refused = server.drop(("large.nii", bytes(2**22)))
        assert (refused.status, refused.text) == (503, f"{BUSY}\n")
        assert len(spooled) == 1
    finally:
        engine.wait.set()
        first.join()
    assert server.drop_paths(volume).status == 200 and len(spooled) == 2


def test_an_answer_that_nobody_reads_is_given_up(start: Callable[..., Any], connect: Any) -> None:
    server = start(Limits(silence=0.3))
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        line.connect(("127.0.0.1", server.port))
        line.sendall(WHOLE.replace(b"style.css", b"script.js") * 400)
        until = time.monotonic() + LATE
        while not (connections := list(server.uvicorn.server_state.connections)) and time.monotonic() < until:
            time.sleep(0.01)
        while server.uvicorn.server_state.connections and time.monotonic() < until:
            time.sleep(0.05)
        assert connections and not server.uvicorn.server_state.connections
