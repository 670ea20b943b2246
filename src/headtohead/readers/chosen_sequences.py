"""What `--sequences` says: which of a case's sequences are used, the primary one first."""

from headtohead.errors import UserError
from headtohead.readers.sequence_names import OUTLINED, one_sequence_in_name, word_of


def asked_for(text: str) -> tuple[str, ...]:
    """Read `flair,t1,t1ce` as names of files are read.

    Raises:
        UserError: a word says no sequence, or one is named twice.
    """
    wanted = []
    for word in _words(text):
        named = one_sequence_in_name(word)
        if named is None:
            raise UserError(f"`sequences` {text}: {word} is no sequence; an example: flair,t1,t1ce,t2")
        wanted.append(named.sequence)
    return _each_once(wanted, text)


def chosen(text: str, there: tuple[str, ...]) -> tuple[str, ...]:
    """Choose among the sequences of a data set that says which there are; without a text all, as they are.

    Raises:
        UserError: there is none of that name, or one is named twice.
    """
    if not text:
        return there
    wanted = []
    for word in _words(text):
        named = one_sequence_in_name(word)
        one = named.sequence if named and named.sequence in there else word.lower()
        if one not in there:
            raise UserError(f"`sequences` {text}: there is no {word}; there are: {','.join(map(word_of, there))}")
        wanted.append(one)
    return _each_once(wanted, text)


def primary_of(text: str, sequences: tuple[str, ...]) -> str:
    """Name the primary sequence: the first that was asked for, else the one that lesions are outlined on, or the first.

    `text` is what was asked for, and `sequences` what that was read as.
    """
    return OUTLINED if OUTLINED in sequences and not text else sequences[0]


def _words(text: str) -> list[str]:
    return [word for word in map(str.strip, text.split(",")) if word]


def _each_once(wanted: list[str], text: str) -> tuple[str, ...]:
    if not wanted or len(set(wanted)) < len(wanted):
        raise UserError(f"`sequences` {text}: name each sequence once, the primary one first: flair,t1,t1ce,t2")
    return tuple(wanted)
