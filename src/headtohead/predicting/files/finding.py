"""What there is to predict: every image, volume and folder of slices below a folder, as one job each."""

import os
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from headtohead.errors import UserError, printable
from headtohead.predicting.files.grouping import Job, jobs_of, with_siblings
from headtohead.readers.file_names import INPUTS, ending, is_mask, is_volume, stem
from headtohead.task import Task

__all__ = ["Job", "find_jobs"]

RESULTS_ONLY = (
    "it holds only results of `predict`; give other images, or copy these to a folder where no predicted.sha256 lists "
    "them"
)


def find_jobs(
    source: Path,
    pattern: str,
    task: Task,
    ends: tuple[str, ...],
    ours: Callable[[Path], bool] = lambda _: False,
    option: str = "predict",
) -> list[Job]:
    """List what is to be predicted in a folder and all below it, without opening a file.

    Files of one case named after their sequences (`X_flair.nii.gz`, `X_t1.nii.gz`) are one job, and so are slices in
    the layout of LGG (`X/X_1.tif`, `X/X_2.tif`). Truths, hidden files and our own outputs are no inputs. What has the
    name of an input but cannot be read as one is a job nevertheless: reading it says what is wrong.

    Args:
        source: a folder, or one file; the other sequences of its case come with it.
        pattern: glob on the path below the folder, letter case ignored, such as `**/*_T2w.nii.gz`; empty: all files.
            It chooses cases: the other sequences of one that it names come with it.
        task: of the model; files of one case are grouped by its sequences.
        ends: how the names of our own outputs end, with or without suffix, such as `_mask.nii`.
        ours: says of a file whether it is an output of an earlier command, whatever its name.
        option: what the user named the file with.

    Returns:
        Jobs in the order of their names.

    Raises:
        UserError: there is no such file or folder, or nothing to predict in it.
    """
    outputs = tuple(end for end in (stem(Path(end)).lower() for end in ends if end) if end)
    refuse_missing(source)
    if not source.is_dir():
        if pattern:
            raise UserError(
                f"`pattern` {pattern}: chooses files of a folder, and {printable(source)} is none; leave it out"
            )
        return _file_jobs(source, task, outputs, ours, f"`{option}` {printable(source)}")
    every = list(_walk(source))
    inputs = found = [path for path in every if not _never_input(path, outputs)]
    if pattern:
        wanted = pattern.lower().removeprefix("./").split("/")
        found = [path for path in inputs if _matches(path.relative_to(source).as_posix().lower().split("/"), wanted)]
        found = with_siblings(found, inputs, task)
    if not found:
        raise UserError(f"`predict` {printable(source)}: {_nothing(every, pattern)}")
    others = [path for path in found if not ours(path)]
    if not others:
        raise UserError(f"`predict` {printable(source)}: {RESULTS_ONLY}")
    return jobs_of(source, others, task)


def refuse_missing(source: Path) -> None:
    """Raise a UserError where there is no such file or folder."""
    if not os.path.lexists(source):
        raise UserError(f"`predict` {printable(source)}: no such file or folder")


def _file_jobs(path: Path, task: Task, outputs: tuple[str, ...], ours: Callable[[Path], bool], label: str) -> list[Job]:
    if not ending(path):
        raise UserError(f"{label}: not a file this program reads; name {', '.join(INPUTS)}")
    if _never_input(path, outputs):
        raise UserError(f"{label}: named as a mask or an output; give its image instead")
    if ours(path):
        raise UserError(f"{label}: {RESULTS_ONLY}")
    if not is_volume(path):
        return [Job(printable(stem(path)), (path,), "picture", (), Path(path.name))]
    beside = [one for one in _listing(path.parent) if is_volume(one) and not _never_input(one, outputs)]
    jobs = jobs_of(path.parent, dict.fromkeys([path, *(one for one in beside if not ours(one))]), task)
    # A sequence that its case does not use is asked for by itself.
    return [job for job in jobs if path in job.files] or jobs_of(path.parent, [path], task)


def _never_input(path: Path, outputs: tuple[str, ...]) -> bool:
    return is_mask(path) or stem(path).lower().endswith(outputs)


def _nothing(every: list[Path], pattern: str) -> str:
    if pattern and every:
        hint = "" if "**" in pattern else f"; to search its subfolders too: `pattern` '**/{pattern}'"
        return f"no image in it matches `pattern` {pattern}{hint}"
    if every:
        return "it holds only masks and outputs of earlier predictions; give the folder of the images"
    return f"nothing to predict in it; name a folder with {', '.join(INPUTS)} files"


def _walk(source: Path) -> Iterator[Path]:
    """Give every file below a folder that has the name of an input, each folder once whatever links lead to it."""
    seen: set[str] = set()
    waiting, linked = [source], list[Path]()
    while waiting or linked:
        # Links wait until all real folders were visited, so that a file goes by the name of the folder it lies in.
        folder = waiting.pop() if waiting else linked.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        if not os.access(folder, os.R_OK | os.X_OK):
            yield folder  # reading it will say why
        inside = _listing(folder)
        if folder != source and ending(folder) and not any(ending(path) or path.is_dir() for path in inside):
            yield folder  # named like an input, and nothing in it to explain the name
        for path in inside:
            if path.is_dir():
                (linked if path.is_symlink() else waiting).append(path)
            elif ending(path):
                yield path


def _listing(folder: Path) -> list[Path]:
    # Hidden are files in the making, and the twins that macOS leaves beside each file on foreign disks.
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _matches(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Match a path with a glob, folder by folder; `**` is any number of folders, also none."""
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return _matches(parts, patterns[1:]) or (bool(parts) and _matches(parts[1:], patterns))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])
