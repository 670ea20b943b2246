"""Files sorted into cases: sequences of one patient together, slices of one folder together, all else alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from headtohead.errors import UserError, printable
from headtohead.predicting.files.naming import ending, is_volume, result_name, stem
from headtohead.predicting.files.nnunet import case_of_channel, channel_names, channels_of_cases
from headtohead.predicting.files.sequences import parse_channels
from headtohead.readers.sequence_names import Named, sequence_in_name
from headtohead.task import Task

Kind = Literal["nifti", "picture", "folder"]


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
    """Make jobs of files.

    Returns:
        Jobs in the order of their names.
    """
    by_folder = defaultdict(list)
    for path in files:
        by_folder[path.parent].append(path)
    jobs = []
    for folder, inside in by_folder.items():
        slices = _slices_of_case(folder, inside)
        if slices:
            relative = folder.relative_to(source)
            name = (relative if relative.name else Path(folder.absolute().name)).as_posix()
            jobs.append(Job(printable(name), tuple(slices), "folder", (), relative))
        others = [path for path in inside if path not in set(slices)]
        jobs += [_below(source, job) for job in _jobs_in_folder(folder, others, task)]
    often = Counter(job.name for job in jobs)
    jobs = [replace(job, name=printable(job.relative.as_posix())) if often[job.name] > 1 else job for job in jobs]
    return sorted(jobs, key=lambda job: (job.name.casefold(), job.name))


def with_siblings(chosen: list[Path], candidates: list[Path], task: Task) -> list[Path]:
    """Add to files that were chosen the other sequences of their cases: files of the same case in the same folder.

    Args:
        chosen: some of the candidates.
        candidates: all that could be chosen.
        task: of the model. What is chosen by a sequence that the model does not know stays alone.
    """
    kept = set(chosen)
    cases = {(path.parent, case_of_channel(path)) for path in chosen if case_of_channel(path)}
    by_folder = defaultdict(list)
    for path in candidates:
        by_folder[path.parent].append(path)
    for folder in {folder for folder, _ in cases}:
        for case, channels in channels_of_cases(by_folder[folder]).items():
            kept |= set(channels.values()) if (folder, case) in cases else set()
    if not task.unnamed:
        named = {path: sequence_in_name(stem(path)) for path in candidates if is_volume(path)}
        wanted = {
            (path.parent, one.case) for path in chosen if (one := named.get(path)) and one.sequence in task.sequences
        }
        kept |= {path for path, one in named.items() if one and (path.parent, one.case) in wanted}
    return [path for path in candidates if path in kept]


def refuse_ignored_channels(jobs: Iterable[Job], channels: str, task: Task) -> None:
    """Refuse `--channels` where nothing that was found could follow it.

    A file that holds one volume and says by its name which sequence that is keeps to its name, unless `--channels`
    asks for nothing but volume 0 (`assigning.assign`).

    Raises:
        UserError: it is given, and would be ignored by every job, or it cannot be read.
    """
    jobs = list(jobs)
    if not channels.strip() or any(job.channels for job in jobs):
        return
    lone = [job for job in jobs if job.kind == "nifti" and len(job.files) == 1]
    if not lone:
        raise UserError(
            f"`channels` {channels}: is for the volumes of one NIfTI file, but here file names or colours say "
            "which sequence is which; leave it out, or rename the files"
        )
    if not any(parse_channels(channels, task).values()) or not all(map(_keeps_to_its_name, lone)):
        return
    raise UserError(
        f"`channels` {channels}: every file here holds one volume, number 0, and its name says which sequence it is; "
        "leave it out, or give a sequence number 0"
    )


def refuse_ignored_plane(jobs: Iterable[Job], plane: str) -> None:
    """Refuse `--plane` where there is no volume to cut.

    Raises:
        UserError: it is given, and all jobs are pictures.
    """
    if plane != "auto" and not any(job.kind == "nifti" for job in jobs):
        raise UserError(f"`plane` {plane}: is for NIfTI volumes, and here are only pictures; leave it out")


def _keeps_to_its_name(job: Job) -> bool:
    """Say whether the file of a job is one volume of a sequence that its name says; its header is read for that."""
    if not job.sequences:
        return False
    from headtohead.readers.nifti_file import open_volume  # not for pictures

    try:
        return open_volume(job.files[0]).volumes == 1
    except UserError:  # a damaged file; reading it says so
        return False


def _below(source: Path, job: Job) -> Job:
    """Name a job by its path below the source."""
    relative = job.relative.relative_to(source)
    return replace(job, relative=relative, name=printable(relative.with_name(result_name(relative)).as_posix()))


def _slices_of_case(folder: Path, files: list[Path]) -> list[Path]:
    """Give the slices `<folder>_<number>.tif` in the order of their numbers; none where two kinds of file compete."""
    numbered = re.compile(re.escape(folder.absolute().name) + r"_([0-9]+)", re.DOTALL)
    found = {path: int(match[1]) for path in files if not is_volume(path) and (match := numbered.fullmatch(stem(path)))}
    one_kind = len({ending(path).lower() for path in found}) == 1 and len(set(found.values())) == len(found)
    return sorted(found, key=lambda path: found[path]) if one_kind else []


def _jobs_in_folder(folder: Path, files: list[Path], task: Task) -> Iterator[Job]:
    """Make jobs of files of one folder; their `relative` is the whole path still, and they have no name."""
    numbered = channels_of_cases(files)
    names = channel_names(folder) if numbered else {}
    taken: set[Path] = set()
    for case, channels in numbered.items():
        if len(channels) > 1 or names:  # else a volume like any other
            taken |= set(channels.values())
            yield _channels(case, channels, names, task)
    cases: dict[str, list[tuple[Named, Path]]] = defaultdict(list)
    for path in files:
        named = sequence_in_name(stem(path)) if not task.unnamed and is_volume(path) else None
        if path in taken:
            continue
        if named is None:
            yield Job("", (path,), "nifti" if is_volume(path) or path.is_dir() else "picture", (), path)
        else:
            cases[named.case].append((named, path))
    for members in cases.values():
        yield from _sequences(members, task)


def _channels(case: str, channels: dict[int, Path], names: dict[int, str], task: Task) -> Job:
    """Make a job of the channels of a case of nnU-Net, the one that the model needs first if it is known."""
    order = sorted(channels, key=lambda number: names.get(number) != task.primary)
    path = channels[order[0]]
    said = tuple(names.get(number, "") for number in order)
    known = said if not task.unnamed and any(said) else ()
    return Job(
        "",
        tuple(channels[number] for number in order),
        "nifti",
        known,
        path.with_name(f"{case}{ending(path)}"),
        tuple(order) if known or len(order) > 1 else (),
    )


def _sequences(members: list[tuple[Named, Path]], task: Task) -> Iterator[Job]:
    """Put the sequences of a case together, the primary one first, since lesions are outlined on its grid.

    Each primary one is a job, with the other sequences that were treated alike (`x_flair_bet`, `x_t1_bet`), or the
    only ones.
    A case without any is a job all the same: reading it says what is wrong.
    """
    leading = [(named, path) for named, path in members if named.sequence == task.primary]
    if not leading:
        yield Job(
            "", tuple(path for _, path in members), "nifti", tuple(one.sequence for one, _ in members), members[0][1]
        )
        return
    jobs = []
    for first, path in leading:
        chosen = [(first, path)]
        for sequence in (one for one in task.sequences if one != task.primary):
            found = [(named, other) for named, other in members if named.sequence == sequence]
            alike = [(named, other) for named, other in found if named.variant == first.variant]
            chosen += alike or found
        files = tuple(other for _, other in chosen)
        jobs.append(Job("", files, "nifti", tuple(named.sequence for named, _ in chosen), path))
    used = {path for job in jobs for path in job.files}
    rest = tuple(path for _, path in members if path not in used)
    yield replace(jobs[0], unused=rest)
    yield from jobs[1:]
