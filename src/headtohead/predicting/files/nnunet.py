"""Cases named as nnU-Net has it: a file for each channel, `case_0000.nii.gz`, `case_0001.nii.gz`.

What the channels are stands in `dataset.json` (Isensee et al., Nature Methods 2021, doi 10.1038/s41592-020-01008-z).
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from headtohead.errors import UserError
from headtohead.predicting.files.naming import is_volume, stem
from headtohead.readers.other_layouts import CHANNEL
from headtohead.readers.sequence_names import sequence_in_name
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError

MOST = 16
"""Channels of a case; more files of one name and a number are a series of scans."""

LARGEST = 2**20
"""Bytes of a dataset.json that is read."""


def channels_of_cases(files: Iterable[Path]) -> dict[str, dict[int, Path]]:
    """Group the files of one folder by case.

    Returns:
        Case -> number of the channel -> file. Only of cases that have a channel 0: `_0001`, `_0002` may be points in
        time.
    """
    cases: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in files:
        match = CHANNEL.fullmatch(stem(path)) if is_volume(path) else None
        if match:
            cases[match["case"]].setdefault(int(match["channel"]), path)
    return {
        case: dict(sorted(channels.items()))
        for case, channels in cases.items()
        if 0 in channels and max(channels) < MOST
    }


def case_of_channel(path: Path) -> str:
    """Name the case that a file may be a channel of; empty where it is not named so."""
    match = CHANNEL.fullmatch(stem(path)) if is_volume(path) else None
    return match["case"] if match else ""


def channel_names(folder: Path) -> dict[int, str]:
    """Read from `dataset.json` what the channels are.

    Args:
        folder: of the files; the description lies in it, or in the folder above.

    Returns:
        Number of a channel -> sequence, as the reader of such data sets names them, empty where a lone one is named
        otherwise; none where there is no description.
    """
    from headtohead.readers.nnunet import channels_described, sequences_of  # not for pictures

    for place in (folder, folder.absolute().parent):
        path = place / "dataset.json"
        try:
            described = read_json(path, LARGEST)
            names = channels_described(described)
            if len(names) > 1:
                return dict(enumerate(sequences_of(described, path)))
        except (FileNotFoundError, UnreadableError, UserError):
            continue
        if names:
            named = sequence_in_name(names[0])
            return {0: named.sequence if named else ""}
    return {}
