"""Words in the names of MRI files: which say a sequence, and which say only what was done to it.

Names of BraTS (`x_t1ce`, `x-t2f`), of BIDS (`sub-01_ce-gadolinium_T1w`; Gorgolewski et al., Scientific Data 2016,
doi 10.1038/sdata.2016.44), of scanners (`T2_FLAIR`) and of tools that add a word of their own (`x_flair_bet`).
"""

import re

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
"""Sequence -> words that say it anywhere in a name, in small letters. Also kinds of image that are no one's FLAIR."""

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

_MOVED = "reg registered coreg coregistered warped resampled resliced aligned"
MOVED = frozenset(_MOVED.split())
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
