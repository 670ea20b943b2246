"""Options in messages: named in backquotes as Python calls them (`root_dir`, `data=nifti`), and printed as flags.

They stand as words of their own: what is in backquotes within a path or a value of the user's stays as it is.
"""

import re

from headtohead.options.table import OPTIONS

NAMED = re.compile(r"(?<![^\s(])`(\w+)(?:=([^`]*))?`(?![^\s),.:;?])")


def as_flags(text: object) -> str:
    """Write a message, or the error that has it, with the flags that users of the command line and of the page know."""
    return NAMED.sub(_flag, str(text))


def _flag(named: re.Match[str]) -> str:
    name, value = named.groups()
    if name not in OPTIONS:
        return named[0]
    return f"--{name}" if value is None else f"--{name} {value}"
