"""Folders of comparisons that hold no runs, but what was made in one step: known by a record with a key."""

from pathlib import Path

from headtohead.errors import UserError, printable
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError


def refuse_taken(record: Path, key: str, overwrite: bool, option: str, kind: str, others: str) -> None:
    """Refuse a folder that holds runs or other files, and one of other contents unless told to replace them.

    Args:
        record: the file in it that says what the folder holds.
        key: that of what is to be written; the folder may hold the same.
        overwrite: whether other contents are replaced.
        option: that asks for it.
        kind: what such a folder holds, in words.
        others: likewise, of other contents.

    Raises:
        UserError: it does.
    """
    folder = record.parent
    there = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    if not there:
        return
    try:
        before = read_json(record)["key"]
    except (FileNotFoundError, UnreadableError, LookupError, TypeError):
        raise UserError(
            f"`{option}`: {folder} holds something else than {kind}, such as {printable(there[0].name)}; choose "
            "another `comparison`"
        ) from None
    if before != key and not overwrite:
        raise UserError(f"`{option}`: {folder} holds {others}; choose another `comparison`, or add `overwrite`")
