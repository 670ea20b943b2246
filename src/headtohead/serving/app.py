"""`--serve`: choose a model, open a page on this machine, and answer it until Ctrl+C."""

import importlib.util
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.options.table import Options

HERE = "127.0.0.1"
PACKAGES = {"starlette": "starlette", "uvicorn": "uvicorn", "python_multipart": "python-multipart"}
PATIENCE = 2
"""Seconds that requests under way have to end after Ctrl+C."""


def serve(options: Options) -> None:
    """Carry out `--serve`: answer until Ctrl+C. Nothing is written.

    Raises:
        UserError: a package is missing, no model can be opened, or the port is taken.
        SystemExit: SIGTERM came; requests under way were ended as with Ctrl+C.
    """
    refuse_missing_packages()
    with listening(options.serving.port) as (sock, address):
        import uvicorn

        from headtohead.predicting.predictor import open_predictor
        from headtohead.serving.connections import configuration
        from headtohead.serving.limits import Limits
        from headtohead.serving.pages import Pages

        predictor = open_predictor(options)
        predictor.ready()
        for choice in predictor.choices:
            print(as_flags(choice.line))
        with tempfile.TemporaryDirectory(prefix="headtohead-") as scratch:
            pages = Pages(predictor, options.files, Path(scratch), Limits(), options.machine.debug)
            config = configuration(pages.app(), pages.limits, PATIENCE)
            print(f"serving at {address}, stop with Ctrl+C", flush=True)
            with suppress(KeyboardInterrupt):  # uvicorn ends its work, then passes the signal on
                uvicorn.Server(config).run(sockets=[sock])


def refuse_missing_packages() -> None:
    """Refuse to begin where an optional package is missing.

    Raises:
        UserError: names what to install.
    """
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise UserError(
            f"`serve`: needs packages that are not installed; run pip install {' '.join(PACKAGES.values())}"
        )


@contextmanager
def listening(port: int) -> Iterator[tuple[socket.socket, str]]:
    """Listen on this machine alone, for 0 on any port that is free; give the socket and its address.

    Raises:
        UserError: the port is taken or not for ordinary users.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port rests a minute after each use
        try:
            sock.bind((HERE, port))
            sock.listen()
        except PermissionError:
            raise UserError(
                f"`port` {port}: reserved for the system; choose 1024 or higher, or 0 for any free port"
            ) from None
        except OSError:
            raise UserError(f"`port` {port}: already in use; choose another, or 0 for any free port") from None
        yield sock, f"http://{HERE}:{sock.getsockname()[1]}"
