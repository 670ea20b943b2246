"""What the scores of the cases say about the models: intervals, paired differences, ranks, and the verdict in words.

Everything here reads scores that are made already, from a table with one row per run and test case. The unit of every
count, resampling and test is the case, because patients are what a result is meant to hold for. Who is in a statistic
depends on the truth alone: Dice and its like on cases with a lesion, `without_lesion` on the others.
"""
