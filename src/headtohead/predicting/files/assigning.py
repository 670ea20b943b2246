"""Which volume of which file is which sequence of the model: by names, by `dataset.json`, or as --channels says."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from headtohead.errors import UserError, did_you_mean, printable
from headtohead.predicting.files.grouping import Job
from headtohead.readers.sequence_names import AT_THE_END, says_several, sequence_label, word_of
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts

if TYPE_CHECKING:
    from headtohead.readers.nifti_file import VolumeFile

Assigned = dict[str, tuple["VolumeFile", int]]
"""Sequence -> file, and number of the volume in it."""


def parse_channels(text: str, task: Task) -> dict[str, int]:
    """Read --channels, such as `t1=0,flair=1`: sequence of the model to number of the volume or channel, from 0.

    Raises:
        UserError: a name is unknown or given twice, or a number is none.
    """
    # A model of images of no particular kind takes the one that is named, whatever its name.
    known = AT_THE_END | {one: one for one in task.sequences}
    usable = {word: one for word, one in known.items() if task.unnamed or one in task.sequences}
    channels: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.lower().partition("="))
        if not equals or not number.isdecimal() or not number.isascii():
            raise UserError(f"`channels` {part}: takes NAME=NUMBER, numbers from 0, such as t1=0,flair=1")
        if name not in usable:
            raise UserError(
                f"`channels` {name}: not a sequence of this model ({', '.join(usable)}){did_you_mean(name, usable)}"
            )
        sequence = task.primary if task.unnamed else usable[name]
        if sequence in channels:
            raise UserError(f"`channels` {text}: {sequence} is named twice; name each sequence once")
        channels[sequence] = int(number)
    return channels


def refuse_ignored_channels(jobs: Iterable[Job], channels: str, task: Task) -> None:
    """Refuse `--channels` where nothing that was found could follow it.

    A file that holds one volume and says by its name which sequence that is keeps to its name, unless `--channels`
    asks for nothing but volume 0 (`assign`).

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
    if any(parse_channels(channels, task).values()) and all(map(_keeps_to_its_name, lone)):
        raise UserError(
            f"`channels` {channels}: every file here holds one volume, number 0, and its name says which sequence it "
            "is; leave it out, or give a sequence number 0"
        )


def refuse_ignored_plane(jobs: Iterable[Job], plane: str) -> None:
    """Raise a UserError where `--plane` is given and there is no volume to cut."""
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


def assign(
    job: Job, files: list["VolumeFile"], facts: ModelFacts, channels: dict[str, int]
) -> tuple[Assigned, list[str]]:
    """Settle which volume of which file of a job is which sequence of the model.

    A 4-D file needs --channels, whatever its name. A 3-D file is the sequence its name says, or the primary one where
    it says none; --channels NAME=0 says otherwise, of a file that is a case by itself. Other numbers are meant for the
    4-D files beside it: `refuse_ignored_channels` has seen that there is one. Of channels of nnU-Net, --channels gives
    the numbers in their names; without it and a dataset.json, a model that was trained on nnU-Net's data knows their
    order.

    Returns:
        The sequences that there are, and notes on what was decided.

    Raises:
        UserError: that cannot be settled, or a sequence is missing that none stands in for.
    """
    first, task = files[0], facts.task
    for place, number in enumerate(job.channels):
        if number in job.channels[:place]:
            _refuse_two(files[job.channels.index(number)], files[place], f"channel {number}")
    by_channels = len(files) == 1 and bool(channels) and (not job.sequences or set(channels.values()) == {0})
    notes: list[str] = []
    # A model of chosen sequences does not know which numbers these had.
    numbered = facts.data.get("kind") == "nnunet" and not facts.data.get("sequences")
    ordered = numbered and not channels and not job.sequences
    if ordered and job.channels and max(job.channels) < len(task.sequences):
        job = replace(job, sequences=tuple(task.sequences[number] for number in job.channels))
        order = ", ".join(map(sequence_label, job.sequences))
        notes.append(f"no dataset.json says what its channels are: taken as {order}, as in the training data")
    if job.channels and (channels or not job.sequences):
        found = _by_number(job, files, facts, channels)
    elif len(files) == 1 and (first.volumes > 1 or by_channels):
        found = _by_volume(first, facts, channels)
    elif job.sequences:
        channels, found = {}, _by_names(job, files) if task.primary in job.sequences else {}
    else:
        found = {task.primary: (first, 0)}
        if not task.unnamed:
            notes.append(f"its name does not say which sequence it is: taken as {task.primary.upper()}")
    found = {sequence: one for sequence, one in found.items() if sequence in task.sequences}
    if lost := task.lost(found or job.sequences):
        _refuse_without(lost, job, task, bool(channels), several=first.volumes > 1 or bool(job.channels))
    used = {file.path for file, _ in found.values()}
    rest = [path.name for path in (*job.files, *job.unused) if path not in used]
    if rest:
        notes.append(f"not used: {', '.join(map(printable, rest))}")
    return found, notes


