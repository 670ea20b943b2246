"""What the numbers of a comparison do not say by themselves, in paragraphs.

warnings.py    what must be known before any number, in the order of its weight
footnotes.py   everything else, in its order
targets.py     several targets: the primary score, what is corrected together
seeds.py       one training, or several
split.py       whether patients leak
left_out.py    which entrants and seeds are not counted, and why
unequal.py     in what the entrants differ besides their model
"""
