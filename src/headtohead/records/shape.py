"""What a value read from a file must be: small checks, and checks made of them, that name the first wrong part."""

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], str | None]
"""Gives None for a sound value, else where in it the fault is: `` for itself, `split.seed` for a part."""

LARGEST = 2**53
"""Above this not every whole number is a float."""


def text(value: Any) -> str | None:
    """Text, of characters that can be written as UTF-8."""
    if not isinstance(value, str):
        return ""
    try:
        value.encode()
    except UnicodeEncodeError:
        return ""
    return None


def truth(value: Any) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else ""


def whole(least: int = -LARGEST, most: int = LARGEST) -> Check:
    """A whole number within bounds."""
    return lambda value: None if type(value) is int and least <= value <= most else ""


def number(least: float = -math.inf, most: float = math.inf) -> Check:
    """A finite number within bounds."""

    def check(value: Any) -> str | None:
        sound = type(value) in (int, float) and abs(value) <= 1e300 and least <= value <= most
        return None if sound else ""

    return check


def undefined(value: Any) -> str | None:
    """Nothing, or not a number: what a score is that is not there."""
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else ""


def nothing(value: Any) -> str | None:
    """Nothing."""
    return None if value is None else ""


def either(*checks: Check) -> Check:
    """What one of several checks takes; the last one names the fault."""

    def check(value: Any) -> str | None:
        found = [one(value) for one in checks]
        return None if None in found else found[-1]

    return check


def one_of(*values: Any) -> Check:
    """One of some values."""
    return lambda value: None if any(type(value) is type(one) and value == one for one in values) else ""


def listing(inside: Check, least: int = 0, most: int = LARGEST) -> Check:
    """A list of so many values, all of one kind."""

    def check(value: Any) -> str | None:
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            return ""
        return next(
            (_within(str(place), fault) for place, one in enumerate(value) if (fault := inside(one)) is not None), None
        )

    return check


def mapping(
    parts: Mapping[str, Check] | None = None, needed: tuple[str, ...] = (), others: Check | None = None
) -> Check:
    """An object: what its known fields must be, which are needed, and what all others must be (None: anything)."""
    known = parts or {}

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return ""
        for name in needed:
            if name not in value:
                return name
        for name, one in value.items():
            inside = known.get(name, others)
            if inside and (fault := inside(one)) is not None:
                return _within(name, fault)
        return None

    return check


def _within(name: str, fault: str) -> str:
    return f"{name}.{fault}" if fault else name
