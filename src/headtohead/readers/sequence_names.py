"""Which MRI sequence a file is, by its name: for training, prediction and the page.

The words are in `sequence_words`.
"""

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from headtohead.readers.sequence_words import (
    AGENT,
    AT_THE_END,
    ENTITIES,
    GLUED,
    KEYS,
    LINKS,
    NATIVE,
    TREATMENT,
    sequence_of,
)

SHOWN = {
    "pre": "T1",
    "post": "T1+contrast",
    "t2star": "T2*",
    "perfusion": "perfusion",
    "map": "a map of a quantity",
}

TITLES = {"pre": "pre-contrast", "flair": "FLAIR", "post": "post-contrast", "image": "image"}
"""Sequences as the LGG data set calls them."""

BETWEEN = "+"
"""Between the sequences of a name that says several: `pre+flair`."""

Words = list[tuple[int, str]]
"""Words of a name in small letters, each with its number among all pieces of the name."""


class Named(NamedTuple):
    """What a name says.

    Attributes:
        case: the rest of the name, which sequences of one case share; the whole name where it says several.
        sequence: `pre`, `flair`, `post`, or another of `WORDS` and `LAST_WORDS`; `pre+flair` where the name has several
            and does not say which of them the file is.
        variant: words of treatment and acquisition, by which two files of one sequence differ.
    """

    case: str
    sequence: str
    variant: str


def sequence_label(sequence: str) -> str:
    """Write a sequence as radiologists do: `T1+contrast` for `post`."""
    return " and ".join(SHOWN.get(one, one.upper()) for one in sequence.split(BETWEEN))


def sequence_title(sequence: str) -> str:
    """Write a sequence as a heading does: `post-contrast` for `post`."""
    return TITLES.get(sequence, sequence.upper())


def says_several(sequence: str) -> bool:
    """Say whether a `Named.sequence` is several."""
    return BETWEEN in sequence


@lru_cache(maxsize=65536)
def sequence_in_name(stem: str) -> Named | None:
    """Take a file's name apart into case and sequence.

    Of two sequences with a link between them the first counts, since the second only gives the grid (`T1_to_FLAIR`).

    Args:
        stem: name without suffix, such as `case7_t1ce` or `sub-01_acq-3D_FLAIR`.

    Returns:
        What it says; None where it names no sequence.
    """
    pieces = _pieces(stem)
    entities = [word for _, word in pieces if _is_entity(word)]
    words = [(number, word.lower()) for number, (_, word) in enumerate(pieces) if not _is_entity(word)]
    found, grid = _moved(words)
    if found is None:
        return None
    sequence, used = found
    if says_several(sequence):
        return Named(stem, sequence, "")
    if sequence == "pre" and any(entity.lower().startswith("ce-") for entity in entities):
        sequence = "post"
    treated = [(number, word) for number, word in words if word in TREATMENT or number in grid]
    dropped = used | {number for number, _ in treated}
    dropped |= {number for number, (_, word) in enumerate(pieces) if word in entities and _key(word) in ENTITIES}
    case = "".join(mark + word for number, (mark, word) in enumerate(pieces) if number not in dropped)
    variant = [entity.lower() for entity in entities if _key(entity) in ENTITIES - {"ce"}]
    return Named(case.lstrip("_-. "), sequence, " ".join([*variant, *(word for _, word in treated)]))


def is_sequence_or_treatment(word: str) -> bool:
    """Say whether a word tells scans of one case apart, rather than cases."""
    return word.lower() in AT_THE_END or word.lower() in TREATMENT


def _pieces(stem: str) -> list[tuple[str, str]]:
    """Cut a name into words, each with the mark before it; a BIDS entity (`acq-3D`) is one word."""
    pieces: list[tuple[str, str]] = []
    for mark, part in re.findall(r"(^|[_. +]+)([^_. +]+)", stem):
        keyed = re.fullmatch(r"([a-z]+)-[A-Za-z0-9]+", part)
        if keyed and keyed[1] in KEYS:
            pieces.append((mark, part))
        else:
            first, *others = re.split(r"(-+)", part)
            for before, word in [(mark, first), *zip(others[::2], others[1::2], strict=True)]:
                glued = GLUED.fullmatch(word)
                several = [piece or "to" for piece in glued.groups()] if glued else [word]
                pieces += [(before, several[0]), *(("", piece) for piece in several[1:])]
    return [(mark, word) for mark, word in pieces if word]


def _is_entity(word: str) -> bool:
    return "-" in word


def _key(entity: str) -> str:
    return entity.partition("-")[0]


def _moved(words: Words) -> tuple[tuple[str, set[int]] | None, set[int]]:
    """Find the sequence of a file: what `_sequence` gives, and the words of the grid that it was moved onto."""
    for place, (_, word) in enumerate(words):
        if word not in LINKS:
            continue
        before, behind = words[:place], words[place + 1 :]
        if all(other in AGENT | NATIVE | TREATMENT for _, other in behind):  # T1_reg_post
            continue
        first, second = _sequence(before), _sequence(behind)
        if first and second:
            return first, second[1] | {other for other, link in words[place:] if link in LINKS}
    return _sequence(words), set()


def _sequence(words: Words) -> tuple[str, set[int]] | None:
    """Find the sequence that words name, or several, and the numbers of the words that say so."""
    plain = [(number, word) for number, word in words if word not in TREATMENT]
    found = {place: sequence for place, (_, word) in enumerate(plain) if (sequence := sequence_of(word))}
    if plain and (last := AT_THE_END.get(plain[-1][1])):
        found[len(plain) - 1] = last
    used = set(found)
    t1 = [place for place, (_, word) in enumerate(plain) if sequence_of(word) in ("pre", "post")]
    agents, native = set[int](), set[int]()
    for place, step in product(t1, (-1, 1)):
        near = place + step
        while 0 <= near < len(plain) and plain[near][1] in AGENT | NATIVE:
            # A single c is an agent's only at the end: T1_C, but not case_C_T1.
            if plain[near][1] == "c" and not near == len(plain) - 1 > place:
                break
            (agents if plain[near][1] in AGENT else native).add(near)
            near += step
    found = {place: sequence for place, sequence in found.items() if place not in agents | native}
    if agents:  # T1_MPRAGE_GD: both words are of one scan
        found |= dict.fromkeys(t1, "post")
    used |= agents | native
    sequences = list(dict.fromkeys(found.values()))
    if set(sequences) == {"t2", "flair"}:  # T2_FLAIR is FLAIR
        sequences = ["flair"]
    if not sequences:
        return None
    return BETWEEN.join(sequences), {plain[place][0] for place in used}
