"""The findings as tables of the page: one file for each kind of row, with cells that are read and sorted.

table.py         what a table is: columns that make a cell of each record
cells.py         a number, an estimate, a range as one cell, and columns of them
by_entrant.py    one row an entrant: the main table, ranks, cases without a lesion
by_pair.py       one row a pair of entrants
by_score.py      one row a score or a convention
by_subgroup.py   one row a part of the cases
by_case.py       one row a case
"""
