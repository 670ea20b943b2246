"""Options of a truth that is not given. Imports nothing heavy: mistakes answer at once."""

OF_TRUTH = ("data", "images", "labels", "patient_pattern", "sequences", "mask_dir", "mask_pattern", "bits")
"""How the files of a truth are read; without one, the runs of the comparison say it."""


def no_use_in_scoring(name: str, verb: str, truth: str) -> str:
    """Say why an option has no effect on `--score`; empty if it has one."""
    if verb == "score" and name in OF_TRUTH and not truth:
        return "says how `truth` is read, and none is given; add it, or leave this out"
    return ""
