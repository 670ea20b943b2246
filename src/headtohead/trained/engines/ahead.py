"""An engine that is being opened while its caller does something else, such as reading the first scan."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from headtohead.trained.engines.opening import Engine


class EngineAhead:
    """Something that a thread opens; the first call waits until it is open."""

    def __init__(self, opening: Callable[[], Engine]) -> None:
        """Begin to open; what opening raises, `ready` and every question raise."""
        opener = ThreadPoolExecutor(1, "opening")
        self._future = opener.submit(opening)
        opener.shutdown(wait=False)

    def ready(self) -> Engine:
        """Wait for the engine itself."""
        return self._future.result()

    @property
    def name(self) -> str:
        """See `Engine`."""
        return self.ready().name

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self.ready()(batch)
