"""Files sorted into cases: sequences of one patient together, slices of one folder together, all else alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from headtohead.cohort.cohort import IMAGE
from headtohead.errors import UserError
from headtohead.predicting.files.naming import ending, is_volume, shown, stem
from headtohead.predicting.files.sequences import parse_channels, sequence_in_name

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


def jobs_of(source: Path, files: Iterable[Path], sequences: tuple[str, ...]) -> list[Job]:
    """Make jobs of files.

    Args:
        source: the folder that they all lie below.
        files: what is to be predicted.
        sequences: of the model, as `ModelFacts.sequences`.

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
            jobs.append(Job(shown(name), tuple(slices), "folder", (), relative))
        others = [path for path in inside if path not in set(slices)]
        for group, named in _groups(others, sequences):
            relative = group[0].relative_to(source)
            kind: Kind = "nifti" if is_volume(group[0]) or group[0].is_dir() else "picture"
            name = relative.with_name(stem(group[0]) or group[0].name).as_posix()
            jobs.append(Job(shown(name), group, kind, named, relative))
    often = Counter(job.name for job in jobs)
    jobs = [replace(job, name=shown(job.relative.as_posix())) if often[job.name] > 1 else job for job in jobs]
    return sorted(jobs, key=lambda job: (job.name.casefold(), job.name))


def with_siblings(chosen: list[Path], candidates: list[Path], sequences: tuple[str, ...]) -> list[Path]:
    """Add to files that were chosen the other sequences of their cases: files of the same stem in the same folder.

    Args:
        chosen: some of the candidates.
        candidates: all that could be chosen.
        sequences: of the model. What is chosen by a sequence that the model does not know stays alone.
    """
    cases = {case for path in chosen if (case := _case(path, sequences))}
    kept = set(chosen)
    return [path for path in candidates if path in kept or _case(path, sequences) in cases]


def refuse_ignored_channels(jobs: Iterable[Job], channels: str, sequences: tuple[str, ...] = ()) -> None:
    """Refuse `--channels` where nothing that was found could follow it.

    A file that holds one volume and says by its name which sequence that is keeps to its name, unless `--channels`
    asks for nothing but volume 0 (`volumes.assign`).

    Args:
        jobs: what was found.
        channels: as given.
        sequences: of the model; not needed for pictures.

    Raises:
        UserError: it is given, and would be ignored by every job, or it cannot be read.
    """
    if not channels.strip():
        return
    lone = [job for job in jobs if job.kind == "nifti" and len(job.files) == 1]
    if not lone:
        raise UserError(
            f"--channels {channels}: tells the volumes of one NIfTI file apart, but here names or colours say which "
            "sequence is which; leave it out, or rename the files"
        )
    if not any(parse_channels(channels, sequences).values()) or not all(map(_keeps_to_its_name, lone)):
        return
    raise UserError(
        f"--channels {channels}: here every file holds one volume, number 0, and its name says which sequence it is; "
        "leave it out, or give a sequence number 0"
    )


def _keeps_to_its_name(job: Job) -> bool:
    """Say whether the file of a job is one volume of a sequence that its name says; its header is read for that."""
    if not job.sequences:
        return False
    from headtohead.predicting.files.nifti import open_nifti  # not for pictures

    try:
        return open_nifti(job.files[0]).volumes == 1
    except UserError:  # a damaged file; reading it says so
        return False


def _case(path: Path, sequences: tuple[str, ...]) -> tuple[Path, str] | None:
    """Folder and stem of a case, of a file whose name says which of the model's sequences it is."""
    named = sequence_in_name(stem(path)) if sequences != IMAGE and is_volume(path) else None
    return (path.parent, named[0]) if named and named[1] in sequences else None


def _slices_of_case(folder: Path, files: list[Path]) -> list[Path]:
    """Give the slices `<folder>_<number>.tif` in the order of their numbers; none where two kinds of file compete."""
    numbered = re.compile(re.escape(folder.absolute().name) + r"_([0-9]+)", re.DOTALL)
    found = {path: int(match[1]) for path in files if not is_volume(path) and (match := numbered.fullmatch(stem(path)))}
    one_kind = len({ending(path).lower() for path in found}) == 1 and len(set(found.values())) == len(found)
    return sorted(found, key=lambda path: found[path]) if one_kind else []


def _groups(files: list[Path], sequences: tuple[str, ...]) -> Iterator[tuple[tuple[Path, ...], tuple[str, ...]]]:
    """Put the files of a case together, FLAIR first, since its grid is the one that lesions are outlined on."""
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
        else:  # only sequences that no model here was made for: each may still stand in for FLAIR
            yield from (((path,), ()) for _, path in members)
