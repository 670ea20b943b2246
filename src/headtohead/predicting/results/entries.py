"""The lines of a journal: what a command was, each file that it predicted, and what that was made from.

A wrong line is left out.
"""

import json
from collections.abc import Collection
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.deciding import Settings
from headtohead.predicting.results.written import truths_of
from headtohead.records.json_lines import read_lines
from headtohead.records.regular import UnreadableError
from headtohead.records.shape import Check, either, listing, mapping, nothing, number, one_of, undefined, whole

OLDER = "older than this program"
"""In place of the version of a command that wrote lines of another form."""

Entry = dict[str, Any]
"""A file that was predicted: `by`, `key_of` the settings of the command; `rows`, its lines of the summary; what
`sources_of` gives; `outputs`, the results: path below the folder -> SHA-256."""

Stamp = list[str | int]
"""Name, sequence (empty: not known), bytes, and nanoseconds at which it was changed."""


def sources_of(job: Job, planned: Collection[Path]) -> dict[str, list[Stamp] | None]:
    """Look at the files of a job, while the command writes to the `planned` absolute paths.

    Returns:
        `files`: what it is read from, in order; `truth`: the truth beside them, None where that cannot be told, since a
        planned result has its name.

    Raises:
        OSError: one is not there.
        UserError: what its truth is cannot be decided.
    """
    files = [_stamp_of(path, name or "") for path, name in zip_longest(job.files, job.sequences[: len(job.files)])]
    truths = truths_of(job)
    hidden = any(path.absolute() in planned for path in truths)
    return {"files": files, "truth": None if hidden else [_stamp_of(path) for path in truths]}


def _stamp_of(path: Path, sequence: str = "") -> Stamp:
    found = path.stat()
    return [path.name, sequence, found.st_size, found.st_mtime_ns]


def text_of(line: Entry) -> str:
    """Write a line."""
    return json.dumps(line, default=float) + "\n"  # a number of NumPy


def read_journal(path: Path) -> tuple[dict[str, Settings], list[Entry]]:
    """Read what is sound of a journal; of one that cannot be read, nothing.

    Returns:
        The settings of each command by their key, and the files that they predicted.
    """
    commands: dict[str, Settings] = {}
    entries: list[Entry] = []
    with suppress(FileNotFoundError, UnreadableError):
        for line in read_lines(path, LINE):
            if "settings" in line:
                commands[line["by"]] = line["settings"]
            elif line["by"] in commands:
                if "row" in line:  # before there were several targets
                    commands[line["by"]]["version"] = OLDER
                    line["rows"] = [line.pop("row")]
                entries.append(line)
    return commands, entries


def _name(value: Any) -> str | None:
    """Text that can be written to a file, be it the name of one."""
    try:
        return None if isinstance(value, str) and value.encode(errors="surrogateescape") is not None else ""
    except UnicodeEncodeError:
        return ""


def _stamp(value: Any) -> str | None:
    checks = (_name, _name, whole(0), whole(-(2**63), 2**63))
    sound = isinstance(value, list) and len(value) == len(checks)
    return None if sound and all(check(one) is None for check, one in zip(checks, value, strict=True)) else ""


ROW = mapping(
    {
        **dict.fromkeys(("file", "steps", "model", "seen", "target"), _name),
        **dict.fromkeys(("voxels", "slices", "slices_with_lesion", "lesions"), whole(0)),
        "seconds": either(nothing, number(0)),
        "volume_ml": either(nothing, number(0)),
        "dice": either(undefined, number(0, 1)),
        "threshold": either(nothing, number(0, 1)),
        **dict.fromkeys(("warnings", "notes"), listing(_name)),
        "error": one_of(""),
    },
    needed=("file", "voxels", "slices", "slices_with_lesion", "lesions", "seconds"),
    others=one_of(),
)


def _entry(rows: str, check: Check) -> Check:
    parts = {"by": _name, rows: check, "files": listing(_stamp), "truth": either(nothing, listing(_stamp))}
    parts["outputs"] = mapping(others=_name)
    return mapping(parts, needed=tuple(parts))


COMMAND = mapping({"by": _name, "settings": mapping(others=_name)}, needed=("by", "settings"))
LINE = either(COMMAND, _entry("rows", listing(ROW, 1)), _entry("row", ROW))
