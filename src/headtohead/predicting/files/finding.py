"""What there is to predict: every image, volume and folder of slices below a folder, as one job each."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from headtohead.errors import UserError
from headtohead.predicting.files.naming import INPUTS, ending, is_mask, is_volume, shown, stem
from headtohead.predicting.files.sequences import sequence_in_name
from headtohead.trained.facts import IMAGE

Kind = Literal["nifti", "picture", "folder"]


@dataclass(frozen=True)
class Job:
    """One case to predict, as it lies on disk.

    Attributes:
        name: how it is called to the user: the path of its first file below the source, without suffix; of a folder
            of slices, the folder's. The suffix stays where two jobs would have one name.
        files: what it is read from; the first gives its outputs their names and their grid.
        kind: `nifti`, `picture`, or `folder`: the slices of one case, a file each, in their order.
        sequences: which sequence each file is (`pre`, `flair`, `post`), where they say so; empty where one file is all.
        relative: path of the first file below the source; of a folder of slices, the folder's (`.`: the source).
    """

    name: str
    files: tuple[Path, ...]
    kind: Kind
    sequences: tuple[str, ...]
    relative: Path


def find_jobs(source: Path, pattern: str, sequences: tuple[str, ...], ends: tuple[str, ...]) -> list[Job]:
    """List what is to be predicted in a folder and all below it, without opening a file.

    Files of one case named after their sequences (`X_flair.nii.gz`, `X_t1.nii.gz`) are one job, and so are slices in
    the layout of LGG (`X/X_1.tif`, `X/X_2.tif`). Truths, hidden files and our own outputs are no inputs. What has the
    name of an input but cannot be read as one is a job nevertheless: reading it says what is wrong.

    Args:
        source: a folder, or one file.
        pattern: glob on the path below the folder, case ignored, such as `**/*_T2w.nii.gz`; empty: all files.
        sequences: of the model, as `ModelFacts.sequences`; files of one case are grouped by these.
        ends: how the names of our own outputs end, with or without suffix, such as `_mask.nii`.

    Returns:
        Jobs in the order of their names.

    Raises:
        UserError: there is no such file or folder, or nothing to predict in it.
    """
    if not os.path.lexists(source):
        raise UserError(f"--predict {shown(source)}: no such file or folder")
    outputs = tuple(end for end in (stem(Path(end)).lower() for end in ends) if end)
    if not source.is_dir():
        _refuse_file(source, outputs)
        beside = [path for path in _listing(source.parent) if is_volume(path)] if is_volume(source) else [source]
        usable = [path for path in beside if path == source or not _never_input(path, outputs)]
        return [job for job in _jobs(source.parent, usable, sequences) if source in job.files]
    every = list(_walk(source))
    found = [path for path in every if not _never_input(path, outputs)]
    if pattern:
        wanted = _translate(pattern)
        found = [path for path in found if wanted.fullmatch(path.relative_to(source).as_posix())]
    if not found:
        raise UserError(f"--predict {shown(source)}: {_nothing(every, pattern)}")
    return _jobs(source, found, sequences)


def _nothing(every: list[Path], pattern: str) -> str:
    if pattern and every:
        hint = "" if "**" in pattern else f"; for all folders below it: --pattern '**/{pattern}'"
        return f"no image matches --pattern {pattern}{hint}"
    if every:
        return "only masks and outputs of earlier predictions in it; name the folder of the images"
    return f"nothing to predict in it; name a folder with {', '.join(INPUTS)}"


def _refuse_file(path: Path, outputs: tuple[str, ...]) -> None:
    if not ending(path):
        raise UserError(f"--predict {shown(path)}: not a file this program reads; name {', '.join(INPUTS)}")
    if _never_input(path, outputs):
        raise UserError(f"--predict {shown(path)}: by its name a mask or an output; name its image")


def _never_input(path: Path, outputs: tuple[str, ...]) -> bool:
    return is_mask(path) or stem(path).lower().endswith(outputs)


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
        inside = _listing(folder)
        if folder != source and ending(folder) and not any(ending(path) or path.is_dir() for path in inside):
            yield folder  # named like an input, and nothing in it that would explain the name
        for path in inside:
            if path.is_dir():
                (linked if path.is_symlink() else waiting).append(path)
                if not os.access(path, os.R_OK | os.X_OK):
                    yield path
            elif ending(path):
                yield path


def _listing(folder: Path) -> list[Path]:
    # Hidden: files in the making, and the twins that macOS leaves beside each file on foreign disks.
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _translate(pattern: str) -> re.Pattern[str]:
    """Turn a glob into a regular expression on paths with `/`; `**/` is any number of folders, also none."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    out = []
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]]*\]|.", pattern.removeprefix("./"), re.DOTALL):
        if token[0] == "[" and len(token) > 1:
            inside = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"[{'^' + inside[1:] if inside.startswith('!') else inside.replace('^', chr(92) + '^')}]")
        else:
            out.append(parts.get(token, re.escape(token)))
    try:
        return re.compile("".join(out), re.IGNORECASE | re.DOTALL)
    except re.error:
        raise UserError(f"--pattern {pattern}: not a pattern; write such as '**/*_T2w.nii.gz'") from None


