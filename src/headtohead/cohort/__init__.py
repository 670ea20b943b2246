"""Files on disk become a Cohort: a case table and memory-mapped pixels, packed once."""

from headtohead.cohort.cohort import Cohort
from headtohead.cohort.pack import open_cohort, open_data

__all__ = ["Cohort", "open_cohort", "open_data"]
