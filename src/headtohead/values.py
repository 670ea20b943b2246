"""One option: how it is declared, how its value is read from a flag or from YAML, and what is refused.

Flags bring text, YAML brings text, numbers, truth values and lists. Both go through `settle`, so that they
mean the same and fail with the same words.
"""

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import Field, dataclass, field
from pathlib import PurePath
from typing import Any, get_args, get_origin

from headtohead.errors import UserError

YES = ("true", "yes", "on", "1")
NO = ("false", "no", "off", "0")


class Refused(Exception):
    """A value cannot be taken; the message says why, `settle` adds where it stood."""


@dataclass(frozen=True)
class Description:
    """What is known of an option besides its name, type and default; `option` says what the fields are."""

    help: str
    choices: tuple[str, ...] = ()
    metavar: str = ""
    bare: str = ""
    off: str = ""
    check: Callable[[Any], str] | None = None
    stored: bool = True


def option(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] = (),
    metavar: str = "",
    bare: str = "",
    off: str = "",
    check: Callable[[Any], str] | None = None,
    stored: bool = True,
) -> Any:
    """Declare one option as a field of a dataclass.

    Args:
        default: its value when nobody says otherwise. A tuple makes a comma-separated list.
        help: one line for `--help`.
        choices: the words allowed, if only some are.
        metavar: what `--help` shows in place of the value.
        bare: the word meant by the flag given without a value, and by True.
        off: the word meant by False.
        check: takes a value (of a list: each item) and says what is wrong with it, "" if nothing is.
        stored: False for what concerns one command only. It is left out of `flat` and of comparisons.
    """
    description = Description(help, choices, metavar, bare, off, check, stored)
    return field(default=default, compare=stored, metadata={"option": description})


def describe(declared: "Field[Any]") -> Description:
    """Give what `option` was told about a field."""
    description: Description = declared.metadata["option"]
    return description


def settle(declared: "Field[Any]", raw: Any, label: str) -> Any:
    """Turn what a user gave into the value of an option, or refuse it.

    Args:
        declared: a dataclass field made by `option`.
        raw: text from a flag, or what YAML made of it. A value that is settled already stays as it is.
        label: how the user knows the option: `--batch_size`, or `demo.yaml: batch_size`.

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
    description = describe(declared)
    if kind == str | None:
        if raw is None or raw == "":
            return None
        kind = str
    if raw is None:
        raise Refused("needs a value")
    if get_origin(kind) is not tuple:
        return _settle_one(kind, description, raw)
    if isinstance(raw, str):
        raw = raw.split(",")
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
    try:
        if isinstance(raw, str):
            return int(raw)
    except ValueError:
        pass
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise Refused("takes a whole number")
    return raw


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


def did_you_mean(word: str, known: Any) -> str:
    """Give `; did you mean NEAREST?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def at_least(least: float) -> Callable[[Any], str]:
    """Make a check that refuses values below `least`."""
    return lambda value: "" if value >= least else f"must be at least {least}"


def between(least: float, most: float) -> Callable[[Any], str]:
    """Make a check that refuses values outside [`least`, `most`]."""
    return lambda value: "" if least <= value <= most else f"must be from {least} to {most}"


def above(bound: float, most: float = math.inf) -> Callable[[Any], str]:
    """Make a check that refuses values outside (`bound`, `most`]."""
    end = "" if most == math.inf else f" and at most {most}"
    return lambda value: "" if bound < value <= most else f"must be above {bound}{end}"


def from_up_to(low: float, high: float) -> Callable[[Any], str]:
    """Make a check that refuses values outside [`low`, `high`)."""
    return lambda value: "" if low <= value < high else f"must be at least {low} and below {high}"


def not_empty(value: str) -> str:
    """Refuse the empty text."""
    return "" if value else "needs a value"


def folder_name(value: str) -> str:
    """Refuse what cannot be the name of one folder."""
    if value in ("", ".", "..") or "/" in value or "\\" in value or not value.isprintable():
        return "must be a plain folder name, without a path"
    return ""


def folder_names(value: str) -> str:
    """Refuse what cannot be the names of folders with commas between them; nothing is allowed."""
    return next(filter(None, map(folder_name, value.split(","))), "") if value else ""


def model_setting(value: str) -> str:
    """Refuse all but MODEL.OPTION=VALUE; whether there are such a model and option, `model_settings` finds out."""
    name, _, text = value.partition("=")
    model, _, option = name.partition(".")
    return "" if model.strip() and option.strip() and text.strip() else "must have the form MODEL.OPTION=VALUE"


def regular_expression(value: str) -> str:
    """Refuse what is no regular expression."""
    try:
        re.compile(value)
    except re.error as fault:
        return f"not a regular expression ({fault}); an example: '(.+)_scan'"
    return ""


def fold_count(value: str) -> str:
    """Refuse all but nothing, a number of folds, and `patients`."""
    if value in ("", "patients") or (value.isascii() and value.isdigit() and int(value) >= 2):
        return ""
    return "takes a number of folds (2 or more), or the word patients"


def gpu_numbers(value: str) -> str:
    """Refuse all but `auto`, `cpu` and numbers with commas between them."""
    if value in ("auto", "cpu"):
        return ""
    numbers = value.split(",")
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return "takes auto, cpu, or the number of a GPU"
    return "" if len(set(numbers)) == len(numbers) else "names a GPU twice"
