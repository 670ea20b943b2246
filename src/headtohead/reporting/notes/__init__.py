"""What the numbers of a comparison do not say by themselves, in paragraphs.

warnings.py    what must be known before any number, in the order of its weight; which entrants are not counted
footnotes.py   everything else, in its order
seeds.py       one training, or several
split.py       whether patients leak
unequal.py     in what the entrants differ besides their model
"""
