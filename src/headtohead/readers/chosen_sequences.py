"""What `--sequences` and `--inputs` say: which sequences a data set has, and which of these a model is shown."""

from headtohead.errors import UserError
from headtohead.readers.sequence_names import BETWEEN, OUTLINED, one_sequence_in_name, word_of
from headtohead.task import Task


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


def chosen(text: str, there: tuple[str, ...], between: str = ",", label: str = "`sequences`") -> tuple[str, ...]:
    """Choose among the sequences of a data set that says which there are; without a text all, as they are.

    `between` stands between the words, and the label is what the text was given with.

    Raises:
        UserError: there is none of that name, or one is named twice.
    """
    if not text:
        return there
    wanted = []
    for word in _words(text, between):
        named = one_sequence_in_name(word)
        one = named.sequence if named and named.sequence in there else word.lower()
        if one not in there:
            raise UserError(f"{label} {text}: there is no {word}; there are: {between.join(map(word_of, there))}")
        wanted.append(one)
    return _each_once(wanted, text, between, label)


def primary_of(text: str, sequences: tuple[str, ...]) -> str:
    """Name the primary sequence: the first that was asked for, else the one that lesions are outlined on, or the first.

    `text` is what was asked for, and `sequences` what that was read as.
    """
    return OUTLINED if OUTLINED in sequences and not text else sequences[0]


def channels_shown(text: str, task: Task) -> tuple[int, ...]:
    """Give the channels of a task that a model is shown, by what `inputs` says: `flair+t1+t2`; empty: all.

    Raises:
        UserError: as `chosen`; or the task has one sequence only, or the primary one is left out.
    """
    if not text:
        return ()
    if len(task.sequences) == 1:
        raise UserError(f"`inputs` {text}: {task.name} has one sequence only; leave it out")
    names = chosen(text, task.sequences, BETWEEN, "`inputs`")
    if task.primary not in names:
        primary = word_of(task.primary)
        raise UserError(f"`inputs` {text}: the primary sequence is {primary}; add it: {primary}{BETWEEN}{text}")
    return tuple(task.sequences.index(name) for name in names)


def _words(text: str, between: str = ",") -> list[str]:
    return [word for word in map(str.strip, text.split(between)) if word]


def _each_once(wanted: list[str], text: str, between: str = ",", label: str = "`sequences`") -> tuple[str, ...]:
    if not wanted or len(set(wanted)) < len(wanted):
        example = between.join(("flair", "t1", "t1ce", "t2"))
        raise UserError(f"{label} {text}: name each sequence once, the primary one first: {example}")
    return tuple(wanted)
