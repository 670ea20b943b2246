"""Work that gives up when the program is to end, so that Ctrl+C need not wait for a large volume."""

import threading
from dataclasses import replace

import numpy as np

from headtohead.predicting.predictor import Predictor
from headtohead.trained.engines import Engine


class Stopped(Exception):
    """The program is to end; nobody waits for the answer any longer."""


class Stoppable:
    """An engine that refuses to go on once it was told to stop."""

    def __init__(self, engine: Engine, stop: threading.Event) -> None:
        self.engine, self.stop = engine, stop
        self.name = engine.name

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`.

        Raises:
            Stopped: it was told to.
        """
        if self.stop.is_set():
            raise Stopped
        return self.engine(batch)


def stoppable(predictor: Predictor, stop: threading.Event) -> Predictor:
    """Give a predictor that gives up between two batches once `stop` is set."""
    return replace(predictor, engines=tuple(Stoppable(engine, stop) for engine in predictor.engines))
