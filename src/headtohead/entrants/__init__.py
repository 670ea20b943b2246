"""Entrants that were not trained here: masks of any program become run folders, which all reports read like others.

`score` settles truth and splits, pairs and reads the masks of each entrant (`pairing`, `reading`) and writes one run
folder an entrant and fold (`folder`). What is not made of masks has the same way in: whatever writes a run folder with
`cases.csv` and a `run.json` as `folder.record_of` gives it is an entrant of the comparison.
"""
