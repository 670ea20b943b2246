"""Which files `--predict` wrote, so that no mask of anybody else is ever replaced, or taken for a truth of theirs.

A mask beside an image is the same file by name whether it was predicted or drawn by hand, and a predicted one becomes
a truth once somebody has corrected it. So the folder keeps the checksum of what was written: a mask that is not
listed, or has changed since, belongs to somebody. Such a list says something of all files below its folder, whichever
of them a later command names.
"""

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from headtohead.errors import UserError
from headtohead.predicting.files.finding import Job
from headtohead.readers.truth_beside import truth_beside
from headtohead.records.regular import UnreadableError, read_regular
from headtohead.saving import append_text, write_text

FILE = "predicted.sha256"
"""In the format of `sha256sum`, so `sha256sum --check predicted.sha256` says what was changed."""

LARGEST = 64 << 20
"""Bytes, of which a line takes about 100. The list may be anybody's: each folder above the inputs is asked for one."""
LINE = re.compile(rb"(?P<escaped>\\?)(?P<sum>[0-9a-f]{64})  (?P<name>[^\n]+)\n?")
ODD = "surrogateescape"  # a file's name need not be text


class Written:
    """The files written into one output folder, by their paths below it, with their checksums.

    Kept on disk file by file, each before it gets its name, so that a killed command leaves none that is not listed.
    Until it has its name, what stood there before is ours as well: a file may have several checksums, the latest last.

    Raises:
        UserError: the list is no file, too large, or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE
        self.sums: dict[str, list[str]] = {}
        try:
            content = read_regular(self.path, LARGEST)
        except FileNotFoundError:
            return
        except UnreadableError as fault:
            raise UserError(f"{self.path}: cannot be used ({fault}); remove it, or choose another `output`") from fault
        for line in map(LINE.fullmatch, BytesIO(content)):
            if line:
                name = line["name"].decode(errors=ODD)
                self._expect(_plain(name) if line["escaped"] else name, line["sum"].decode())

    def ours(self, path: Path) -> bool:
        """Say whether a file was written by `--predict` and has not been changed since."""
        expected = self.sums.get(name_below(path, self.folder))
        return expected is not None and path.is_file() and checksum(path) in expected

    def expect(self, sums: Mapping[str, str]) -> None:
        """Take down files that are about to get their names, by their paths below the folder.

        Raises:
            UserError: as `told`; they must not get them then.
        """
        append_text(self.path, "".join(_line(*pair) for pair in sums.items()), ODD)
        for name, known in sums.items():
            self._expect(name, known)

    def settle(self, sums: Mapping[str, str]) -> None:
        """Take files for what is there now, also should the list have lost them."""
        self.sums |= {name: [known] for name, known in sums.items()}

    def tidy(self) -> None:
        """Write the list anew: each file once, without those that are gone."""
        there = {name: known for name, known in sorted(self.sums.items()) if (self.folder / name).is_file()}
        for name, known in there.items():
            if len(known) > 1 and (found := checksum(self.folder / name)) in known:
                there[name] = [found]
        self.sums = {name: known[-1:] for name, known in there.items()}
        if self.sums:
            write_text(self.path, "".join(_line(name, known) for name, [known] in self.sums.items()), errors=ODD)
        else:
            self.path.unlink(missing_ok=True)

    def _expect(self, name: str, known: str) -> None:
        self.sums[name] = [*(one for one in self.sums.get(name, ()) if one != known), known]


def name_below(path: Path, folder: Path) -> str:
    """Give the path of a file below a folder, as it is listed; empty where it is not below it."""
    above = folder.absolute()
    return path.absolute().relative_to(above).as_posix() if path.absolute().is_relative_to(above) else ""


class Records:
    """The lists of what earlier commands wrote, wherever they lie: in a file's folder, or in any above it.

    Each is read once; `current`, which is being written to, counts as it is now.
    """

    def __init__(self, current: Written | None = None) -> None:
        self._known: dict[Path, Written | None] = {current.folder.resolve(): current} if current else {}

    def ours(self, path: Path) -> bool:
        """Say whether a file was written by `--predict` and has not been changed since."""
        # Of a file that is reached through a link, the list lies beside the file itself.
        places = dict.fromkeys((path.absolute(), Path(os.path.realpath(path))))
        return any(self._listed(place, folder) for place in places for folder in place.parents)

    def _listed(self, path: Path, folder: Path) -> bool:
        real = folder.resolve()
        if real not in self._known:
            self._known[real] = None
            with suppress(UserError):  # a list that cannot be read says nothing
                self._known[real] = Written(real)
        record = self._known[real]
        return record is not None and bool(record.sums) and record.ours(record.folder / path.relative_to(folder))


def truth_is_ours(job: Job, records: Records, planned: Collection[Path] = ()) -> bool:
    """Say whether what a job is given as its truth was predicted, or is one of the absolute paths to be written."""
    return any(path.absolute() in planned or records.ours(path) for path in truths_of(job))


def truths_of(job: Job) -> list[Path]:
    """List the files that a job is given as its truth, whoever made them: of slices one each, where there is one.

    Raises:
        UserError: as `truth_beside`.
    """
    images = job.files[:1] if job.kind == "nifti" else job.files
    return [path for image in images if (path := truth_beside(image))]


def checksum(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _line(name: str, known: str) -> str:
    # As sha256sum does with a name that would break the line.
    if "\n" in name or "\\" in name:
        return "\\" + known + "  " + name.replace("\\", "\\\\").replace("\n", "\\n") + "\n"
    return f"{known}  {name}\n"


def _plain(name: str) -> str:
    return name.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")
