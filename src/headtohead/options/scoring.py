"""Whose masks are scored, and against which truth."""

from dataclasses import dataclass

from headtohead.options.checks import named_folder
from headtohead.options.declaring import option
from headtohead.options.group import Group


@dataclass(frozen=True)
class ScoringOptions(Group):
    """Masks of other programs."""

    truth: str = option(
        "",
        "the truth of --score: a data set with its images, or a folder of label maps alone; default: the data that "
        "the runs of --comparison were tested on",
        metavar="DIR",
    )
    masks: tuple[str, ...] = option(
        (),
        "entrants of --score: a name and the folder of its masks, which are named after their cases or images",
        metavar="NAME=DIR,...",
        check=named_folder,
    )
    scores: str = option(
        "",
        "scores for --score in place of masks: a long CSV with the columns case, method, target (may be missing) and "
        "score, which is a Dice",
        metavar="FILE",
    )
    images: str = option(
        "",
        "images for the pictures of --score, where --truth holds label maps alone; without --truth, what two or more "
        "entrants of --masks outlined, whose agreement is then measured; default: none",
        metavar="DIR",
    )
