"""What a value may be: each check says what is wrong with a value, or nothing."""

import math
import re
from collections.abc import Callable
from typing import Any

FIGURES = "figures"  # the one folder of a comparison that is not a run
_ENDINGS = (".csv", ".html", ".json", ".md", ".tex", ".txt")  # of the files beside the runs
_TRUTH = "truth"  # the column of the truth in tables of agreement


def at_least(least: float) -> Callable[[Any], str]:
    """Make a check that refuses values below `least`."""
    return lambda value: "" if value >= least else f"must be at least {least}"


def between(least: float, most: float) -> Callable[[Any], str]:
    """Make a check that refuses values outside [`least`, `most`]."""
    return lambda value: "" if least <= value <= most else f"must be from {least} to {most}"


MOST_DIGITS = 9
TOO_LARGE = "too large a number"
SEED = between(0, 2**32 - 1)  # what NumPy takes


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


def run_names(value: str) -> str:
    """Refuse what cannot be the names of run folders with commas between them; nothing is allowed."""
    names = value.split(",") if value else []
    if fault := next(filter(None, map(folder_name, names)), ""):
        return fault
    taken = next(filter(_is_of_reports, names), "")
    return f"{taken} is a name that comparisons use; choose another name" if taken else ""


def _is_of_reports(name: str) -> bool:
    """Whether a report writes a file or a folder of such a name beside the runs; a file system may ignore capitals."""
    return name.casefold() == FIGURES or name.casefold().endswith(_ENDINGS)


def model_setting(value: str) -> str:
    """Refuse all but MODEL.OPTION=VALUE; whether there are such a model and option, `model_settings` finds out."""
    model, option, text = parts_of_setting(value)
    return "" if model and option and text else "must have the form MODEL.OPTION=VALUE"


def parts_of_setting(value: str) -> tuple[str, str, str]:
    """Divide MODEL.OPTION=VALUE; the model may hold dots of its own, as `smp:FPN:resnet18` and `mynet.py:Net` do."""
    place, _, text = value.partition("=")
    model, _, option = place.rpartition(".")
    return model.strip(), option.strip(), text.strip()


def keyword_argument(value: str) -> str:
    """Refuse all but NAME=VALUE; whether the net takes it, its library finds out."""
    name, _, text = value.partition("=")
    return "" if name.strip().isidentifier() and text.strip() else "must have the form NAME=VALUE"


def variant(value: str) -> str:
    """Refuse all but NAME=MODEL.OPTION=VALUE with a name that a folder can have."""
    name, _, setting = value.partition("=")
    if folder_name(name.strip()) or model_setting(setting):
        return "must have the form NAME=MODEL.OPTION=VALUE"
    return ""


def named_folder(value: str) -> str:
    """Refuse all but NAME=DIR, whose name can be that of a folder and of a column."""
    name, equals, folder = value.partition("=")
    if not equals or not folder.strip():
        return "must have the form NAME=DIR"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", name.strip()):
        return f"{name.strip() or 'the name'} cannot be an entrant's name; use letters, digits and _ . + - only"
    if _is_of_reports(name.strip()) or name.strip().casefold() == _TRUTH:
        return f"{name.strip()} is a name that comparisons use; choose another name"
    return ""


def regular_expression(value: str) -> str:
    """Refuse what is no regular expression."""
    try:
        re.compile(value)
    except re.error as fault:
        return f"not a regular expression ({fault}); an example: '(.+)_scan'"
    return ""


def fold_count(value: str) -> str:
    """Refuse all but nothing, a number of folds, `patients` and `sites`."""
    if value in ("", "patients", "sites"):
        return ""
    if not (value.isascii() and value.isdigit()) or value.lstrip("0") in ("", "1"):
        return "takes a number of folds (2 or more), or the word patients or sites"
    return "" if len(value) <= MOST_DIGITS else TOO_LARGE


def bit_count(value: str) -> str:
    """Refuse all but nothing, 8 and 16."""
    return "" if value in ("", "8", "16") else "takes 8 or 16"


def auto_or_above_zero(value: str) -> str:
    """Refuse all but `auto` and a finite number above 0."""
    try:
        fits = value == "auto" or 0 < float(value) < math.inf
    except ValueError:
        fits = False
    return "" if fits else "takes a number above 0, or the word auto"


def gpu_numbers(value: str) -> str:
    """Refuse all but `auto`, `cpu`, `mps` and numbers with commas between them."""
    if value in ("auto", "cpu", "mps"):
        return ""
    numbers = value.split(",")
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return "takes auto, cpu, mps, or the number of a GPU"
    if any(len(number) > MOST_DIGITS for number in numbers):
        return TOO_LARGE
    return "" if len(set(numbers)) == len(numbers) else "names a GPU twice"