def _jobs(source: Path, files: Iterable[Path], sequences: tuple[str, ...]) -> list[Job]:
    by_folder = defaultdict(list)
    for path in files:
        by_folder[path.parent].append(path)
    jobs = []
    for folder, inside in by_folder.items():
        slices = _slices_of_case(folder, inside)
        if slices:
            relative = folder.relative_to(source)
            name = (relative if relative.name else Path(folder.absolute().name)).as_posix()
            jobs.append(Job(shown(name), tuple(slices), "folder", (), relative))
        others = [path for path in inside if path not in set(slices)]
        for group, named in _groups(others, sequences):
            relative = group[0].relative_to(source)
            kind: Kind = "picture" if group[0].suffix and not is_volume(group[0]) and not group[0].is_dir() else "nifti"
            jobs.append(
                Job(shown(relative.with_name(stem(group[0]) or group[0].name).as_posix()), group, kind, named, relative)
            )
    twice = Counter(job.name for job in jobs)
    jobs = [replace(job, name=shown(job.relative.as_posix())) if twice[job.name] > 1 else job for job in jobs]
    return sorted(jobs, key=lambda job: (job.name.casefold(), job.name))


def _slices_of_case(folder: Path, files: list[Path]) -> list[Path]:
    """Give the slices `<folder>_<number>.tif` in the order of their numbers; none where two kinds of file compete."""
    numbered = re.compile(re.escape(folder.absolute().name) + r"_(\d+)", re.DOTALL)
    found = {path: int(match[1]) for path in files if not is_volume(path) and (match := numbered.fullmatch(stem(path)))}
    one_kind = len({ending(path).lower() for path in found}) == 1 and len(set(found.values())) == len(found)
    return sorted(found, key=lambda path: found[path]) if one_kind else []


def _groups(files: list[Path], sequences: tuple[str, ...]) -> Iterator[tuple[tuple[Path, ...], tuple[str, ...]]]:
    """Put the files of a case together, FLAIR first, since its grid is the one the lesion was outlined on."""
    cases: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for path in files:
        named = sequence_in_name(stem(path)) if sequences != IMAGE and is_volume(path) else None
        if named is None:
            yield (path,), ()
        else:
            cases[named[0]].append((named[1], path))
    order = ("flair", *sequences)
    for members in cases.values():
        used = sorted((one for one in members if one[0] in sequences), key=lambda one: order.index(one[0]))
        if used:
            yield tuple(path for _, path in used), tuple(sequence for sequence, _ in used)
        else:  # a sequence no model here was made for, alone: it may still stand in for FLAIR
            yield from (((path,), ()) for _, path in members)
