"""Nothing leaves this machine: every verb runs in a network where each question to anybody else would be seen.

A package that reports does it from native code, some seconds after its import, and leaves an id behind it; so packets
are read, the page stays open for a while, and home and temporary folder must stay empty.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from headtohead import cli
from headtohead.serving.guard import HEADERS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LATE = 16
"""Seconds after which ONNX Runtime had asked twice, while its telemetry was on (after 9 and 14)."""

INTENDED = {"download"}
"""Verbs that are there to ask the network."""

QUESTIONS = """
import socket
for family, address in ((socket.AF_INET, ("192.0.2.1", 443)), (socket.AF_INET6, ("2001:db8::1", 443))):
    with socket.socket(family) as asking:
        asking.connect_ex(address)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.sendto(b"hello", ("192.0.2.2", 999))
with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_connection(ours.getsockname()):
    pass
try:
    socket.getaddrinfo("tells.invalid", 80)
except OSError:
    pass
"""


@dataclass(frozen=True)
class Seen:
    """What a run of all verbs did: `refused` is why packets could not be read, `left` the files in home and /tmp."""

    refused: str
    asked: list[str]
    left: list[str]
    verbs: set[str]
    printed: str
    kagglehub: bool


def watch(folder: Path, words: list[str]) -> dict[str, object]:
    """Run a Python program in a network of its own, without any setting of the one who tests."""
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir()
    notes = folder / "packets.json"
    settings = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "MPLCONFIGDIR": str(folder)}
    settings |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "CUDA_VISIBLE_DEVICES": ""}
    settings |= {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    alone = [sys.executable, str(HERE / "alone.py"), str(notes)]
    program = [sys.executable, *words]

    def run(command: list[str]) -> None:
        place = folder / "work"
        done = subprocess.run(command, cwd=place, env=settings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]

    run([*alone, *program])
    found: dict[str, object] = json.loads(notes.read_text())
    if "refused" in found:
        run(program)
    return found


def run_verbs(folder: Path, *words: str) -> Seen:
    """Run all verbs; give what was seen."""
    notes = folder / "verbs.json"
    packets = watch(folder, [str(HERE / "every_verb.py"), str(notes), *words])
    own = json.loads(notes.read_text())
    left = [str(path.relative_to(folder)) for name in ("home", "tmp") for path in (folder / name).rglob("*")]
    return Seen(
        refused=str(packets.get("refused", "")),
        asked=[*packets.get("asked", []), *own["asked"]],  # type: ignore[misc]
        left=[path for path in left if (folder / path).is_file()],
        verbs=set(own["verbs"]),
        printed=own["printed"],
        kagglehub=own["kagglehub"],
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Run all verbs once."""
    return run_verbs(tmp_path_factory.mktemp("verbs"), "0")


def hold(seen: Seen) -> None:
    """Hold that nobody was asked and no id was left; skip, with the reason, where only a part of that can be seen."""
    assert seen.asked == []
    assert seen.left == []
    if seen.refused:
        pytest.skip(
            f"this system allows no network of one's own ({seen.refused}): Python asked nobody and no id was left, but "
            "packets of native code could not be read"
        )


@pytest.mark.exhaustive
def test_no_verb_asks_anybody(seen: Seen) -> None:
    hold(seen)


@pytest.mark.exhaustive
def test_no_model_asks_anybody_and_neither_does_a_page_that_stays_open(tmp_path: Path) -> None:
    hold(run_verbs(tmp_path, str(LATE), "all"))


@pytest.mark.exhaustive
def test_every_verb_was_run(seen: Seen) -> None:
    assert seen.verbs == set(cli.VERBS) - INTENDED
    assert not seen.kagglehub


def test_the_readme_names_what_does_ask() -> None:
    page = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "Nothing leaves this machine: no telemetry, no update checks. Only `--download` and" in page
    assert {"download"} == INTENDED


@pytest.mark.exhaustive
def test_nothing_is_advertised(seen: Seen) -> None:
    addresses = re.findall(r"\w+://[^\s/:]+", seen.printed)
    assert set(addresses) == {"http://127.0.0.1"}
    assert not re.search(r"litlogger|litmodels|lightning|new version|telemetry", seen.printed, re.IGNORECASE)


def test_whoever_asks_is_seen(tmp_path: Path) -> None:
    found = watch(tmp_path, ["-c", QUESTIONS])
    if "refused" in found:
        pytest.skip(f"this system allows no network of one's own: {found['refused']}")
    asked = set(found["asked"])  # type: ignore[call-overload]
    assert asked - {"2001:db8::1 port 443"} == {"192.0.2.1 port 443", "192.0.2.2 port 999", "look-up of tells.invalid"}


@pytest.mark.parametrize("folder", ["serving", "reporting/page"])
def test_pages_name_no_place_to_load_from(folder: str) -> None:
    parts = [path for path in (ROOT / "src/headtohead" / folder).iterdir() if path.suffix in (".j2", ".css", ".js")]
    assert {path.suffix for path in parts} == {".j2", ".css", ".js"}
    for part in parts:
        text = re.sub(r"/\*.*?\*/", "", part.read_text(encoding="utf-8"), flags=re.DOTALL)
        loads = r"(?:(?:src|href|action)=|url\(|@import|fetch\(|import\(|open\()\s*[\"'`]?\s*(?:\w+:)?//"
        assert not re.search(loads, text), part
        assert not re.search(r"@import|WebSocket|EventSource|sendBeacon|XMLHttpRequest|importScripts", text), part


def test_the_browser_is_told_to_load_from_here_alone() -> None:
    rules = [rule.split() for rule in HEADERS["Content-Security-Policy"].split(";")]
    assert {rule[0]: rule[1:] for rule in rules}["default-src"] == ["'self'"]
    assert {source for rule in rules for source in rule[1:]} <= {"'self'", "'none'", "data:"}
