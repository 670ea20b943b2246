"""A group: a section of options whose values are checked."""

from dataclasses import Field, fields
from typing import Any

from headtohead.options.settling import settle


class Group:
    """A section of options whose values are settled (read and checked) as soon as it is made."""

    def __post_init__(self) -> None:
        for declared in fields(self):  # type: ignore[arg-type]
            value = settle(declared, getattr(self, declared.name), f"`{declared.name}`")
            object.__setattr__(self, declared.name, value)
        self.check()

    def check(self) -> None:
        """Refuse values of the group that make no sense together.

        Raises:
            UserError: names the options, and which to leave out.
        """


def declarations(group: type[Group]) -> list["Field[Any]"]:
    """List the options of one group in their order."""
    return list(fields(group))  # type: ignore[arg-type]
