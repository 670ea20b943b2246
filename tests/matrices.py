"""Matrices of cases too large to run whole on every change."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def thinned(cases: Iterable[tuple[Any, ...]], kept: Container[tuple[Any, ...]]) -> list[Any]:
    """List all cases for `parametrize`; `make test` runs those that are kept, `make test-all` the rest, too."""
    return [case if case in kept else pytest.param(*case, marks=pytest.mark.exhaustive) for case in cases]
