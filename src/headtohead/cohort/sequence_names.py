"""Which MRI sequence a file is, by its name: one table for training, prediction and the page.

Names of BraTS (`x_t1ce`, `x-t2f`), of BIDS (`sub-01_ce-gadolinium_T1w`; Gorgolewski et al., Scientific Data 2016,
doi 10.1038/sdata.2016.44), of scanners (`T2_FLAIR`) and of tools that add a word of their own (`x_flair_bet`).
"""

import re
from functools import lru_cache
from typing import NamedTuple

WORDS = {
    "pre": "t1 t1w t1wi t1n t1pre t1native t1mprage mprage spgr bravo",
    "post": "t1c t1ce t1gd t1post t1wce t1wgd t1cw t1gad t1contrast cet1 cet1w gdt1",
    "flair": "flair t2flair flairt2 t2f darkfluid tirm",
    "t2": "t2 t2w t2wi t2tse",
    "t2star": "t2star t2starw",
    "pd": "pdw",
    "dwi": "dwi b1000",
    "adc": "adc",
    "swi": "swi",
    "perfusion": "pwi rcbv rcbf",
    "tof": "tof",
}
"""Sequence -> words that say it anywhere in a name, in small letters."""

LAST_WORDS = {
    "pre": "pre",
    "post": "post",
    "pd": "pd",
    "dwi": "dti trace",
    "perfusion": "dsc dce asl cbv cbf",
    "mra": "mra angio",
    "bold": "bold",
    "ct": "ct",
    "pet": "pet",
}
"""Words that say a sequence only at the end of a name; elsewhere they are as likely a patient's or a study's."""

AGENT = {"post", "gd", "gad", "gado", "gadolinium", "ce", "c", "contrast", "km"}
"""Words beside T1 that make it T1 after a contrast agent."""

NATIVE = {"pre", "native", "nativ"}

_TREATMENT = (
    "bet brain stripped skullstripped ss reg registered coreg coregistered warped resampled resliced res iso n4 n4itk "
    "bfc bias biascorr corrected norm normalized normalised znorm preproc preprocessed cropped crop orig raw defaced "
    "mni sri24 1mm 2mm ax axial sag sagittal cor coronal tra 3d 2d"
)
TREATMENT = frozenset(_TREATMENT.split())
"""Words that say what was done to a scan, or how it was acquired, and nothing of its sequence."""

ENTITIES = {"acq", "ce", "rec", "desc", "space", "res", "mod"}
"""Keys of BIDS that tell scans of one session apart but not patients or sessions."""

SEQUENCES = {word: sequence for sequence, words in WORDS.items() for word in words.split()}
AT_THE_END = SEQUENCES | {word: sequence for sequence, words in LAST_WORDS.items() for word in words.split()}

SHOWN = {"pre": "T1", "post": "T1+contrast", "t2star": "T2*", "perfusion": "perfusion", "tof": "TOF"}


class Named(NamedTuple):
    """What a name says.

    Attributes:
        case: the rest of the name, which sequences of one case share.
        sequence: `pre`, `flair`, `post`, or another of `WORDS` and `LAST_WORDS`.
        variant: words of treatment and acquisition, by which two files of one sequence differ.
    """

    case: str
    sequence: str
    variant: str


def sequence_label(sequence: str) -> str:
    """Write a sequence as radiologists do: `T1+contrast` for `post`."""
    return SHOWN.get(sequence, sequence.upper())


@lru_cache(maxsize=65536)
def sequence_in_name(stem: str) -> Named | None:
    """Take a file's name apart into case and sequence.

    The last word counts first, words of treatment apart; else the only sequence that is named anywhere.

    Args:
        stem: name without suffix, such as `case7_t1ce` or `sub-01_acq-3D_FLAIR`.

    Returns:
        What it says; None where it names no sequence, or several of which none is last.
    """
    pieces = _pieces(stem)
    entities = [word for _, word in pieces if _is_entity(word)]
    words = [(number, word.lower()) for number, (_, word) in enumerate(pieces) if not _is_entity(word)]
    plain = [(number, word) for number, word in words if word not in TREATMENT]
    found = _at_the_end(plain) or _anywhere(plain)
    if found is None:
        return None
    sequence, used = found
    if sequence == "pre" and any(entity.lower().startswith("ce-") for entity in entities):
        sequence = "post"
    treated = [(number, word) for number, word in words if word in TREATMENT]
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
        if keyed and keyed[1] in ENTITIES | {"sub", "ses", "run", "task", "dir", "echo", "part", "label"}:
            pieces.append((mark, part))
        else:
            first, *others = re.split(r"(-+)", part)
            pieces.append((mark, first))
            pieces += list(zip(others[::2], others[1::2], strict=True))
    return [(mark, word) for mark, word in pieces if word]


def _is_entity(word: str) -> bool:
    return "-" in word


def _key(entity: str) -> str:
    return entity.partition("-")[0]


def _at_the_end(words: list[tuple[int, str]]) -> tuple[str, set[int]] | None:
    if not words:
        return None
    number, word = words[-1]
    before = words[-2] if len(words) > 1 else (-1, "")
    t1 = SEQUENCES.get(before[1]) in ("pre", "post")
    if t1 and word in AGENT:
        return "post", {before[0], number}
    if t1 and word in NATIVE:
        return SEQUENCES[before[1]], {before[0], number}
    sequence = AT_THE_END.get(word)
    if sequence is None:
        return None
    if sequence == "flair" and SEQUENCES.get(before[1]) == "t2":  # T2_FLAIR is FLAIR
        return sequence, {before[0], number}
    if sequence == "pre" and before[1] in AGENT - {"c"}:  # CE_T1, post_T1
        return "post", {before[0], number}
    if sequence == "pre" and before[1] in NATIVE:
        return sequence, {before[0], number}
    return sequence, {number}


def _anywhere(words: list[tuple[int, str]]) -> tuple[str, set[int]] | None:
    named = [place for place, (_, word) in enumerate(words) if word in SEQUENCES]
    sequences = {SEQUENCES[words[place][1]] for place in named}
    if sequences == {"t2", "flair"}:
        sequences = {"flair"}
    if len(sequences) != 1:
        return None
    used = set(named)
    sequence = sequences.pop()
    beside = {near for place in named for near in (place - 1, place + 1) if 0 <= near < len(words)}
    agents = {near for near in beside if words[near][1] in AGENT - {"c"}}
    if sequence == "pre" and agents:
        sequence, used = "post", used | agents
    return sequence, {words[place][0] for place in used}
