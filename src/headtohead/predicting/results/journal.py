"""The journal of an output folder: which files are predicted, by what and from what, while a command is not finished.

A line is added before the results of a file get their names, so that after a kill at any moment the same command finds
what is whole, and what it may replace. Lines of other commands stay. The journal is removed with its last line: when
the command that wrote it has predicted all of its files.

It may come with a folder from elsewhere. So no path in it is ever opened: the results of a job are looked up under the
names that this command gives them, and count if their checksums are those of the line. A wrong line is left out.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping, Set
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from headtohead.claiming import hold
from headtohead.disk_faults import told
from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.deciding import Settings, key_of, what_differs
from headtohead.predicting.results.outputs import Paths, every
from headtohead.predicting.results.summary import Rows
from headtohead.predicting.results.written import checksum, name_below, truths_of
from headtohead.records.json_lines import read_lines
from headtohead.records.regular import UnreadableError
from headtohead.records.shape import Check, either, listing, mapping, nothing, number, one_of, undefined, whole
from headtohead.saving import append_text, write_text

FILE = ".predicting.jsonl"
TRIES = 100
OLDER = "older than this program"
"""In place of the version of a command that wrote lines of another form."""

Entry = dict[str, Any]
"""A file that was predicted: `by`, `key_of` the settings of the command; `rows`, its lines of the summary; what
`sources_of` gives; `outputs`, the results: path below the folder -> SHA-256."""

Stamp = list[str | int]
"""Name, sequence (empty: not known), bytes, and nanoseconds at which it was changed."""


class Journal:
    """The journal of one folder, held by one command at a time: look at nothing in the folder before the `with` block.

    Attributes:
        commands: those it tells of: `key_of` their settings -> the settings.
        own: what this command has predicted: name of the job -> its entries, the latest last.
        others: what other commands have.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.path = folder, folder / FILE
        self.settings, self.key = settings, key_of(settings)
        self.commands: dict[str, Settings] = {}
        self.own: dict[str, list[Entry]] = {}
        self.others: list[Entry] = []
        self._handle: int | None = None
        self._made: list[Path] = []

    def __enter__(self) -> "Journal":
        """Hold the folder, made if it is missing, and read what is there.

        Raises:
            UserError: another command is at work there, or the folder or the file cannot be used.
        """
        try:
            with told(self.path):
                self._hold()
            self.commands, entries = read_journal(self.path)
            for entry in entries:
                self._keep(entry)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the folder; an empty journal and empty folders made for it are removed."""
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(OSError):
                facts = self.path.lstat()
                # Another file by its name is not ours to remove.
                if not facts.st_size and (handle < 0 or os.path.samestat(os.fstat(handle), facts)):
                    self.path.unlink()
            if handle >= 0:
                os.close(handle)
        for folder in self._made:
            with suppress(OSError):  # something lies in it
                folder.rmdir()

    def finished(self, job: Job, paths: Paths, planned: Collection[Path]) -> Entry | None:
        """Find what this command has predicted before of a job, from the same files, if its results are whole."""
        if job.name not in self.own:
            return None
        names = {name_below(path, self.folder): path for path in every(paths)}
        with suppress(OSError, UserError):  # reading the job will say why
            now = sources_of(job, planned)
            same = [one for one in self.own[job.name] if now["files"] == one["files"]]
            same = [one for one in same if now["truth"] in (None, one["truth"])]
            if same and all(path.is_file() for path in names.values()):
                there = {name: checksum(path) for name, path in names.items()}
                return next((one for one in reversed(same) if one["outputs"] == there), None)
        return None

    def left_over(self, path: Path) -> bool:
        """Say whether a file is as this command wrote it, when it did not come to its end."""
        return self._origin(path, self._every_own) is not None

    def origin(self, path: Path) -> str:
        """Say which other settings the unfinished command had that wrote a file; empty: none did."""
        entry = self._origin(path, self.others)
        return what_differs(self.commands[entry["by"]], self.settings) if entry else ""

    def add(self, rows: Rows, sources: Mapping[str, Any], outputs: Mapping[str, str]) -> None:
        """Take down a file whose results are about to get their names; see `Entry`.

        Raises:
            UserError: as `told`; the results must not get their names then.
        """
        entry = {"by": self.key, "rows": [vars(row) for row in rows], **sources, "outputs": outputs}
        head = "" if self.key in self.commands else text_of({"by": self.key, "settings": self.settings})
        append_text(self.path, head + text_of(entry))
        self.commands[self.key] = self.settings
        self._keep(entry)

    def conclude(self, done: Set[str], complete: bool) -> None:
        """Keep what a later command needs: nothing of this one, if the jobs that are `done` are `complete`."""
        over = complete and self.own.keys() <= done
        replaced = {name for file in done for entry in self.own.get(file, ()) for name in entry["outputs"]}
        kept = [entry for entry in self.others if not replaced & entry["outputs"].keys()]
        kept += [] if over else self._every_own
        if not kept:
            self.path.unlink(missing_ok=True)
        elif len(kept) < len(self.others) + len(self._every_own):
            heads = [{"by": by, "settings": self.commands[by]} for by in dict.fromkeys(entry["by"] for entry in kept)]
            write_text(self.path, "".join(map(text_of, heads + kept)))

    @property
    def _every_own(self) -> list[Entry]:
        return [entry for entries in self.own.values() for entry in entries]

    def _keep(self, entry: Entry) -> None:
        if entry["by"] == self.key:
            self.own.setdefault(entry["rows"][0]["file"], []).append(entry)
        else:
            self.others.append(entry)

    def _origin(self, path: Path, entries: Iterable[Entry]) -> Entry | None:
        """Give the latest of some entries that has a file as it is now."""
        name = name_below(path, self.folder)
        naming = [entry for entry in entries if name in entry["outputs"]]
        there = checksum(path) if naming and path.is_file() else None
        return next((entry for entry in reversed(naming) if entry["outputs"][name] == there), None)

    def _hold(self) -> None:
        for _ in range(TRIES):
            # The deepest first.
            self._made += [one for one in (self.folder, *self.folder.parents) if not os.path.lexists(one)]
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as fault:
                line = f"`output` {self.folder}: cannot be created ({fault.strerror}); choose another"
                raise UserError(line) from fault
            try:
                self._handle = hold(self.path, make=True)
                return
            except FileNotFoundError as fault:  # another command has removed the folder, which it had made
                gone = fault
            except BlockingIOError as fault:
                raise UserError(
                    f"`output` {self.folder}: another `predict` is writing there; wait until it has ended, or choose "
                    "another folder"
                ) from fault
            except OSError as fault:
                if not os.path.lexists(self.path):
                    raise  # the folder is to blame
                reason = (fault.strerror or type(fault).__name__).lower()
                line = f"{self.path}: cannot be used ({reason}); remove it, or choose another `output`"
                raise UserError(line) from fault
        raise gone


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
    """Read what is sound of a journal: the settings of each command by their key, and the files that they predicted."""
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
