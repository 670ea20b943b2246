"""Which reader reads what `--data` names: the module of that name among the readers. The rows are in the options."""

import importlib
from pathlib import Path

from headtohead.errors import UserError
from headtohead.options.data import DATA_SETS
from headtohead.readers.reader import Reader


def find_reader(data: str) -> Reader:
    """Give the reader of a kind of data; its module is imported now.

    Raises:
        UserError: there is no such kind; run.json of another version, or of anybody, may name any.
    """
    if data not in DATA_SETS:
        raise UserError(f"`data` {data}: no such kind of data here; known are {', '.join(DATA_SETS)}")
    reader: Reader = importlib.import_module(f"headtohead.readers.{data}").READER
    return reader


def recognise(root: Path) -> str:
    """Name the kind of data that a folder is laid out as; empty where it is like none."""
    return next((data for data in DATA_SETS if root.is_dir() and find_reader(data).recognises(root)), "")
