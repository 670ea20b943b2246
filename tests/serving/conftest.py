"""The page served for real, by a model that calls bright voxels lesion: quick, and its masks are known beforehand."""

import http.client
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from headtohead.options.files import FileOptions
from headtohead.predicting.cleaning.postprocessing import NO_CLEAN_UP
from headtohead.predicting.predictor import Predictor
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.serving.limits import Limits
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import Source
from tests.serving.browsing import Heard

pytest.importorskip("starlette", reason="Starlette is not installed: pip install starlette uvicorn python-multipart")

BOUNDARY = "between-the-files"
SHAPE = (24, 20, 6)
AFFINE = np.array([[0, -1.0, 0, 30], [2.0, 0, 0, -20], [0, 0, 4.0, 7], [0, 0, 0, 1]])


class Bright:
    """An engine: the brighter FLAIR, the more probable. Half of white is even."""

    name = "brightness on cpu"

    def __init__(self) -> None:
        self.wait: threading.Event | None = None
        self.began = threading.Event()

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.began.set()
        if self.wait is not None:
            assert self.wait.wait(20)
        return (1 / (1 + np.exp(-12 * (batch[:, 1:2] - 0.5)))).astype(np.float32)


@pytest.fixture
def engine() -> Bright:
    """Give the engine, which can be held up."""
    return Bright()


@pytest.fixture
def predictor(engine: Bright) -> Predictor:
    """Give a predictor around it."""
    facts = ModelFacts(
        "tiny",
        "buda",
        4,
        5,
        {"image_size": 64, "normalise": "unit", "neighbours": 1},
        scores={"val_dice": 0.8, "mean": 0.784, "low": 0.751, "high": 0.809, "n": 22},
        task=LGG_TASK,
    )
    return Predictor((Choice(Source(facts), "the only one"),), (engine,), 0.5, NO_CLEAN_UP)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A page that is being served."""

    port: int
    scratch: Path
    pages: Any
    uvicorn: Any

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def drop(self, *files: tuple[str, bytes], headers: Mapping[str, str] | None = None) -> Answer:
        """Upload files by name and content."""
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.ask("POST", "/cases", multipart(*files), {**kind, **(headers or {})})

    def drop_paths(self, *paths: Path) -> Answer:
        return self.drop(*((path.name, path.read_bytes()) for path in paths))


def multipart(*files: tuple[str, bytes]) -> bytes:
    """Write files as a browser sends them."""
    parts = b""
    for name, content in files:
        quoted = name.replace("\\", "\\\\").replace('"', "%22").encode("utf-8", "surrogatepass")
        parts += (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="'.encode()
            + quoted
            + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
            + content
            + b"\r\n"
        )
    return parts + f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def start(tmp_path: Path, predictor: Predictor) -> Iterator[Callable[..., Server]]:
    """Give `start(**limits)`: serve the page on a free port, in a thread."""
    import uvicorn

    from headtohead.serving.app import listening
    from headtohead.serving.connections import configuration
    from headtohead.serving.pages import Pages

    running = []

    def begin(limits: Limits | None = None, model: Predictor = predictor) -> Server:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        context = listening(0)
        sock, address = context.__enter__()
        pages = Pages(model, FileOptions(), scratch, limits or Limits())
        server = uvicorn.Server(configuration(pages.app(), pages.limits, patience=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        running.append((server, thread, context))
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        return Server(int(address.rsplit(":", 1)[1]), scratch, pages, server)

    yield begin
    for server, thread, context in running:
        server.should_exit = True
        thread.join(20)
        context.__exit__(None, None, None)


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    """Serve the page with the usual limits."""
    return start()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Write a FLAIR volume whose axes run P, L, S, with a bright box in it."""
    rng = np.random.default_rng(0)
    values = rng.integers(80, 120, SHAPE).astype(np.int16)
    values[truth_of_volume()] = 900
    path = tmp_path / "case7_flair.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values, AFFINE), path)
    return path


@pytest.fixture
def volume_mask(tmp_path: Path) -> Path:
    """Write its truth under a name of its own."""
    path = tmp_path / "drawn by hand_mask.nii"
    nibabel.save(nibabel.Nifti1Image(truth_of_volume().astype(np.uint8), AFFINE), path)
    return path


def truth_of_volume() -> np.ndarray:
    """Say where the box is: bool on the volume's grid."""
    inside = np.zeros(SHAPE, bool)
    inside[6:14, 5:12, 2:5] = True
    return inside


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium; where it or Playwright is missing, what needs it is skipped."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def heard() -> Heard:
    """Give the list of what it complained of."""
    return Heard()


@pytest.fixture
def open_page(browser: Any, server: Any, heard: Heard) -> Iterator[Callable[..., Any]]:
    """Open the page; at the end no complaint and no request to anybody else may have been heard."""
    pages = []

    def open_it(width: int = 1280, height: int = 900, **settings: Any) -> Any:
        page = browser.new_page(viewport={"width": width, "height": height}, **settings)
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda asked: heard.append(asked.url) if not ours(asked.url) else None)
        page.goto(server.address)
        pages.append(page)
        return page

    def ours(url: str) -> bool:
        return url.startswith((f"{server.address}/", "data:", f"blob:{server.address}/"))

    yield open_it
    for page in pages:
        page.close()
    assert heard == []
