"""Options of a truth that is not given, and of masks where scores are. Imports nothing heavy: it answers at once."""

OF_TRUTH = ("data", "images", "labels", "patient_pattern", "sequences", "mask_dir", "mask_pattern", "bits")
"""How the files of a truth are read; without one, the runs of the comparison say it."""

OF_AGREEMENT = ("masks", "images", "labels", "comparison", "runs_dir", "overwrite")
"""What can change the agreement of masks over images without a truth."""

OF_SCORES = ("scores", "comparison", "runs_dir", "margin", "overwrite")
"""What can change a comparison of scores that were computed elsewhere."""


def no_use_in_scoring(name: str, verb: str, truth: str, images: str) -> str:
    """Say why an option has no effect on `--score`; empty if it has one."""
    if verb != "score" or truth:
        return ""
    if images and name not in OF_AGREEMENT:
        return "has no effect on the agreement of masks over `images` without a `truth`; add the truth, or leave it out"
    if name in OF_TRUTH and not images:
        return "says how `truth` is read, and none is given; add it, or leave this out"
    return ""


def no_use_for_scores(name: str, verb: str, scores: str) -> str:
    """Say why an option has no effect where the scores are given; empty if it has one."""
    if verb == "score" and scores and name not in OF_SCORES:
        return "has no effect with `scores`, which are compared as they are; leave one of them out"
    return ""
