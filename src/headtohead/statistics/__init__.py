"""What the scores of the cases say about the models: intervals, paired differences, ranks, and the verdict in words.

Everything here reads scores that are made already, from a table with one row per run and test case. The unit of every
count, resampling and test is the case, because patients are what a result is meant to hold for. Who is in a statistic
depends on the truth alone: Dice and its like on cases with a lesion, `without_lesion` on the others.
"""

from headtohead.statistics.families import all_pairs, secondary_pairs
from headtohead.statistics.intervals import Interval, MedianInterval, mean_interval, median_interval
from headtohead.statistics.matrix import entrants, score_matrix
from headtohead.statistics.paired import compare_pairs
from headtohead.statistics.power import smallest_detectable
from headtohead.statistics.ranks import rank_distribution
from headtohead.statistics.subgroups import subgroup_table
from headtohead.statistics.verdict import verdict

__all__ = [
    "Interval",
    "MedianInterval",
    "all_pairs",
    "compare_pairs",
    "entrants",
    "mean_interval",
    "median_interval",
    "rank_distribution",
    "score_matrix",
    "secondary_pairs",
    "smallest_detectable",
    "subgroup_table",
    "verdict",
]
