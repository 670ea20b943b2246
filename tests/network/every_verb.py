"""Run all verbs but --download, one after another in one process and one folder.

`python every_verb.py NOTES SECONDS [all]`: the page of --serve stays open for SECONDS; `all` trains every model. NOTES
is JSON: the verbs that ran, what was printed, and whom Python itself asked for. `alone.py` sees native code, too.
"""

import contextlib
import http.client
import io
import ipaddress
import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

PATIENTS = 10
CASE = "phantoms/TCGA_CS_9003_19001216"
ON_CPU = "--gpus cpu"
INPUT = f"{ON_CPU} --root_dir phantoms --num_workers 0 --image_size 32"
LEARN = f"{INPUT} --width 4 --num_epochs 1 --empty_slices 0.1"
ONE = f"{LEARN} --comparison tiny --model unet"
MINE = "--comparison tiny --run_name unet-none-s0-f0"
BEFORE_THE_PAGE = (
    "--make_phantoms phantoms",
    "--view_aug --root_dir phantoms --image_size 32 --output sheets",
    f"--train {ONE}",
    f"--test {ONE}",
    f"--tune_postprocessing {ONE}",
    f"--compare {LEARN} --comparison tiny --models unet --schedules none",
    "--report --comparison tiny --case_gifs none",
    "--explore --root_dir phantoms --output figures",
    *(f"--export {kind} {MINE} --output exported" for kind in ("bundle", "onnx", "safetensors", "torchscript")),
    *(f"--image_path {CASE}/{Path(CASE).name}_3.tif --engine {engine} {ON_CPU} --output images-{engine}"
      for engine in ("torch", "onnx", "openvino")),
    f"--predict {CASE} {MINE} {ON_CPU} --output masks --preview",
    f"--predict phantoms {MINE} {ON_CPU} --output masks-of-all",
    "--score --truth phantoms --masks ours=masks-of-all --comparison given --case_gifs none",
)  # fmt: skip
OTHER_MODELS = f"--compare {LEARN} --comparison others --models resnext,buda,fetal_unet --schedules cosine"
BOUNDARY = "between-the-files"
LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

asked: list[str] = []


def note_asking(event: str, arguments: tuple[Any, ...]) -> None:
    """Note whom Python is about to ask for: an audit hook."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[-1]
        if isinstance(address, tuple) and not is_here(address[0]):
            asked.append(f"{address[0]} port {address[1]}")
    elif event in LOOK_UPS and not is_here(arguments[0]):
        asked.append(f"look-up of {arguments[0]}")


def is_here(host: str | bytes | None) -> bool:
    """Say whether a host is this machine by its address alone, or none is named."""
    name = host.decode() if isinstance(host, bytes) else host
    with contextlib.suppress(ValueError):
        return name is None or name in ("", "localhost") or ipaddress.ip_address(name).is_loopback
    return False


def visit(port: int, seconds: float, failures: list[str]) -> None:
    """Open the page with all its parts, drop an image on it, wait, and press Ctrl+C."""
    try:
        for part in ("/", "/style.css", "/script.js"):
            assert ask(port, "GET", part)[0] == 200, part
        image = (Path(CASE) / f"{Path(CASE).name}_3.tif").read_bytes()
        head = 'Content-Disposition: form-data; name="files"; filename="slice.tif"'
        body = f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + image + f"\r\n--{BOUNDARY}--\r\n".encode()
        status, answer = ask(port, "POST", "/cases", body)
        assert status == 200, answer
        time.sleep(seconds)
    except Exception as fault:
        failures.append(f"{type(fault).__name__}: {fault}")
    finally:
        os.kill(os.getpid(), signal.SIGINT)


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask the page, which may still be opening: its socket listens, or will in a moment."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for _ in range(600):
        try:
            connection.connect()
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    connection.request(method, path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def main(notes: Path, seconds: float, every_model: bool) -> None:
    """Run them, and write down what was seen.

    Raises:
        AssertionError: a command fails, which would prove nothing.
    """
    from headtohead import cli
    from headtohead.cohort.phantom import writing

    drawn = writing.plan_cases
    writing.plan_cases = lambda parameters: drawn(parameters)[:PATIENTS]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failures: list[str] = []
    verbs, printed = [], io.StringIO()
    for command in (*BEFORE_THE_PAGE, *([OTHER_MODELS] * every_model), f"--serve --port {port} {MINE} {ON_CPU}"):
        words = shlex.split(command)
        if words[0] == "--serve":
            visitor = threading.Thread(target=visit, args=(port, seconds, failures))
            visitor.start()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = cli.main(words)
        assert status == 0, f"{command}\n{printed.getvalue()[-3000:]}"
        verbs.append(words[0].removeprefix("--"))
    visitor.join()
    assert not failures, failures
    found = {"verbs": verbs, "printed": printed.getvalue(), "asked": asked, "kagglehub": "kagglehub" in sys.modules}
    notes.write_text(json.dumps(found))


if __name__ == "__main__":
    sys.addaudithook(note_asking)
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] == ["all"])
