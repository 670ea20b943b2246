"""Which files are masks, and of which image, by their names: one list for training, prediction and the page."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from headtohead.readers.sequence_names import AT_THE_END, TREATMENT, sequence_in_name

MASK_WORDS = (
    "mask",
    "seg",
    "dseg",
    "segm",
    "segmentation",
    "label",
    "labels",
    "lesion",
    "lesions",
    "roi",
    "gt",
    "groundtruth",
)
"""Last words of a mask's name, the usual ones first."""

ABOUT = "brain|lesion|lesions|tumor|tumour|wmh|manual|final|binary"
"""Words before that last one which say what was outlined, and are no part of the image's name."""

LAST = re.compile(rf"(?:(?P<base>.*)[_\-. ]|)(?P<word>{'|'.join(MASK_WORDS)})", re.IGNORECASE | re.DOTALL)
QUALIFIED = re.compile(
    rf"(?:(?P<base>.*?)[_\-. ]|)(?P<about>(?:desc|label|space|res)-[A-Za-z0-9]+|{ABOUT})", re.IGNORECASE | re.DOTALL
)
INSIDE = re.compile(rf"(?:^|[_\-. ])(?:{'|'.join(MASK_WORDS)})(?=$|[_\-. ])", re.IGNORECASE)
OTHER_THAN_BRAIN = re.compile(r"_desc-(?!brain_)[A-Za-z0-9]+_mask$")


def bases_of_mask(stem: str) -> tuple[str, ...]:
    """Name what a mask may be the mask of: its image or case, the longest name first; none where it is no mask.

    Of `sub-01_label-lesion_mask` these are `sub-01_label-lesion` and `sub-01`.
    """
    match = LAST.fullmatch(stem)
    if match is None:
        return ()
    bases = [match["base"] or ""]
    while bases[-1] and (about := QUALIFIED.fullmatch(bases[-1])):
        bases.append(about["base"] or "")
    return tuple(bases)


def says_mask(stem: str) -> bool:
    """Say whether a name has a word for masks anywhere: `training_seg_01`."""
    return INSIDE.search(stem) is not None


def outlines_other_than_brain(stem: str) -> bool:
    """Say whether a mask is one of BIDS that describes itself, and not as the brain's: `x_desc-csf_mask`."""
    return OTHER_THAN_BRAIN.search(stem) is not None


class Images:
    """Names of images, to be found by the names of their masks."""

    def __init__(self, stems: Iterable[str]) -> None:
        """Take the names of all images that may have a mask, without suffix."""
        self._all = set(stems)
        self._of_case: dict[str, list[str]] = defaultdict(list)
        self._without_last: dict[str, list[str]] = defaultdict(list)
        for stem in sorted(self._all):
            if named := sequence_in_name(stem):
                self._of_case[named.case].append(stem)
            base, word = _last_word(stem)
            if re.search("[A-Za-z]", word):  # a number tells cases apart
                self._without_last[base].append(stem)

    def of_bases(self, bases: Sequence[str]) -> Collection[str]:
        """Find the images that a mask fits best by the names that its image or case may have, the likeliest first.

        First the one of that name, then those of its case (`x_flair` of `x_seg`), then those whose name has one word
        more (`sub-01_T2w` of `sub-01_desc-brain_mask`) or, where it is a sequence, one less.
        """
        for base in bases:
            if base in self._all:
                return [base]
        for table in (self._of_case, self._without_last):
            for base in bases:
                if table.get(base):
                    return table[base]
        for base in bases:
            shorter, word = _last_word(base)
            # Such words tell scans of one case apart, rather than cases.
            if shorter in self._all and (word.lower() in AT_THE_END or word.lower() in TREATMENT):
                return [shorter]
        return []


def _last_word(stem: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?:(.*)[_\-. ]|)([^_\-. ]*)", stem, re.DOTALL)
    assert match is not None
    return match[1] or "", match[2]
