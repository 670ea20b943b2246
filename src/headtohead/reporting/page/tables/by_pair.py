"""One row a pair of entrants: paired differences in Dice, and beside it."""

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table
from headtohead.statistics.further import better_and_worse
from headtohead.statistics.targets import TARGET
from headtohead.statistics.words import no_difference

if TYPE_CHECKING:
    import pandas as pd


def pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out every pair but those of ensembles, with all that was worked out about it."""
    return _pairs(findings.pairs, entrants, "Paired differences in Dice, first minus second")


def target_pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the pairs of models in the Dice of each of several targets."""
    return _pairs(findings.target_pairs, entrants, "Target by target: paired differences in Dice, first minus second")


def ensemble_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the pairs of ensembles in the same columns; no row where there is no ensemble."""
    return _pairs(findings.ensembles, entrants, "Ensembles of seeds: paired differences in Dice, first minus second")


def _pairs(pairs: "pd.DataFrame", entrants: list[Entrant], caption: str) -> Table:
    names = {entrant.name: entrant for entrant in entrants}
    rows = []
    for pair in pairs.to_dict("records"):
        first, second = in_words(str(pair["a"])), in_words(str(pair["b"]))
        higher = first if pair["mean_difference"] > 0 else second
        rows.append(
            [
                *_target(pair),
                Cell(first, first, names.get(pair["a"])),
                Cell(second, second, names.get(pair["b"])),
                _finding(pair, higher, len(pairs)),
                cells.estimate(pair["mean_difference"], pair["low"], pair["high"], signed=True),
                cells.number(pair["median_difference"], wording.difference),
                cells.number(pair["p"], wording.p_value),
                cells.number(pair["holm_p"], wording.p_value),
                cells.number(pair["rank_biserial"], wording.difference),
                cells.number(pair["wins"], lambda _, pair=pair: "{wins} / {ties} / {losses}".format_map(pair)),
                cells.number(pair["smallest_detectable"], wording.score),
                cells.interval(pair["low_90"], pair["high_90"]),
                cells.number(pair["tost_holm_p"], wording.p_value),
                cells.number(pair["n"], wording.whole),
            ]
        )
    words = [Column(name, numeric=False) for name in (*_named(pairs), "first", "second", "finding")]
    numbers = ["mean difference [95\u00a0%]", "median difference", "p", "p (Holm)", "rank-biserial"]
    numbers += ["wins / ties / losses", "smallest detectable", "90\u00a0% interval", "p (equivalence, Holm)", "cases"]
    return Table(caption, words + [Column(name) for name in numbers], rows)


def _named(pairs: "pd.DataFrame") -> list[str]:
    return [TARGET] * (TARGET in pairs and len(pairs) > 0)


def _target(pair: "dict[Hashable, Any] | pd.Series") -> list[Cell]:
    return [Cell(str(pair[TARGET]), str(pair[TARGET]))] if TARGET in pair else []


def _finding(pair: dict[Hashable, Any], higher: str, tests: int) -> Cell:
    said = f"{higher} higher" if pair["different"] else no_difference(pair["n"], tests)
    if pair["equivalent"]:
        alike = f"equivalent within {pair['margin']:g}"
        said = f"{said}, yet {alike}" if pair["different"] else alike
    return Cell(said, said)


def further_pair_table(pairs: "pd.DataFrame", caption: str) -> Table:
    """Lay out the paired tests of a family other than Dice.

    Args:
        pairs: as `Findings.secondary` or `Findings.healthy_pairs`.
        caption: of the table.
    """
    rows = []
    for _, pair in pairs.iterrows():
        first, second = in_words(str(pair["a"])), in_words(str(pair["b"]))
        better = f"{in_words(better_and_worse(pair)[0])} better"
        finding = better if pair["different"] else no_difference(pair["n"], len(pairs))
        rows.append(
            [
                *_target(pair),
                Cell(str(pair["score"]), str(pair["score"])),
                Cell(first, first),
                Cell(second, second),
                Cell(finding, finding),
                cells.estimate(pair["mean_difference"], pair["low"], pair["high"], signed=True),
                Cell(str(pair["test"]), str(pair["test"])),
                cells.number(pair["p"], wording.p_value),
                cells.number(pair["holm_p"], wording.p_value),
                cells.number(pair["wins"], lambda _, pair=pair: "{wins} / {ties} / {losses}".format_map(pair)),
                cells.number(pair["n"], wording.whole),
            ]
        )
    words = [Column(name, numeric=False) for name in (*_named(pairs), "score", "first", "second", "finding")]
    columns = [Column("mean difference [95\u00a0%]"), Column("test", numeric=False), Column("p"), Column("p (Holm)")]
    return Table(caption, [*words, *columns, Column("better / even / worse"), Column("cases")], rows)
