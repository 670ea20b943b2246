"""A value as a user gives it becomes the value of an option, or is refused.

Flags bring text, YAML brings text, numbers, truth values and lists. Both go through `settle`, so that they
mean the same and fail with the same words.
"""

import math
import re
from collections.abc import Callable
from dataclasses import Field
from pathlib import PurePath
from typing import Any, get_args, get_origin

from headtohead.errors import UserError, did_you_mean
from headtohead.options.checks import TOO_LARGE
from headtohead.options.declaring import Description, description_of

YES = ("true", "yes", "on", "1")
LONGEST_NUMBER = 100  # characters
NO = ("false", "no", "off", "0")


class Refused(Exception):
    """A value cannot be taken; the message says why, `settle` adds where it stood."""


def settle(declared: "Field[Any]", raw: Any, label: str) -> Any:
    """Turn what a user gave into the value of an option declared by `option`, or refuse it.

    It is text from a flag, or what YAML made of it; a value that is settled already stays as it is. The label is how
    the user knows the option: `--batch_size`, or `demo.yaml: batch_size`.

    Raises:
        UserError: the value is of a wrong type, not among the choices, or out of range.
    """
    try:
        return _settle(declared, raw)
    except Refused as problem:
        shown = "" if raw is None or raw == "" else f" {','.join(map(str, raw)) if isinstance(raw, list) else raw}"
        raise UserError(f"{label}{shown}: {problem}") from None


def _settle(declared: "Field[Any]", raw: Any) -> Any:
    kind: Any = declared.type
    description = description_of(declared)
    if kind == str | None:
        if raw is None or raw == "" or (description.bare and str(raw).strip().lower() in NO):
            return None
        kind = str
    if raw is None:
        raise Refused("needs a value")
    if get_origin(kind) is not tuple:
        return _settle_one(kind, description, raw)
    if isinstance(raw, str):
        raw = _at_commas(raw)
    if declared.default == () and list(raw if isinstance(raw, list | tuple) else [raw]) in ([], [""]):
        return ()  # only a list that is empty by default may be empty
    items = [
        _settle_one(get_args(kind)[0], description, item) for item in (raw if isinstance(raw, list | tuple) else [raw])
    ]
    if not items or "" in items:
        raise Refused("takes a list of values separated by commas, none of them empty")
    for item in items:
        if items.count(item) > 1:
            raise Refused(f"{item} is given twice")
    return tuple(items)


def _at_commas(text: str) -> list[str]:
    """Divide a list at its commas, but not at those of a list within it: `a=[1,2],b=3`."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "[") - (sign == "]")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts if depth == 0 else text.split(",")


def _settle_one(kind: type, description: Description, raw: Any) -> Any:
    if isinstance(raw, str):
        raw = raw.strip()
    if description.bare and str(raw).lower() in YES + NO:
        raw = description.bare if str(raw).lower() in YES else description.off
    value = _READERS[kind](raw)
    if description.choices and value not in description.choices:
        raise Refused(f"not one of {', '.join(description.choices)}{did_you_mean(value, description.choices)}")
    problem = description.check(value) if description.check else ""
    if problem:
        raise Refused(problem)
    return value


def _truth(raw: Any) -> bool:
    # Only the two words and their relatives: bool("False") is True, and that has cost people whole trainings.
    word = str(raw).lower()
    if word not in YES + NO:
        raise Refused("takes True or False")
    return word in YES


def _whole_number(raw: Any) -> int:
    value = raw
    if isinstance(raw, str):
        if len(raw) > LONGEST_NUMBER and re.fullmatch(r"[+-]?\d+", raw):
            raise Refused(TOO_LARGE)  # Python reads no number of thousands of digits
        try:
            value = int(raw)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("takes a whole number")
    if abs(value) >= 2**63:  # more than PyTorch, NumPy and CSV files hold
        raise Refused(TOO_LARGE)
    return value


def _number(raw: Any) -> float:
    try:
        # YAML 1.1 takes 5e-4 for text, so text is read here too.
        value = math.nan if isinstance(raw, bool) else float(raw)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise Refused("takes a number")
    return value


def _text(raw: Any) -> str:
    # `gpus: 0` and `run_name: 7` are numbers to YAML and names to us. `run_name: no` has lost its spelling.
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | PurePath):
        raise Refused("takes text; in YAML, put it in quotes")
    return str(raw)


_READERS: dict[type, Callable[[Any], Any]] = {bool: _truth, int: _whole_number, float: _number, str: _text}
