"""One row a pair of entrants: paired differences in Dice, and beside it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of
from headtohead.statistics.further import better_and_worse
from headtohead.statistics.targets import TARGET
from headtohead.statistics.words import no_difference

if TYPE_CHECKING:
    import pandas as pd

Pair = Mapping[str, Any]


def pair_table(pairs: "pd.DataFrame", caption: str, entrants: Sequence[Entrant] = ()) -> Table:
    """Lay out the pairs of a family of tests.

    Args:
        pairs: as `Findings` has them: in Dice, with equivalence; or, of which score the rows say, beside it.
        caption: of the table.
        entrants: whose markers stand before their names.
    """
    looks, tests, in_dice = {entrant.name: entrant for entrant in entrants}, len(pairs), "score" not in pairs

    def entrant(side: str) -> Column:
        def cell(pair: Pair) -> Cell:
            name = in_words(str(pair[side]))
            return Cell(name, name, looks.get(pair[side]))

        return Column("first" if side == "a" else "second", cell, numeric=False)

    def balance(pair: Pair) -> Cell:
        return cells.number_cell(pair["wins"], lambda _: "{wins} / {ties} / {losses}".format_map(pair))

    what = [cells.word_column(TARGET)] * (TARGET in pairs and len(pairs) > 0) + [cells.word_column("score")] * (
        not in_dice
    )
    finding = Column("finding", lambda pair: cells.word_cell((_in_dice if in_dice else _beside)(pair, tests)), False)
    difference = cells.estimates("mean difference [95\u00a0%]", "mean_difference", signed=True)
    p = [cells.numbers("p", "p", wording.p_in_words), cells.numbers("p (Holm)", "holm_p", wording.p_in_words)]
    columns = [*what, entrant("a"), entrant("b"), finding, difference]
    if in_dice:
        columns += [
            cells.numbers("median difference", "median_difference", wording.signed_difference),
            *p,
            cells.numbers("rank-biserial", "rank_biserial", wording.signed_difference),
            Column("wins / ties / losses", balance),
            cells.numbers("smallest detectable", "smallest_detectable", wording.score),
            Column("90\u00a0% interval", _interval),
            cells.numbers("p (equivalence, Holm)", "tost_holm_p", wording.p_in_words),
        ]
    else:
        columns += [cells.word_column("test"), *p, Column("better / even / worse", balance)]
    columns.append(cells.numbers("cases", "n", wording.count_in_words))
    return table_of(caption, columns, pairs.to_dict("records"))


def _interval(pair: Pair) -> Cell:
    text = wording.interval(pair["low_90"], pair["high_90"], signed=True)
    return Cell(text, float(pair["low_90"])) if text else Cell(wording.NOTHING)


def _in_dice(pair: Pair, tests: int) -> str:
    higher = in_words(str(pair["a" if pair["mean_difference"] > 0 else "b"]))
    said = f"{higher} higher" if pair["different"] else no_difference(pair["n"], tests)
    if pair["equivalent"]:
        alike = f"equivalent within {pair['margin']:g}"
        said = f"{said}, yet {alike}" if pair["different"] else alike
    return said


def _beside(pair: Pair, tests: int) -> str:
    return f"{in_words(better_and_worse(pair)[0])} better" if pair["different"] else no_difference(pair["n"], tests)
