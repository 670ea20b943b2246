"""The pages and what they ask for: one upload at a time, and afterwards slices, masks and the file to download."""

import asyncio
import json
import math
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from headtohead.errors import UserError
from headtohead.options.files import FileOptions
from headtohead.options.flags import as_flags
from headtohead.predicting.predictor import Predictor
from headtohead.quiet import quiet_loggers
from headtohead.readers.file_names import INPUTS
from headtohead.serving.answering import Finding, answer
from headtohead.serving.guard import Guard
from headtohead.serving.introducing import introduce
from headtohead.serving.keeping import Kept
from headtohead.serving.limits import Limits
from headtohead.serving.receiving import Receiving
from headtohead.serving.stopping import stoppable
from headtohead.serving.uploads import store

GONE = "this result has expired; drop the file again"
MOMENT = 0.5  # seconds that an upload which was just given up has to let go
BUSY = "busy with another image; try again in a moment"


def read_asset(name: str) -> str:
    """Read a file of this package."""
    return files("headtohead.serving").joinpath(name).read_text(encoding="utf-8")


class Pages:
    """The answers to each address.

    Attributes:
        predictor: the models.
        options: of which --channels and --plane count.
        limits: how much is taken and kept.
        scratch: a folder for uploads, each below it for as long as it is worked on.
        stop: set when the case under way is to be given up.
        busy: held while a case is predicted.
        receiving: the uploads on their way.
        kept: the results.
    """

    def __init__(
        self, predictor: Predictor, options: FileOptions, scratch: Path, limits: Limits, debug: bool = False
    ) -> None:
        self.stop = threading.Event()
        self.predictor = stoppable(predictor, self.stop)
        self.options, self.limits, self.scratch, self.debug = options, limits, scratch, debug
        self.busy = threading.Lock()
        self.receiving = Receiving(limits)
        self.kept = Kept(limits)

    def app(self) -> Guard:
        """Give the ASGI application."""
        routes = [
            Route("/", self.page),
            Route("/style.css", self.asset),
            Route("/script.js", self.asset),
            Route("/cases", self.predict, methods=["POST"]),
            Route("/cases/{name}", self.forget, methods=["DELETE"]),
            Route("/cases/{name}/pictures/{sequence}", self.picture),
            Route("/cases/{name}/probability", self.probability),
            Route("/cases/{name}/truth", self.truth),
            Route("/cases/{name}/mask", self.mask),
            Route("/cases/{name}/file", self.file),
        ]
        handlers: dict[Any, Any] = {
            HTTPException: _refused,
            UserError: _mistaken,
            MultiPartException: _mistaken,
            ClientDisconnect: _mistaken,  # nobody hears it
        }
        # Not within a whole Starlette, which would answer to faults of ours before the guard does.
        return Guard(ExceptionMiddleware(Router(routes), handlers), self.limits, self.debug)

    async def page(self, request: Request) -> Response:
        """The page itself."""
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        text = environment.from_string(read_asset("page.html.j2")).render(
            model=introduce(self.predictor), limits=self.limits, endings=",".join((*INPUTS, ".gz"))
        )
        return Response(text, media_type="text/html")

    async def asset(self, request: Request) -> Response:
        """Style and script."""
        kind = "text/css" if request.url.path.endswith("css") else "text/javascript"
        return Response(read_asset(request.url.path.lstrip("/")), media_type=kind)

    async def predict(self, request: Request) -> Response:
        """Take an upload, predict it, forget it. While one is predicted, others are refused before any is kept."""
        if not await in_a_moment(lambda: not self.busy.locked()):
            async for _ in request.stream():  # a browser that still sends does not hear the answer
                pass
            return self._busy()
        async with AsyncExitStack() as opened:
            with self.receiving.place(request.receive) as receive, quiet_loggers("python_multipart.multipart"):
                received = Request(request.scope, receive).form(max_files=self.limits.files, max_fields=0)
                form = await opened.enter_async_context(received)
            # Only one that is whole takes the place for predictions: half a one would keep all others from it.
            if not await in_a_moment(lambda: self.busy.acquire(blocking=False)):
                return self._busy()
            try:
                uploads = [(one.filename or "", one.file) for one in form.getlist("files") if not isinstance(one, str)]
                name, finding = await run_in_threadpool(self._answer, uploads)
            except asyncio.CancelledError:  # the program is to end
                self.stop.set()
                raise
            finally:
                self.busy.release()
        return JSONResponse(await run_in_threadpool(finding_facts, name, finding))

    def _busy(self) -> Response:
        return PlainTextResponse(BUSY + "\n", 503, {"Retry-After": "2"})

    def _answer(self, uploads: list[tuple[str, Any]]) -> tuple[str, Finding]:
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            finding = answer(store(uploads, Path(folder)), self.predictor, self.options, self.limits)
        return self.kept.add(finding), finding

    async def forget(self, request: Request) -> Response:
        """Drop a result."""
        self.kept.drop(request.path_params["name"])
        return Response(status_code=204)

    async def picture(self, request: Request) -> Response:
        """Grey slices of a sequence: uint8."""
        sequence = request.path_params["sequence"]
        pictures = self._finding(request).pictures
        if sequence not in pictures:
            raise HTTPException(404, "no such sequence")
        return _bytes(pictures[sequence].tobytes())

    async def probability(self, request: Request) -> Response:
        """Probability of all slices, target by target: uint8."""
        return _bytes(probability_bytes(self._finding(request).probability))

    async def truth(self, request: Request) -> Response:
        """The truth of all slices, target by target: a bit a voxel."""
        truth = self._finding(request).truth
        if truth is None:
            raise HTTPException(404, "no truth was given")
        return _bytes(bits(truth))

    async def mask(self, request: Request) -> Response:
        """The cleaned mask of each target at a threshold, a bit a voxel; their measures in a header."""
        finding, threshold = self._finding(request), self._threshold(request)
        masks = await run_in_threadpool(finding.masks, threshold)
        measures = await run_in_threadpool(finding.measures, masks)
        return _bytes(bits(masks), {"Measures": json.dumps(measures)})

    async def file(self, request: Request) -> Response:
        """The mask as a file of the source's kind."""
        finding, threshold = self._finding(request), self._threshold(request)
        name, content = await run_in_threadpool(finding.file, threshold, self.scratch)
        return _bytes(content, {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"})

    def _finding(self, request: Request) -> Finding:
        finding = self.kept.get(request.path_params["name"])
        if finding is None:
            raise HTTPException(404, GONE)
        return finding

    def _threshold(self, request: Request) -> float:
        """Read the threshold that is asked for; the model's own where none is."""
        text = request.query_params.get("threshold", "")
        if not text:
            return self._finding(request).found.threshold
        try:
            threshold = float(text)
        except ValueError:
            threshold = 0.0
        if not 0 < threshold <= 1:
            raise HTTPException(400, "a threshold is a number above 0 and up to 1")
        return threshold


async def in_a_moment(done: Callable[[], bool]) -> bool:
    """Say whether something can be done, if not at once then soon."""
    until = time.monotonic() + MOMENT
    while not done():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.02)
    return True


def finding_facts(name: str, finding: Finding) -> dict[str, Any]:
    """Say what the page must know of a result before it asks for pixels; spacing is by slices, rows and columns."""
    found = finding.found
    slices, height, width = found.view.to_slices(found.labels).shape
    _, row, column = found.spacing or (1.0, 1.0, 1.0)
    several = len(found.targets) > 1
    return {
        "address": f"cases/{name}",
        "name": finding.name,
        "slices": slices,
        "height": height,
        "width": width,
        "pixel": [row, column],
        "millilitres": None if found.spacing is None else math.prod(found.spacing) / 1000,
        "spacing": found.spacing,
        "targets": [{"name": one.name, "colour": one.colour if several else None} for one in found.targets.all],
        "thresholded": found.targets.thresholded,
        "sides": finding.sides,
        "sequences": list(finding.pictures),
        "truth": found.truth is not None,
        "threshold": found.threshold,
        "steps": str(found.clean_up).replace(",", ", "),
        "warnings": list(finding.warnings),
        "seconds": finding.seconds,
    }


def probability_bytes(probability: np.ndarray) -> bytes:
    """Give a probability a byte a voxel, 255 for 1. Rounded down, so that no threshold loses a voxel by it."""
    return np.floor(probability * np.float32(255)).astype(np.uint8).tobytes()


def bits(masks: np.ndarray) -> bytes:
    """Give masks [K, ...] a bit a voxel, the first in the highest bit; each begins with a byte of its own."""
    return b"".join(np.packbits(one).tobytes() for one in masks)


def _bytes(content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _refused(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return PlainTextResponse(f"{fault.detail}\n", fault.status_code, fault.headers)


async def _mistaken(request: Request, fault: Exception) -> Response:
    return PlainTextResponse(f"{as_flags(getattr(fault, 'message', fault))}\n", 422)
