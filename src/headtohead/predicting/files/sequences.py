"""--channels: which volume of a 4-D file, or which channel of an nnU-Net case, is which sequence."""

from headtohead.errors import UserError, did_you_mean
from headtohead.readers.sequence_names import AT_THE_END
from headtohead.task import Task


def parse_channels(text: str, task: Task) -> dict[str, int]:
    """Read --channels.

    Args:
        text: such as `t1=0,flair=1`; empty: nothing is said.
        task: of the model.

    Returns:
        Sequence of the model to number of the volume or channel, from 0.

    Raises:
        UserError: a name is unknown or given twice, or a number is none.
    """
    channels: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not number.isdecimal() or not number.isascii():
            raise UserError(f"`channels` {part}: takes NAME=NUMBER, numbers from 0, such as t1=0,flair=1")
        sequence = _sequence(name.lower(), task)
        if sequence in channels:
            raise UserError(f"`channels` {text}: {sequence} is named twice; name each sequence once")
        channels[sequence] = int(number)
    return channels


def _sequence(name: str, task: Task) -> str:
    # A model of images of no particular kind takes the one that is named, whatever its name.
    known = {**AT_THE_END, **{one: one for one in task.sequences}}
    if name not in known or not (task.unnamed or known[name] in task.sequences):
        usable = [alias for alias, sequence in known.items() if task.unnamed or sequence in task.sequences]
        raise UserError(
            f"`channels` {name}: not a sequence of this model ({', '.join(usable)}){did_you_mean(name, usable)}"
        )
    return task.primary if task.unnamed else known[name]
