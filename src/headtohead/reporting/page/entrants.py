"""How each entrant looks: a colour, a marker and a kind of dash, the same in every chart, table and picture."""

from dataclasses import dataclass

from headtohead.options.comparison import is_baseline
from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings

# As many as style.css has; they are counted separately, so that the pair repeats later than either.
COLOURS = 6
DASHES = 5
MARKERS = ("circle", "square", "triangle", "diamond", "wedge", "plus", "bar")
BASELINE_MARKER = "cross"


@dataclass(frozen=True)
class Entrant:
    """One entrant as it is drawn.

    Attributes:
        name: `"unet none"`, as in the findings.
        label: `"unet, no schedule"`, as it is read.
        key: short name in the page's own code: its place among the entrants, from "0".
        colour: class that style.css gives the colour.
        dash: class that style.css gives the kind of dash, in pictures.
        marker: shape of its dots, a name that `svg.marker` knows.
        baseline: whether it is the threshold, which is not in the contest.
        given: of masks that were not made here, where they are from; else empty.
    """

    name: str
    label: str
    key: str
    colour: str
    dash: str
    marker: str
    baseline: bool
    given: str = ""


def entrants_of(findings: Findings) -> list[Entrant]:
    """Give every entrant of the findings its look, in the order of the columns of the matrix."""
    entrants = []
    for place, name in enumerate(map(str, findings.matrix.columns)):
        colour, dash, marker = f"colour-{place % COLOURS}", f"dash-{place % DASHES}", MARKERS[place % len(MARKERS)]
        if is_baseline(name):
            colour, dash, marker = "colour-baseline", "dash-baseline", BASELINE_MARKER
        given = findings.given.get(name, "")
        entrants.append(Entrant(name, in_words(name), str(place), colour, dash, marker, is_baseline(name), given))
    return entrants
