"""An engine that is opened while its caller goes on."""

import threading

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.trained.engines.ahead import EngineAhead


class Double:
    """Doubles what it is asked."""

    name = "double"

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        return batch * 2


def test_its_caller_goes_on_until_it_asks() -> None:
    gate = threading.Event()

    def opening() -> Double:
        assert gate.wait(60)
        return Double()

    engine = EngineAhead(opening)  # does not wait, or the gate would never open
    gate.set()
    assert engine.name == "double"
    assert engine(np.ones(3)).tolist() == [2, 2, 2]
    assert isinstance(engine.ready(), Double)


def test_what_goes_wrong_is_told_to_whoever_asks() -> None:
    def opening() -> Double:
        raise UserError("no engine")

    engine = EngineAhead(opening)
    for ask in (engine.ready, lambda: engine.name, lambda: engine(np.ones(3))):
        with pytest.raises(UserError, match="no engine"):
            ask()
