"""Files on disk become a Cohort: a case table and memory-mapped pixels, packed once."""

from headtohead.cohort.cohort import CHANNELS, FLAIR, Cohort
from headtohead.cohort.pack import open_cohort

__all__ = ["CHANNELS", "FLAIR", "Cohort", "open_cohort"]
