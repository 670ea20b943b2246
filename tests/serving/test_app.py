"""`--serve` as a user gives it: its line, its port, its end; what it says where something is missing."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from headtohead import cli
from headtohead.errors import UserError
from headtohead.models.registry import build_model
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.serving import app
from headtohead.trained.facts import ModelFacts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    model = build_model("buda", 5, width=4)
    save_file(model.state_dict(), folder / "weights.safetensors")
    ModelFacts("tiny", "buda", 4, 5, {"image_size": 32, "normalise": "inner", "neighbours": 1}, task=LGG_TASK).write(
        folder
    )
    torch.manual_seed(0)
    return folder


@contextmanager
def served(bundle: Path, folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the program; give it and its address."""
    command = [sys.executable, str(ROOT / "main.py"), "--serve", "--port", "0", "--model_path", str(bundle), *flags]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "model tiny (trained elsewhere; named by --model_path)\n"
            line = process.stdout.readline()
            match = re.fullmatch(r"serving at (http://127\.0\.0\.1:\d+), stop with Ctrl\+C\n", line)
            assert match, line
            yield process, match[1]
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("how", "status", "line"), [(signal.SIGINT, 0, ""), (signal.SIGTERM, 143, f"stopped; {cli.KEPT}\n")]
)
def test_it_serves_until_it_is_stopped_and_leaves_nothing(
    bundle: Path, tmp_path: Path, how: signal.Signals, status: int, line: str
) -> None:
    with served(bundle, tmp_path) as (process, address):
        with urllib.request.urlopen(address) as page:
            assert b"tiny" in page.read() and "server" not in {name.lower() for name in page.headers}
        assert list(tmp_path.iterdir())
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (status, "", line)
    assert list(tmp_path.iterdir()) == []


def test_only_this_machine_is_bound() -> None:
    with app.listening(0) as (sock, address):
        assert sock.getsockname()[0] == "127.0.0.1"
        assert address == f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["--serve", "--port", str(port)]) == 2
    line = f"error: --port {port}: already in use; choose another, or 0 for any free port\n"
    assert capsys.readouterr().err == line


def test_a_port_of_the_system_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(sock: socket.socket, where: tuple[str, int]) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refused)
    with pytest.raises(UserError, match="`port` 80: reserved for the system; choose 1024 or higher"), app.listening(80):
        pass


def test_without_its_packages_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "PACKAGES", {**app.PACKAGES, "no_such_package": "no-such-package"})
    assert cli.main(["--serve", "--port", "0"]) == 2
    said = "pip install starlette uvicorn python-multipart no-such-package"
    assert capsys.readouterr().err == f"error: --serve: needs packages that are not installed; run {said}\n"


def test_importing_the_verb_imports_none_of_them() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); import headtohead.serving.app; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"starlette", "uvicorn", "python_multipart", "torch", "numpy", "jinja2"}