def _by_names(job: Job, files: list["VolumeFile"]) -> Assigned:
    found: Assigned = {}
    for sequence, file in zip(job.sequences, files, strict=True):
        if sequence in found and sequence:
            _refuse_two(found[sequence][0], file, sequence_label(sequence))
        if file.volumes > 1:
            raise UserError(
                f"{printable(file.path)}: holds {file.volumes} volumes, but a file of one sequence holds one; "
                "save the volume you mean as a separate file"
            )
        found[sequence] = (file, 0)
    return found


def _refuse_two(one: "VolumeFile", other: "VolumeFile", what: str) -> None:
    both = f"{printable(one.path.name)} and {printable(other.path.name)}"
    raise UserError(f"{printable(other.path)}: {both} are both {what} of one case; move one of them away")


def _by_number(job: Job, files: list["VolumeFile"], facts: ModelFacts, channels: dict[str, int]) -> Assigned:
    numbers, task = sorted(job.channels), facts.task
    if not channels:
        names = ", ".join(f"_{number:04d}" for number in numbers)
        usual = sorted(task.sequences, key=lambda one: one != task.primary)
        example = ",".join(f"{name}={number}" for number, name in zip(numbers, usual, strict=False))
        mend = (
            f"no dataset.json says what they are; name them, for example `channels` {example}, or rename them: after "
            f"their sequences (X_{word_of(usual[0])}.nii.gz), or, if they are separate cases, "
            "without a number"
        )
        if task.unnamed:
            mend = (
                f"the model takes one image; say which, for example `channels` {example}, leave the others out, or "
                "rename them if they are separate cases"
            )
        raise UserError(
            f"{printable(job.files[0])}: {len(files)} files are named like channels of one nnU-Net case ({names}), but "
            f"{mend}"
        )
    there = {number: (file, 0) for number, file in zip(job.channels, files, strict=True)}
    return _chosen(channels, there, f"its channels are {', '.join(map(str, numbers))}")


def _by_volume(file: "VolumeFile", facts: ModelFacts, channels: dict[str, int]) -> Assigned:
    if not channels:
        example = ",".join(f"{name}={number}" for number, name in enumerate(facts.task.sequences))
        raise UserError(
            f"{printable(file.path)}: a 4-D file of {file.volumes} volumes; say which sequence each is, "
            f"for example `channels` {example}"
        )
    there = {number: (file, number) for number in range(file.volumes)}
    holds = f"volumes 0 to {file.volumes - 1}" if file.volumes > 1 else "one volume, number 0"
    return _chosen(channels, there, f"holds {holds}")


def _chosen(channels: dict[str, int], there: dict[int, tuple["VolumeFile", int]], are: str) -> Assigned:
    """Give the sequences that --channels numbers."""
    for sequence, number in channels.items():
        if number not in there:
            path = there[min(there)][0].path
            raise UserError(
                f"{printable(path)}: {are}, but `channels` asks for {sequence}={number}; correct `channels`"
            )
    return {sequence: there[number] for sequence, number in channels.items()}


def _refuse_without(lost: list[str], job: Job, task: Task, by_channels: bool, several: bool) -> None:
    """Refuse a case without sequences that the model needs, saying what there is instead."""
    where, needed = printable(job.files[0]), task.primary
    no, every = (word.join(map(sequence_label, lost)) for word in (" or ", " and "))
    names = ", ".join(f"X_{word_of(one)}.nii.gz" for one in lost)
    if by_channels and (several or needed in lost):
        numbers = ",".join(f"{word_of(one)}=NUMBER" for one in lost)
        raise UserError(f"{where}: `channels` names no {no}, but the model needs {every}; add {numbers}")
    named = [sequence_label(one) if one else "no known sequence" for one in job.sequences]
    if len(job.files) > 1:
        are = ", ".join(f"{printable(path.name)} ({one})" for path, one in zip(job.files, named, strict=True))
        put = "put the files of those channels" if job.channels else f"put {names}"
        rename = f", or rename the file that is {every}" if lost == [needed] else ""
        raise UserError(
            f"{where}: no {no} among the files of this case, {are}, but the model needs {every}; {put} beside "
            f"them{rename}"
        )
    if needed not in lost:
        called = "" if needed in job.sequences else f", and name this one X_{word_of(needed)}.nii.gz"
        raise UserError(
            f"{where}: {'taken' if called else 'named'} as {sequence_label(needed)}, but the model needs {every} of "
            f"the same case, too; put {names} beside it{called}"
        )
    this, declared = f"if this is {sequence_label(needed)}", f"add `channels` {word_of(needed)}=0"
    if says_several(job.sequences[0]):
        raise UserError(
            f"{where}: its name holds several sequences, {named[0]}, and does not say which of them it is; rename it, "
            f"or, {this}, {declared}"
        )
    rename = f", or, {this}, rename it or {declared}" if lost == [needed] else ""
    raise UserError(
        f"{where}: named as {named[0]}, but the model needs {every}; put {names} of the same case beside it{rename}"
    )
