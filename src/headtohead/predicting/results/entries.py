"""The lines of a journal: what a command was, each file that it predicted, and what that was made from.

A wrong line is left out.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.deciding import Settings
from headtohead.predicting.results.summary import Row, Rows
from headtohead.predicting.results.written import truths_of
from headtohead.records.json_lines import read_lines
from headtohead.records.regular import UnreadableError
from headtohead.records.shape import Check, either, listing, mapping, nothing, number, one_of, undefined, whole

Stamp = tuple[str, str, int, int]
"""Name, sequence (empty: not said), bytes, and nanoseconds at which it was changed."""


@dataclass(frozen=True)
class Sources:
    """The files of a job.

    Attributes:
        files: what it is read from, in order.
        truth: the truth beside them; None where that cannot be told, since a result of ours has its name.
    """

    files: tuple[Stamp, ...]
    truth: tuple[Stamp, ...] | None

    def unchanged_since(self, earlier: "Sources") -> bool:
        """Say whether what was made from the earlier files could be made from these."""
        same = self.truth is None or self.truth == earlier.truth
        return self.files == earlier.files and same


def sources_of(job: Job, planned: Collection[Path]) -> Sources:
    """Look at the files of a job.

    Args:
        job: what is to be predicted.
        planned: absolute paths that the command writes.

    Raises:
        OSError: one is not there.
        UserError: what its truth is cannot be decided.
    """
    files = tuple(_stamp_of(path, named) for path, named in zip_longest(job.files, job.sequences[: len(job.files)]))
    truths = truths_of(job)
    hidden = any(path.absolute() in planned for path in truths)
    return Sources(files, None if hidden else _stamps_of(truths))


def _stamps_of(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    return tuple(_stamp_of(path, "") for path in paths)


def _stamp_of(path: Path, sequence: str | None) -> Stamp:
    found = path.stat()
    return path.name, sequence or "", found.st_size, found.st_mtime_ns


def written_name(value: Any) -> str | None:
    """Text that can be written to a file, be it the name of one."""
    try:
        return None if isinstance(value, str) and value.encode(errors="surrogateescape") is not None else ""
    except UnicodeEncodeError:
        return ""


ROW = mapping(
    {
        **dict.fromkeys(("file", "steps", "model", "seen", "target"), written_name),
        **dict.fromkeys(("voxels", "slices", "slices_with_lesion", "lesions"), whole(0)),
        "seconds": either(nothing, number(0)),
        "volume_ml": either(nothing, number(0)),
        "dice": either(undefined, number(0, 1)),
        "threshold": either(nothing, number(0, 1)),
        **dict.fromkeys(("warnings", "notes"), listing(written_name)),
        "error": one_of(""),
    },
    needed=("file", "voxels", "slices", "slices_with_lesion", "lesions", "seconds"),
    others=one_of(),
)


def _stamp(value: Any) -> str | None:
    if not isinstance(value, list) or len(value) != 4:
        return ""
    checks: tuple[Check, ...] = (written_name, written_name, whole(0), whole(-(2**63), 2**63))
    return next((fault for check, one in zip(checks, value, strict=True) if (fault := check(one)) is not None), None)


LINE = mapping(
    {
        "by": written_name,
        "settings": mapping(others=written_name),
        "rows": listing(ROW, 1),
        "files": listing(_stamp),
        "truth": either(nothing, listing(_stamp)),
        "outputs": mapping(others=written_name),
    },
    needed=("by",),
)
"""Either what a command was, with `settings`, or a file that it predicted, with all others."""


@dataclass(frozen=True)
class Entry:
    """A file that was predicted.

    Attributes:
        by: `key_of` the settings of the command.
        rows: its lines of the summary.
        sources: what it was made from.
        outputs: the results: path below the folder -> SHA-256.
    """

    by: str
    rows: Rows
    sources: Sources
    outputs: Mapping[str, str]

    @property
    def file(self) -> str:
        """The name of its job."""
        return self.rows[0].file

    @property
    def line(self) -> str:
        """As it is written."""
        sources = {"files": self.sources.files, "truth": self.sources.truth}
        values = {"by": self.by, "rows": [asdict(row) for row in self.rows], **sources, "outputs": self.outputs}
        return json.dumps(values, default=float) + "\n"  # a number of NumPy


def head_line(by: str, settings: Settings) -> str:
    """Write what a command was; it stands before its first file."""
    return json.dumps({"by": by, "settings": settings}) + "\n"


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
            elif {"rows", "files", "truth", "outputs"} <= line.keys() and line["by"] in commands:
                rows = tuple(map(_row, line["rows"]))
                truth = None if line["truth"] is None else _stamps(line["truth"])
                entry = Entry(line["by"], rows, Sources(_stamps(line["files"]), truth), line["outputs"])
                entries.append(entry)
    return commands, entries


def _row(found: dict[str, Any]) -> Row:
    return Row(**{**found, **{name: tuple(found.get(name, ())) for name in ("warnings", "notes")}})


def _stamps(values: Any) -> tuple[Any, ...]:
    return tuple(map(tuple, values))
