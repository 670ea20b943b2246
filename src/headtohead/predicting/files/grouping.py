"""Files sorted into cases: sequences of one patient together, slices of one folder together, all else alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from headtohead.errors import printable
from headtohead.readers.file_names import ending, is_volume, stem
from headtohead.readers.other_layouts import CHANNEL
from headtohead.readers.sequence_names import Named, sequence_in_name
from headtohead.task import Task

Kind = Literal["nifti", "picture", "folder"]

MOST_CHANNELS = 16
"""Of a case of nnU-Net; more files of one name and a number are a series of scans."""


@dataclass(frozen=True)
class Job:
    """One case to predict, as it lies on disk.

    Attributes:
        name: how it is called to the user: the path of its first file below the source, without suffix; of a folder
            of slices, the folder's; of channels of nnU-Net, the case's. The suffix stays where two jobs would have one
            name.
        files: what it is read from; the first gives its outputs their grid.
        kind: `nifti`, `picture`, or `folder`: the slices of one case, a file each, in their order.
        sequences: which sequence each file is (`flair`, `pre`, `t2`), as its name says or a `dataset.json`; empty
            where nothing says so.
        relative: path of the first file below the source, after which outputs are named; of a folder of slices, the
            folder's (`.`: the source).
        channels: number of each file in the names of nnU-Net; empty where files are named otherwise.
        unused: further files of the case, which no model here looks at.
        context: of a lone picture, all slices of its case in their order, which are read with it; empty: it is alone.
    """

    name: str
    files: tuple[Path, ...]
    kind: Kind
    sequences: tuple[str, ...]
    relative: Path
    channels: tuple[int, ...] = ()
    unused: tuple[Path, ...] = ()
    context: tuple[Path, ...] = ()


def jobs_of(source: Path, files: Iterable[Path], task: Task) -> list[Job]:
    """Make jobs of files, in the order of their names."""
    jobs = []
    for folder, inside in by_folder(files).items():
        slices = _slices_of_case(folder, inside)
        if slices:
            relative = folder.relative_to(source)
            name = relative.as_posix() if relative.name else folder.absolute().name
            jobs.append(Job(printable(name), tuple(slices), "folder", (), relative))
        for job in _jobs_in_folder(folder, [path for path in inside if path not in set(slices)], task):
            relative = job.relative.relative_to(source)
            own = stem(relative) if stem(relative).strip(".") else relative.name  # of `.nii`
            jobs.append(replace(job, relative=relative, name=printable(relative.with_name(own).as_posix())))
    often = Counter(job.name for job in jobs)
    jobs = [replace(job, name=printable(job.relative.as_posix())) if often[job.name] > 1 else job for job in jobs]
    return sorted(jobs, key=lambda job: (job.name.casefold(), job.name))


def by_folder(files: Iterable[Path]) -> dict[Path, list[Path]]:
    """Sort files into the folders that they lie in."""
    folders = defaultdict(list)
    for path in files:
        folders[path.parent].append(path)
    return folders


def with_siblings(chosen: list[Path], candidates: list[Path], task: Task) -> list[Path]:
    """Add to files chosen among candidates the other sequences of their cases, which lie in the same folders.

    What is chosen by a sequence that the model does not know stays alone.
    """
    picked, kept = set(chosen), set(chosen)
    for inside in by_folder(candidates).values():
        for channels in _channels_of_cases(inside).values():
            files = {path for _, path in channels}
            kept |= files if picked & files else set()
        named = {path: one for path in inside if (one := _named(path, task))}
        wanted = {one.case for path, one in named.items() if path in picked and one.sequence in task.sequences}
        kept |= {path for path, one in named.items() if one.case in wanted}
    return [path for path in candidates if path in kept]


def slices_around(path: Path) -> tuple[Path, ...]:
    """List the slices of a picture's case in their order; the picture alone where its folder is not a case."""
    found = _slices_of_case(path.parent, [file for file in path.parent.iterdir() if file.suffix == path.suffix])
    return tuple(found) if path in found else (path,)


