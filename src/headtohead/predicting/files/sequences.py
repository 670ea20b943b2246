"""--channels: which volume of a 4-D file, or which channel of an nnU-Net case, is which sequence."""

from headtohead.cohort.cohort import IMAGE
from headtohead.cohort.sequence_words import AT_THE_END
from headtohead.errors import UserError, did_you_mean


def parse_channels(text: str, sequences: tuple[str, ...]) -> dict[str, int]:
    """Read --channels.

    Args:
        text: such as `t1=0,flair=1`; empty: nothing is said.
        sequences: of the model, as `ModelFacts.sequences`.

    Returns:
        Sequence of the model to number of the volume or channel, from 0.

    Raises:
        UserError: a name is unknown or given twice, or a number is none.
    """
    channels: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not number.isdecimal() or not number.isascii():
            raise UserError(f"--channels {part}: takes NAME=NUMBER, numbers from 0, such as t1=0,flair=1")
        sequence = _sequence(name.lower(), sequences)
        if sequence in channels:
            raise UserError(f"--channels {text}: {sequence} is named twice; name each sequence once")
        channels[sequence] = int(number)
    return channels


def needed_sequence(sequences: tuple[str, ...]) -> str:
    """Name the sequence of a model that cannot be filled from another."""
    return "flair" if "flair" in sequences else sequences[0]


def _sequence(name: str, sequences: tuple[str, ...]) -> str:
    # A model of images of no particular kind takes the one that is named, whatever its name.
    known = {**AT_THE_END, **{one: one for one in sequences}}
    if name not in known or (sequences != IMAGE and known[name] not in sequences):
        usable = [alias for alias, sequence in known.items() if sequence in sequences or sequences == IMAGE]
        raise UserError(
            f"--channels {name}: not a sequence of this model ({', '.join(usable)}){did_you_mean(name, usable)}"
        )
    return IMAGE[0] if sequences == IMAGE else known[name]
