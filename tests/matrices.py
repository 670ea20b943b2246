"""Matrices of cases too large to run whole on every change."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def thinned(cases: Iterable[Any], kept: Container[Any]) -> list[Any]:
    """List all cases for `parametrize`; `make test` runs those that are kept, `make test-all` the rest, too."""
    return [case if case in kept else _exhaustive(case) for case in cases]


def _exhaustive(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.exhaustive)
