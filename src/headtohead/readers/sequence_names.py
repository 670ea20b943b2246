"""Which MRI sequence a file is, by its name: for training, prediction and the page.

Names of BraTS (`x_t1ce`, `x-t2f`), of BIDS (`sub-01_ce-gadolinium_T1w`; Gorgolewski et al., Scientific Data 2016,
doi 10.1038/sdata.2016.44), of scanners (`T2_FLAIR`) and of tools that add a word of their own (`x_flair_bet`).
"""

import re
from functools import lru_cache
from itertools import product
from typing import NamedTuple

WORDS = {
    "pre": "t1 t1w t1wi t1n t1pre t1native t1mprage mprage spgr bravo inplanet1",
    "post": "t1c t1ce t1gd t1post t1wce t1wgd t1cw t1gad t1contrast t1km cet1 cet1w gdt1",
    "flair": "flair t2flair flairt2 t2f darkfluid tirm",
    "t2": "t2 t2w t2wi t2tse inplanet2",
    "t2star": "t2star t2starw megre",
    "pd": "pdw pdt2",
    "mp2rage": "mp2rage unit1",
    "map": "t1map t2map r1map r2map t2starmap r2starmap pdmap mtrmap mtsat mwfmap mtvmap chimap s0map m0map tb1map "
    "rb1map t1rho irt1 mese vfa mtr qsm",
    "stir": "stir",
    "dwi": "dwi b1000",
    "adc": "adc",
    "swi": "swi minip",
    "perfusion": "pwi rcbv rcbf m0scan",
    "tof": "tof",
}
"""Sequence -> words that say it anywhere in a name, in small letters. Also kinds of image that nobody outlines."""

LAST_WORDS = {
    "pre": "pre",
    "post": "post",
    "pd": "pd",
    "dwi": "dti trace fa md b0",
    "perfusion": "dsc dce asl cbv cbf",
    "mra": "mra angio",
    "bold": "bold sbref epi",
    "gre": "gre flash",
    "map": "mpm mts fieldmap phasediff magnitude magnitude1 magnitude2",
    "ct": "ct",
    "pet": "pet",
}
"""Words that say a sequence only at the end of a name; elsewhere they are as likely a patient's or a study's."""

AGENT = {"post", "gd", "gad", "gado", "gadolinium", "ce", "c", "contrast", "km"}
"""Words beside T1 that make it T1 after a contrast agent."""

NATIVE = {"pre", "native", "nativ"}

MOVED = {"reg", "registered", "coreg", "coregistered", "warped", "resampled", "resliced", "aligned"}
LINKS = MOVED | {"to", "onto", "into", "in", "on"}
"""Words between two sequences: the first was moved onto the grid of the second (`T1_to_FLAIR`, `T1_reg_FLAIR`)."""

_TREATMENT = (
    "bet brain stripped skullstripped ss iso n4 n4itk "
    "bfc bias biascorr corrected norm normalized normalised znorm preproc preprocessed cropped crop orig raw defaced "
    "mni sri24 1mm 2mm ax axial sag sagittal cor coronal tra 3d 2d"
)
TREATMENT = MOVED | set(_TREATMENT.split())
"""Words that say what was done to a scan, or how it was acquired, and nothing of its sequence."""

ENTITIES = {"acq", "ce", "rec", "desc", "space", "res", "mod"}
"""Keys of BIDS that tell scans of one session apart but not patients or sessions."""

KEYS = ENTITIES | {"sub", "ses", "run", "task", "dir", "echo", "part", "label", "inv", "flip"}
"""Keys of BIDS that are read as such."""

SEQUENCES = {word: sequence for sequence, words in WORDS.items() for word in words.split()}
AT_THE_END = SEQUENCES | {word: sequence for sequence, words in LAST_WORDS.items() for word in words.split()}

_ANY = "|".join(sorted(SEQUENCES, key=len, reverse=True))
GLUED = re.compile(rf"({_ANY})(?:2|to|in|on)()({_ANY})", re.IGNORECASE)
"""A link without marks around it: `T1toFLAIR`, `flair2t1`."""

LONGER = re.compile(r"(t[12])[a-z]{2,}")
"""T1 or T2 with a scanner's or tool's word behind it: `t2blade`, `T1wBrain`."""


def sequence_of(word: str) -> str:
    """Give the sequence that a word in small letters says wherever it stands; empty where it says none."""
    if word in SEQUENCES:
        return SEQUENCES[word]
    longer = LONGER.fullmatch(word)
    if not longer:
        return ""
    if longer[1] == "t1":
        return "pre"
    return "flair" if "flair" in word else "t2"


SHOWN = {
    "pre": "T1",
    "post": "T1+contrast",
    "t2star": "T2*",
    "perfusion": "perfusion",
    "map": "a map of a quantity",
}
"""Sequences as radiologists write them, where that is not their name in capitals."""

TITLES = {"pre": "pre-contrast", "post": "post-contrast", "image": "image"}
"""Sequences as headings call them, where that is not their name in capitals."""

OUTLINED = "flair"
"""The sequence that lesions are outlined on, where a case has it and nobody says otherwise."""

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


def word_of(sequence: str) -> str:
    """Give the word that says a sequence in names of files and in `channels`: `t1c` for `post`."""
    return WORDS[sequence].split()[0] if sequence in WORDS else sequence


def says_several(sequence: str) -> bool:
    """Say whether a `Named.sequence` is several."""
    return BETWEEN in sequence


@lru_cache(maxsize=65536)
def sequence_in_name(stem: str) -> Named | None:
    """Take a file's name apart into case and sequence.

    Of two sequences with a link between them the first counts, since the second only gives the grid (`T1_to_FLAIR`).
    None where a name without suffix, such as `case7_t1ce` or `sub-01_acq-3D_FLAIR`, names no sequence.
    """
    pieces = _pieces(stem)
    entities = [word for _, word in pieces if "-" in word]
    words = [(number, word.lower()) for number, (_, word) in enumerate(pieces) if "-" not in word]
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


def one_sequence_in_name(stem: str) -> Named | None:
    """Give what `sequence_in_name` does; None also where a name says several."""
    named = sequence_in_name(stem)
    return None if named is None or says_several(named.sequence) else named


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