def _slices_of_case(folder: Path, files: list[Path]) -> list[Path]:
    """Give the slices `<folder>_<number>.tif` in the order of their numbers; none where two kinds of file compete."""
    numbered = re.compile(re.escape(folder.absolute().name) + r"_([0-9]+)", re.DOTALL)
    found = {path: int(match[1]) for path in files if not is_volume(path) and (match := numbered.fullmatch(stem(path)))}
    one_kind = len({ending(path).lower() for path in found}) == 1 and len(set(found.values())) == len(found)
    return sorted(found, key=lambda path: found[path]) if one_kind else []


def _named(path: Path, task: Task) -> Named | None:
    """Take the name of a volume apart; None of what a model of unnamed images is to take as it is."""
    return sequence_in_name(stem(path)) if not task.unnamed and is_volume(path) else None


def _jobs_in_folder(folder: Path, files: list[Path], task: Task) -> Iterator[Job]:
    """Make jobs of files of one folder; their `relative` is the whole path still, and they have no name."""
    numbered = _channels_of_cases(files)
    names: dict[int, str] = {}
    if numbered:
        from headtohead.readers.nnunet import channel_names  # not for pictures

        names = channel_names(folder)
    taken: set[Path] = set()
    for case, channels in numbered.items():
        if len(dict(channels)) > 1 or names:  # else a volume like any other
            taken |= {path for _, path in channels}
            yield _channels(case, channels, names, task)
    cases: dict[str, list[tuple[Named, Path]]] = defaultdict(list)
    for path in files:
        if path in taken:
            continue
        if named := _named(path, task):
            cases[named.case].append((named, path))
        else:
            yield Job("", (path,), "nifti" if is_volume(path) or path.is_dir() else "picture", (), path)
    for members in cases.values():
        yield from _sequences(members, task)


def _channels(case: str, channels: list[tuple[int, Path]], names: dict[int, str], task: Task) -> Job:
    """Make a job of the channels of a case of nnU-Net, the one that the model needs first if it is known."""
    channels = sorted(channels, key=lambda one: names.get(one[0]) != task.primary)
    order, files = zip(*channels, strict=True)
    said = tuple(names.get(number, "") for number in order)
    known = said if not task.unnamed and any(said) else ()
    numbers = order if known or len(order) > 1 else ()
    return Job("", files, "nifti", known, files[0].with_name(f"{case}{ending(files[0])}"), numbers)


def _sequences(members: list[tuple[Named, Path]], task: Task) -> Iterator[Job]:
    """Put the sequences of a case together, the primary one first, since lesions are outlined on its grid.

    Each primary one is a job, with the other sequences that were treated alike (`x_flair_bet`, `x_t1_bet`), or the
    only ones. A case without any is a job all the same, as is one with two files of one sequence: reading it says what
    is wrong.
    """
    groups: list[list[tuple[Named, Path]]] = []
    for first in (one for one in members if one[0].sequence == task.primary):
        if twin := next((group for group in groups if group[0][0] == first[0]), None):
            twin.append(first)
            continue
        groups.append([first])
        for sequence in (one for one in task.sequences if one != task.primary):
            found = [one for one in members if one[0].sequence == sequence]
            alike = [one for one in found if one[0].variant == first[0].variant]
            groups[-1] += alike or found
    groups = groups or [members]
    used = {path for group in groups for _, path in group}
    rest = tuple(path for _, path in members if path not in used)
    for number, group in enumerate(groups):
        files, sequences = tuple(path for _, path in group), tuple(named.sequence for named, _ in group)
        yield Job("", files, "nifti", sequences, files[0], unused=() if number else rest)


def _channels_of_cases(files: Iterable[Path]) -> dict[str, list[tuple[int, Path]]]:
    """Find cases named as nnU-Net has it, `case_0000.nii.gz`, `case_0001.nii.gz`, among the files of one folder.

    Returns:
        Case -> number and file of each channel, in order, also where two files have one number. Only of cases that have
        a channel 0: `_0001`, `_0002` may be points in time.
    """
    cases: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for path in files:
        if is_volume(path) and (match := CHANNEL.fullmatch(stem(path))):
            cases[match["case"]].append((int(match["channel"]), path))
    return {case: sorted(of) for case, of in cases.items() if min(of)[0] == 0 and max(of)[0] < MOST_CHANNELS}
