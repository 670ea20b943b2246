"""Errors for the user: one line that names the cause and the fix."""

import difflib
import re
from pathlib import Path
from typing import Any

LONGEST = 1000  # characters of a message; paths and lists of choices are shorter


class UserError(Exception):
    """An error that the user can fix: a bad flag, file or setting.

    The message is one line that names the cause and the fix. The command line prints it to stderr
    and leaves with status 2; any other exception is an internal error.
    """


class DamagedModel(UserError):
    """The weights of a trained model cannot be read, or are not those of its net.

    Attributes:
        folder: the run folder or the bundle; None for a file of weights.
    """

    def __init__(self, line: str, folder: Path | None) -> None:
        super().__init__(line)
        self.folder = folder


class PartlyDone(UserError):
    """Some of many things could not be done; each was reported on its own line, and the others are done.

    The command line leaves with status 1.

    Attributes:
        done: what was done, where it was called from Python.
    """

    done: Any = None


def one_line(text: Any) -> str:
    r"""Write a message on one line of readable text, whatever a file or a flag put into it.

    Control characters become `\x1b`, and so do the bytes of a name that is not UTF-8. Of a long one the middle is left
    out: the cause stands at the beginning, the mend at the end.
    """
    line = " ".join(str(text).splitlines())
    line = "".join(sign if sign.isprintable() else _escaped(sign) for sign in line)
    if len(line) <= LONGEST:
        return line
    half = LONGEST // 2
    return f"{line[:half]} [{len(line) - 2 * half} more characters] {line[-half:]}"


def _escaped(sign: str) -> str:
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte that it could not decode
        return f"\\x{code - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode("ascii")


def printable(path: Path | str) -> str:
    """Write a path on one line of readable text, whatever bytes are in its name."""
    text = str(path).encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f]", "?", text)


def did_you_mean(word: str, known: Any) -> str:
    """Give `; did you mean NEAREST?`, or nothing where no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
