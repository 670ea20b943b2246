"""One option: how it is declared as a field of a dataclass, and what is known of it."""

from collections.abc import Callable
from dataclasses import Field, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Description:
    """What is known of an option besides its name, type and default.

    Attributes:
        help: one line for `--help`.
        choices: the words allowed, if only some are.
        metavar: what `--help` shows in place of the value.
        bare: the word meant by the flag given without a value, and by True.
        off: the word meant by False.
        check: takes a value (of a list: each item) and says what is wrong with it, "" if nothing is.
        stored: False for what concerns one command only. It is left out of `flat` and of comparisons.
    """

    help: str
    choices: tuple[str, ...] = ()
    metavar: str = ""
    bare: str = ""
    off: str = ""
    check: Callable[[Any], str] | None = None
    stored: bool = True


def option(default: Any, help: str, **known: Any) -> Any:
    """Declare one option as a field of a dataclass; `known` are further attributes of its `Description`.

    A tuple as default makes a comma-separated list.
    """
    description = Description(help, **known)
    return field(default=default, compare=description.stored, metadata={"option": description})


def description_of(declared: "Field[Any]") -> Description:
    """Give what `option` was told about a field."""
    description: Description = declared.metadata["option"]
    return description
