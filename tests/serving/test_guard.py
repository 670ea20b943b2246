"""Who is answered: only this machine's own page, and only what it can take."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtohead.serving.guard import HEADERS, Guard, TooSlow, counted
from headtohead.serving.limits import Limits

STRANGER = "wrong host name; open the address printed in the terminal\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:{port}", "127.0.0.1:9000"])
def test_its_own_names_are_answered(server: Any, host: str) -> None:
    assert server.ask("GET", "/", headers={"Host": host.format(port=server.port)}).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.", "127.0.0.1:x", "[::1]", ""]
)
def test_other_names_are_refused(server: Any, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/script.js"), ("POST", "/cases")):
        refused = server.ask(method, path, headers={"Host": host.format(port=server.port)})
        assert (refused.status, refused.text) == (421, STRANGER)


def test_two_hosts_are_refused(server: Any) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert line.recv(64).split()[1] in (b"400", b"421")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_uploads_of_other_pages_are_refused(server: Any, volume: Path, headers: dict[str, str], engine: Any) -> None:
    headers = {name: value.format(port=server.port) for name, value in headers.items()}
    refused = server.drop((volume.name, volume.read_bytes()), headers=headers)
    assert (refused.status, refused.text) == (
        403,
        "requests from other pages are refused; open the address printed in the terminal\n",
    )
    assert not engine.began.is_set()
    assert server.ask("DELETE", "/cases/x", headers=headers).status == 403


def test_uploads_of_its_own_page_are_taken(server: Any, volume: Path) -> None:
    headers = {"Origin": server.address, "Sec-Fetch-Site": "same-origin"}
    assert server.drop((volume.name, volume.read_bytes()), headers=headers).status == 200


def test_every_answer_has_the_headers(server: Any) -> None:
    for answer in (
        server.ask("GET", "/"),
        server.ask("GET", "/nothing"),
        server.ask("PUT", "/cases"),
        server.ask("GET", "/", headers={"Host": "x"}),
        server.drop(),
    ):
        assert {name.lower() for name in HEADERS} <= answer.headers.keys()
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert not {"set-cookie", "server", "access-control-allow-origin"} & answer.headers.keys()
        assert "Traceback" not in answer.text


def test_too_much_is_refused_by_its_length_before_it_is_read(start: Callable[..., Any]) -> None:
    server = start(Limits(upload=2**20))
    refused = server.ask("POST", "/cases", b"x", {"Content-Length": str(2**20 + 1)})
    line = "more than 1 MiB, the limit of this page; use the command line instead: --predict\n"
    assert (refused.status, refused.text) == (413, line)
    assert refused.headers["connection"] == "close"


def test_too_much_is_refused_while_it_comes(start: Callable[..., Any], engine: Any) -> None:
    server = start(Limits(upload=2**20))
    pieces = 0

    def endless() -> Any:
        nonlocal pieces
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.nii"\r\n\r\n'
        while pieces < 1000:
            pieces += 1
            yield b"0" * 2**16

    try:
        refused = server.ask("POST", "/cases", endless(), {"Content-Type": "multipart/form-data; boundary=b"})
        assert refused.status == 413 and refused.text.startswith("more than 1 MiB")
    except (BrokenPipeError, ConnectionResetError):
        pass  # it did not listen any longer
    assert pieces < 1000
    assert list(server.scratch.iterdir()) == [] and not engine.began.is_set()
    assert server.ask("GET", "/").status == 200


def test_a_body_that_only_drips_is_given_up() -> None:
    """Each drop comes long before the silence is too long; all of them together do not."""
    drops = 0

    async def drip() -> dict[str, Any]:
        nonlocal drops
        drops += 1
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": drops < 1000}

    async def read() -> None:
        receive = counted(drip, Limits(body=0.1))
        while (await receive())["more_body"]:
            pass

    with pytest.raises(TooSlow):
        asyncio.run(read())


def test_a_fault_is_told_in_full_where_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(*arguments: Any) -> None:
        raise RuntimeError("a secret detail, \x1b[31mred")

    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(fail, Limits(), debug=True)(scope, fail, send))
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.startswith(r"internal error: RuntimeError: a secret detail, \x1b[31mred")
    assert sent[0]["status"] == 500 and b"secret" not in sent[1]["body"]


def test_a_sender_that_hangs_up_leaves_nothing(server: Any, volume: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.sendall(
            b"POST /cases HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b'Content-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; name="files"; filename="a.nii"\r\n\r\n'
        )
    assert server.drop_paths(volume).status == 200
    assert list(server.scratch.iterdir()) == [] and capfd.readouterr().err == ""
