"""Made-up patients in the layout of the LGG data set, for trying and testing everything without a download."""

from headtohead.cohort.phantom.writing import make_phantoms

__all__ = ["make_phantoms"]
