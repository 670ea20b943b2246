"""The files that a result was made from, as they were: read again later, they tell whether it still holds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.written import truths_of

Stamp = tuple[str, str, int, int]
"""Name, sequence (empty: not said), bytes, and nanoseconds at which it was changed."""


@dataclass(frozen=True)
class Inputs:
    """The files of a job.

    Attributes:
        files: what it is read from, in order.
        truth: the truth beside them; None where that cannot be told, since a result of ours has its name.
    """

    files: tuple[Stamp, ...]
    truth: tuple[Stamp, ...] | None

    def unchanged_since(self, earlier: "Inputs") -> bool:
        """Say whether what was made from the earlier files could be made from these."""
        same = self.truth is None or self.truth == earlier.truth
        return self.files == earlier.files and same


def inputs_of(job: Job, planned: Collection[Path]) -> Inputs:
    """Look at the files of a job.

    Args:
        job: what is to be predicted.
        planned: absolute paths that the command writes.

    Raises:
        OSError: one is not there.
        UserError: what its truth is cannot be decided.
    """
    files = tuple(_stamp(path, named) for path, named in zip_longest(job.files, job.sequences[: len(job.files)]))
    truths = truths_of(job)
    hidden = any(path.absolute() in planned for path in truths)
    return Inputs(files, None if hidden else _stamps(truths))


def _stamps(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    return tuple(_stamp(path, "") for path in paths)


def _stamp(path: Path, sequence: str | None) -> Stamp:
    found = path.stat()
    return path.name, sequence or "", found.st_size, found.st_mtime_ns
