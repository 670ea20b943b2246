"""The journal of an output folder: which files are predicted, by what and from what, while a command is not finished.

A line is added before the results of a file get their names, so that after a kill at any moment the same command finds
what is whole, and what it may replace. Lines of other commands stay. The journal is removed with its last line: when
the command that wrote it has predicted all of its files.

It may come with a folder from elsewhere. So no path in it is ever opened: the results of a job are looked up under the
names that this command gives them, and count if their checksums are those of the line.
"""

import errno
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from headtohead.claiming import hold
from headtohead.disk_faults import told
from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.deciding import Settings, difference, key_of
from headtohead.predicting.results.entries import Entry, Sources, head_line, read_journal
from headtohead.predicting.results.outputs import Paths
from headtohead.predicting.results.summary import Rows
from headtohead.predicting.results.written import checksum, name_below
from headtohead.saving import append_text, write_text

FILE = ".predicting.jsonl"
TRIES = 100


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
            UserError: another command is at work in the folder, it cannot be made or written to, or the file is none
                of ours.
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
        with suppress(OSError):
            if handle is not None and self._is_empty(handle):
                self.path.unlink()
        if handle is not None and handle >= 0:
            os.close(handle)
        for folder in self._made:
            with suppress(OSError):  # something lies in it
                folder.rmdir()

    def knows(self, job: Job) -> bool:
        """Say whether this command has predicted a job before, whatever has become of it since."""
        return job.name in self.own

    def finished(self, job: Job, paths: Paths, inputs: Sources) -> Entry | None:
        """Find what this command has predicted before of a job, from the same inputs, if its results are whole.

        Args:
            job: the job.
            paths: its results.
            inputs: its files as they are now.
        """
        names = {name_below(path, self.folder): path for kind in paths.values() for path in kind}
        same = [entry for entry in self.own.get(job.name, ()) if inputs.unchanged_since(entry.sources)]
        same = [entry for entry in same if entry.outputs.keys() == names.keys()]
        if not same or not all(path.is_file() for path in names.values()):
            return None
        there = {name: checksum(path) for name, path in names.items()}
        return next((entry for entry in reversed(same) if entry.outputs == there), None)

    def left_over(self, path: Path) -> bool:
        """Say whether a file is as this command wrote it, when it did not come to its end."""
        return self._wrote(path, self._every_own)

    def origin(self, path: Path) -> str:
        """Say which other settings the unfinished command had that wrote a file; empty: none did."""
        by = next((entry.by for entry in reversed(self.others) if self._wrote(path, [entry])), "")
        return difference(self.commands[by], self.settings) if by in self.commands else ""

    def add(self, rows: Rows, inputs: Sources, outputs: Mapping[Path, str]) -> None:
        """Take down a file whose results are about to get their names.

        Args:
            rows: its lines of the summary.
            inputs: its files, as they were before they were read.
            outputs: its results -> their SHA-256.

        Raises:
            UserError: as `told`; they must not get them then.
        """
        named = {name_below(path, self.folder): known for path, known in outputs.items()}
        entry = Entry(self.key, rows, inputs, named)
        head = "" if self.key in self.commands else head_line(self.key, self.settings)
        append_text(self.path, head + entry.line)
        self.commands[self.key] = self.settings
        self._keep(entry)

    def conclude(self, done: Iterable[str], complete: bool) -> None:
        """Keep what a later command needs: nothing of this one, if all of its files are done.

        Args:
            done: names of the jobs that are done.
            complete: whether these are all jobs of this command.
        """
        names = set(done)
        over = complete and self.own.keys() <= names
        replaced = {name for file in names for entry in self.own.get(file, ()) for name in entry.outputs}
        kept = [entry for entry in self.others if not replaced & entry.outputs.keys()]
        kept += [] if over else self._every_own
        if not kept:
            self.path.unlink(missing_ok=True)
        elif len(kept) < len(self.others) + len(self._every_own):
            heads = [head_line(by, self.commands[by]) for by in dict.fromkeys(entry.by for entry in kept)]
            write_text(self.path, "".join([*heads, *(entry.line for entry in kept)]))

    @property
    def _every_own(self) -> list[Entry]:
        return [entry for entries in self.own.values() for entry in entries]

    def _keep(self, entry: Entry) -> None:
        if entry.by == self.key:
            self.own.setdefault(entry.file, []).append(entry)
        else:
            self.others.append(entry)

    def _wrote(self, path: Path, entries: Iterable[Entry]) -> bool:
        name = name_below(path, self.folder)
        known = {entry.outputs[name] for entry in entries if name in entry.outputs}
        return bool(known) and path.is_file() and checksum(path) in known

    def _is_empty(self, handle: int) -> bool:
        """Say whether the file that is held holds nothing; another one by its name is not ours to remove."""
        facts = self.path.lstat()
        return not facts.st_size and (handle < 0 or os.path.samestat(os.fstat(handle), facts))

    def _make_folder(self) -> None:
        # The deepest first.
        self._made += [one for one in (self.folder, *self.folder.parents) if not os.path.lexists(one)]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise UserError(f"`output` {self.folder}: cannot be created ({fault.strerror}); choose another") from fault

    def _hold(self) -> None:
        try:
            for _ in range(TRIES):
                self._make_folder()
                with suppress(FileNotFoundError):  # another command has removed the folder, which it had made
                    self._handle = hold(self.path, make=True)
                    return
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
        except BlockingIOError as fault:
            raise UserError(
                f"`output` {self.folder}: another `predict` is writing there; wait until it has ended, or choose "
                "another folder"
            ) from fault
        except OSError as fault:
            if not os.path.lexists(self.path):
                raise  # the folder is to blame
            reason = (fault.strerror or type(fault).__name__).lower()
            raise UserError(f"{self.path}: cannot be used ({reason}); remove it, or choose another `output`") from fault
