"""Looks of entrants: no two alike, the baseline apart."""

import dataclasses

import pandas as pd

from headtohead.reporting.findings import Findings
from headtohead.reporting.page.entrants import entrants_of


def test_every_entrant_has_its_own_colour_and_marker(findings: Findings) -> None:
    entrants = entrants_of(findings)
    assert [entrant.name for entrant in entrants] == list(findings.matrix.columns)
    assert [entrant.baseline for entrant in entrants] == [False] * 4 + [True]
    for field in ("colour", "marker", "dash", "key"):
        assert len({getattr(entrant, field) for entrant in entrants}) == 5


def test_thirty_entrants_are_still_told_apart(findings: Findings) -> None:
    many = dataclasses.replace(findings, matrix=pd.DataFrame(columns=[f"net {number}" for number in range(30)]))
    entrants = entrants_of(many)
    assert len({(entrant.colour, entrant.marker) for entrant in entrants}) == 30
    assert len({(entrant.colour, entrant.dash) for entrant in entrants}) == 30
