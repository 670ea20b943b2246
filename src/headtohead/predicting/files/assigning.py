"""Which volume of which file is which sequence of the model: by names, by `dataset.json`, or as --channels says."""

from headtohead.errors import UserError, printable
from headtohead.predicting.files.grouping import Job
from headtohead.readers.nifti_file import VolumeFile
from headtohead.readers.sequence_names import says_several, sequence_label
from headtohead.trained.facts import ModelFacts

Assigned = dict[str, tuple[VolumeFile, int]]
"""Sequence -> file, and number of the volume in it."""


def assign(
    job: Job, files: list[VolumeFile], facts: ModelFacts, channels: dict[str, int]
) -> tuple[Assigned, list[str]]:
    """Settle which volume of which file is which sequence of the model.

    A 4-D file needs --channels, whatever its name. A 3-D file is the sequence its name says, or the primary one where
    it says none; --channels NAME=0 says otherwise, of a file that is a case by itself. Other numbers are meant for the
    4-D files beside it: `grouping.refuse_ignored_channels` has seen that there is one. Of channels of nnU-Net,
    --channels gives the numbers in their names.

    Args:
        job: from `find_jobs`.
        files: its files, opened.
        facts: the model's.
        channels: as `parse_channels` gives them.

    Returns:
        The sequences that there are, and notes on what was decided.

    Raises:
        UserError: that cannot be settled, or the one sequence that the model needs is missing.
    """
    first, needed = files[0], facts.task.primary
    by_channels = len(files) == 1 and bool(channels) and (not job.sequences or set(channels.values()) == {0})
    notes: list[str] = []
    if job.channels and (channels or not job.sequences):
        found = _by_number(job, files, facts, channels)
    elif len(files) == 1 and (first.volumes > 1 or by_channels):
        found = _by_channels(first, facts, channels)
    elif job.sequences:
        found = _by_names(job, files) if needed in job.sequences else {}
    else:
        found = {needed: (first, 0)}
        if not facts.task.unnamed:
            notes.append(f"its name does not say which sequence it is: taken as {needed.upper()}")
    if needed not in found:
        _refuse_without(needed, job, files, bool(channels))
    used = {file.path for sequence, (file, _) in found.items() if sequence in facts.task.sequences}
    rest = [path.name for path in (*(file.path for file in files), *job.unused) if path not in used]
    if rest:
        notes.append(f"not used: {', '.join(map(printable, rest))}")
    return {sequence: found[sequence] for sequence in found if sequence in facts.task.sequences}, notes


def _by_names(job: Job, files: list[VolumeFile]) -> Assigned:
    found: Assigned = {}
    for sequence, file in zip(job.sequences, files, strict=True):
        if sequence in found and sequence:
            both = f"{printable(found[sequence][0].path.name)} and {printable(file.path.name)}"
            raise UserError(
                f"{printable(file.path)}: {both} are both {sequence_label(sequence)} of one case; move one of them away"
            )
        if file.volumes > 1:
            raise UserError(
                f"{printable(file.path)}: holds {file.volumes} volumes, but a file of one sequence holds one; "
                "save the volume you mean as a separate file"
            )
        found[sequence] = (file, 0)
    return found


def _by_number(job: Job, files: list[VolumeFile], facts: ModelFacts, channels: dict[str, int]) -> Assigned:
    numbered = dict(zip(job.channels, files, strict=True))
    if not channels:
        names = ", ".join(f"_{number:04d}" for number in sorted(numbered))
        example = ",".join(f"{name}={number}" for number, name in zip(sorted(numbered), _usual(facts), strict=False))
        raise UserError(
            f"{printable(files[0].path)}: {len(files)} files are named like channels of one nnU-Net case ({names}), "
            "but "
            f"no dataset.json says what they are; name them, for example `channels` {example}, or rename the files if "
            "they are separate cases"
        )
    for sequence, number in channels.items():
        if number not in numbered:
            known = ", ".join(map(str, sorted(numbered)))
            raise UserError(
                f"{printable(files[0].path)}: its channels are {known}, but `channels` asks for {sequence}={number}; "
                "correct `channels`"
            )
    return {sequence: (numbered[number], 0) for sequence, number in channels.items()}


def _usual(facts: ModelFacts) -> list[str]:
    """Name a model's sequences, the one it needs first."""
    return sorted(facts.task.sequences, key=lambda one: one != facts.task.primary)


def _by_channels(file: VolumeFile, facts: ModelFacts, channels: dict[str, int]) -> Assigned:
    if not channels:
        example = ",".join(f"{name}={number}" for number, name in enumerate(facts.task.sequences))
        raise UserError(
            f"{printable(file.path)}: a 4-D file of {file.volumes} volumes; say which sequence each is, "
            f"for example `channels` {example}"
        )
    for sequence, number in channels.items():
        if number >= file.volumes:
            holds = f"volumes 0 to {file.volumes - 1}" if file.volumes > 1 else "one volume, number 0"
            raise UserError(
                f"{printable(file.path)}: holds {holds}, but `channels` asks for {sequence}={number}; correct "
                "`channels`"
            )
    return {sequence: (file, number) for sequence, number in channels.items()}


def _refuse_without(needed: str, job: Job, files: list[VolumeFile], by_channels: bool) -> None:
    """Refuse a case without the sequence that the model needs, saying what there is instead."""
    wanted = f"the model needs {needed.upper()}"
    if by_channels or not job.sequences:
        raise UserError(
            f"{printable(files[0].path)}: `channels` names no {needed.upper()}, but {wanted}; add {needed}=NUMBER"
        )
    named = [sequence_label(one) if one else "no known sequence" for one in job.sequences]
    if len(files) == 1 and says_several(job.sequences[0]):
        raise UserError(
            f"{printable(files[0].path)}: its name holds several sequences, {named[0]}, and does not say which of them "
            f"it is; rename it, or, if this is {needed.upper()}, add `channels` {needed}=0"
        )
    if len(files) == 1:
        raise UserError(
            f"{printable(files[0].path)}: named as {named[0]}, but {wanted}; put X_{needed}.nii.gz of the same case "
            f"beside it, or, if this is {needed.upper()}, rename it or add `channels` {needed}=0"
        )
    are = ", ".join(f"{printable(file.path.name)} ({one})" for file, one in zip(files, named, strict=True))
    raise UserError(
        f"{printable(files[0].path)}: no {needed.upper()} among the files of this case, {are}, but {wanted}; put "
        f"X_{needed}.nii.gz beside them, or rename the file that is {needed.upper()}"
    )
