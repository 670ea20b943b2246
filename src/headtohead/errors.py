"""Errors for the user: one line that names the cause and the fix."""

import difflib
from typing import Any


class UserError(Exception):
    """An error that the user can fix: a bad flag, file or setting.

    The message is one line that names the cause and the fix. The command line prints it to stderr
    and leaves with status 2; any other exception is an internal error.
    """


class PartlyDone(UserError):
    """Some of many things could not be done; each was reported on its own line, and the others are done.

    The command line leaves with status 1.
    """


def did_you_mean(word: str, known: Any) -> str:
    """Give `; did you mean NEAREST?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
