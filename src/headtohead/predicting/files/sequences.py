"""Which file, or which volume of a file, is which MRI sequence: by name, or as --channels says."""

import re

from headtohead.cohort.cohort import IMAGE
from headtohead.errors import UserError
from headtohead.values import did_you_mean

ALIASES = {
    "pre": ("pre", "t1", "t1w", "t1n", "t1pre"),
    "flair": ("flair", "t2flair", "t2f"),
    "post": ("post", "t1ce", "t1c", "t1gd", "t1post"),
}
"""Names that are in use for the sequences of the models, in small letters."""

NAMES = {alias: sequence for sequence, aliases in ALIASES.items() for alias in aliases}

UNUSED = ("t2", "t2w", "pd", "pdw", "dwi", "adc", "swi", "t2star", "t2starw")
"""Sequences that lie beside these in many data sets and that no model here looks at."""

LAST_WORD = re.compile(r"(?:(?P<case>.*?)(?P<agent>_ce-[a-z0-9]+)?[_-])?(?P<word>[a-z0-9]+)", re.IGNORECASE | re.DOTALL)
"""`<case>_flair`, `<case>-t1c`, `flair` in a folder of the case's own, and BIDS: `<case>_ce-<agent>_T1w`."""


def sequence_in_name(stem: str) -> tuple[str, str] | None:
    """Take a file's name apart into its case and its sequence.

    Args:
        stem: name without suffix, such as `case7_t1ce`.

    Returns:
        Case and sequence (`pre`, `flair`, `post`, or one of `UNUSED`); None where the last word is no sequence.
    """
    match = LAST_WORD.fullmatch(stem)
    word = match["word"].lower() if match else ""
    sequence = NAMES.get(word, word if word in UNUSED else "")
    if match is None or not sequence:
        return None
    if match["agent"] and sequence == "pre":  # T1 after a contrast agent
        sequence = "post"
    return match["case"] or "", sequence


def parse_channels(text: str, sequences: tuple[str, ...]) -> dict[str, int]:
    """Read --channels: which volume of a 4-D file is which sequence.

    Args:
        text: such as `t1=0,flair=1`; empty: nothing is said.
        sequences: of the model, as `ModelFacts.sequences`.

    Returns:
        Sequence of the model to number of the volume, from 0.

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


def _sequence(name: str, sequences: tuple[str, ...]) -> str:
    # A model of images of no particular kind takes the one that is named, whatever its name.
    known = {**NAMES, **{one: one for one in sequences}}
    if name not in known or (sequences != IMAGE and known[name] not in sequences):
        usable = [alias for alias, sequence in known.items() if sequence in sequences or sequences == IMAGE]
        raise UserError(
            f"--channels {name}: no sequence of this model ({', '.join(usable)}){did_you_mean(name, usable)}"
        )
    return IMAGE[0] if sequences == IMAGE else known[name]
