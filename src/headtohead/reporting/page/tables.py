"""The findings as tables: what stands in each cell, and by what the cell is sorted."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from headtohead.reporting.entrant_names import in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.scoring.lesions import size_in_words
from headtohead.statistics.families import unitless
from headtohead.statistics.further import better_and_worse

if TYPE_CHECKING:
    import pandas as pd

SCORES = {
    "dice": "overlap of both volumes",
    "iou": "D / (2 - D)",
    "precision": "share of the prediction that is lesion; 0 where nothing was predicted",
    "recall": "share of the lesion that was found",
    "hd95": "95th percentile of the distance between the surfaces, 0 is best; the volume's diagonal where nothing was "
    "predicted",
    "surface_dice": "share of both surfaces within the tolerance of the other; 0 where nothing was predicted",
    "volume_error": "predicted less true volume in voxels; over and under cancel out here",
    "relative_volume_error": "the same by the true volume; over and under cancel out here",
    "volume_error_ml": "predicted less true volume in millilitres; over and under cancel out here",
    "absolute_volume_error_ml": "distance of the volumes in millilitres; 0 is best",
    "absolute_volume_error": "distance of the volumes in voxels; 0 is best",
    "absolute_relative_volume_error": "the same by the true volume; 0 is best",
    "lesions_found": "connected lesions touched by the prediction, per case",
    "lesions_missed": "connected lesions not touched, per case",
    "lesions_false": "connected predictions that touch no lesion, per case",
    "false_voxels_on_empty_slices": "voxels predicted on slices without lesion, per case",
}
"""What a score says, by its column without the unit."""
SLICE_STEP = "a step between slices counts as one pixel"
COUNTED = ("lesions_found", "lesions_missed", "lesions_false")

TITLES = {"grade": "WHO grade"}  # columns of cases.csv whose name does not say enough
ABOUT_A_CASE = ("site", "grade", "missing", "slices", "lesion_voxels")


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is read.
        order: what it is sorted by: a number, a text, or None where there is no value, which stands last either way.
        entrant: whose marker stands before the text.
        note: a smaller second line.
    """

    text: str
    order: float | str | None = None
    entrant: Entrant | None = None
    note: str = ""


@dataclass(frozen=True)
class Column:
    """The head of a column: its name, and whether its cells are numbers."""

    name: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows."""

    caption: str
    columns: list[Column]
    rows: list[list[Cell]]


def entrant_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the main table: one row an entrant."""
    columns = [
        "mean Dice [95\u00a0%]",
        "seed SD",
        "median Dice [95\u00a0%]",
        f"cases below {FAILED_BELOW:g}",
        "lowest to highest",
        "cases",
    ]
    columns += ["parameters", "epochs", "training time"]
    rows = []
    for entrant in entrants:
        found = findings.means.loc[entrant.name]
        rows.append(
            [
                Cell(entrant.label, entrant.label, entrant),
                _estimate(found["mean"], found["low"], found["high"]),
                _number(found["seed_sd"], lambda sd, n=found["seeds"]: f"{sd:.4f} ({n:.0f} seeds)"),
                _estimate(found["median"], found["median_low"], found["median_high"]),
                _number(found["failed"], wording.whole),
                _range(found["minimum"], found["maximum"]),
                _number(found["n"], wording.whole),
                _number(found["parameters"], wording.size),
                _number(found["epochs"], lambda value: value if isinstance(value, str) else wording.whole(value)),
                _number(found["seconds"], wording.duration),
            ]
        )
    return Table("Dice per case, by entrant", _head("entrant", columns), rows)


def pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out every pair but those of ensembles, with all that was worked out about it."""
    return _pairs(findings.pairs, entrants, "Paired differences in Dice, first minus second")


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
                Cell(first, first, names.get(pair["a"])),
                Cell(second, second, names.get(pair["b"])),
                _finding(pair, higher),
                _estimate(pair["mean_difference"], pair["low"], pair["high"], signed=True),
                _number(pair["median_difference"], wording.difference),
                _number(pair["p"], wording.p_value),
                _number(pair["holm_p"], wording.p_value),
                _number(pair["rank_biserial"], wording.difference),
                _number(pair["wins"], lambda _, pair=pair: "{wins} / {ties} / {losses}".format_map(pair)),
                _number(pair["smallest_detectable"], wording.score),
                _interval(pair["low_90"], pair["high_90"]),
                _number(pair["tost_holm_p"], wording.p_value),
                _number(pair["n"], wording.whole),
            ]
        )
    words = [Column(name, numeric=False) for name in ("first", "second", "finding")]
    numbers = ["mean difference [95\u00a0%]", "median difference", "p", "p (Holm)", "rank-biserial"]
    numbers += ["wins / ties / losses", "smallest detectable", "90\u00a0% interval", "p (equivalence, Holm)", "cases"]
    return Table(caption, words + [Column(name) for name in numbers], rows)


def rank_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out how often each entrant takes each rank."""
    ranks = findings.ranks
    rows = [
        [
            Cell(entrant.label, entrant.label, entrant),
            *(_number(ranks.loc[entrant.name, rank], wording.share) for rank in ranks.columns),
        ]
        for entrant in entrants
        if entrant.name in ranks.index
    ]
    return Table(
        "Share of resamples in which an entrant takes a rank",
        _head("entrant", [f"rank {rank}" for rank in ranks.columns]),
        rows,
    )


def score_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the mean over cases of every score: one row a score, one column an entrant."""
    shown, rows = _of(entrants, findings.scores), []
    unit = "mm" if findings.scores["score"].eq("hd95_mm").any() else "px"
    for name, found in findings.scores.groupby("score", sort=False):
        by_entrant = found.set_index("entrant")
        means = [_with_range(by_entrant, entrant) for entrant in shown]
        rows.append([Cell(str(name), str(name), note=meaning_of(str(name), unit)), *means, _votes(found["n"])])
    return Table("Mean over cases of every score", _head("score", [*(one.label for one in shown), "cases"]), rows)


def meaning_of(column: str, unit: str) -> str:
    """Say what a score means, with what is beside it in the unit of the data: least size, step between slices."""
    meaning = SCORES.get(unitless(column), "")
    if column in COUNTED:
        return f"{meaning}; of {size_in_words(unit)}"
    return f"{meaning}; {SLICE_STEP}" if column.endswith("_px") else meaning


def without_lesion_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out what each entrant did on the cases without a lesion; no row where every case has one."""
    found = findings.without_lesion.set_index("entrant")
    in_ml = bool(len(found)) and bool(found["false_ml_mean"].notna().all())
    kind, unit = ("false_ml", "ml") if in_ml else ("false_voxels", "voxels")
    columns = ["cases", "left alone", "specificity [95\u00a0%]", f"false {unit} a case, mean", "median"]
    rows = []
    for entrant in entrants if len(found) else []:
        row = found.loc[entrant.name]
        rows.append(
            [
                Cell(entrant.label, entrant.label, entrant),
                _number(row["n"], wording.whole),
                _number(row["left_alone"], "{:.3g}".format),
                _estimate(row["specificity"], row["low"], row["high"]),
                _number(row[f"{kind}_mean"], "{:,.4g}".format),
                _number(row[f"{kind}_median"], "{:,.4g}".format),
                _range(row[f"{kind}_minimum"], row[f"{kind}_maximum"], "{:,.4g}".format),
            ]
        )
    return Table("Cases without a lesion, by entrant", _head("entrant", [*columns, "lowest to highest"]), rows)


def further_pair_table(pairs: "pd.DataFrame", caption: str) -> Table:
    """Lay out the paired tests of a family other than Dice.

    Args:
        pairs: as `Findings.secondary` or `Findings.healthy_pairs`.
        caption: of the table.
    """
    rows = []
    for _, pair in pairs.iterrows():
        first, second = in_words(str(pair["a"])), in_words(str(pair["b"]))
        finding = (
            f"{in_words(better_and_worse(pair)[0])} better" if pair["different"] else "no evidence of a difference"
        )
        rows.append(
            [
                Cell(str(pair["score"]), str(pair["score"])),
                Cell(first, first),
                Cell(second, second),
                Cell(finding, finding),
                _estimate(pair["mean_difference"], pair["low"], pair["high"], signed=True),
                Cell(str(pair["test"]), str(pair["test"])),
                _number(pair["p"], wording.p_value),
                _number(pair["holm_p"], wording.p_value),
                _number(pair["wins"], lambda _, pair=pair: "{wins} / {ties} / {losses}".format_map(pair)),
                _number(pair["n"], wording.whole),
            ]
        )
    words = [Column(name, numeric=False) for name in ("score", "first", "second", "finding")]
    columns = [Column("mean difference [95\u00a0%]"), Column("test", numeric=False), Column("p"), Column("p (Holm)")]
    return Table(caption, [*words, *columns, Column("better / even / worse"), Column("cases")], rows)


def convention_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the same predictions scored in several ways: one row a convention, one column an entrant."""
    shown, rows = _of(entrants, findings.conventions), []
    for name, found in findings.conventions.groupby("convention", sort=False):
        by_entrant = found.set_index("entrant")
        scores = [_number(_get(by_entrant, entrant, "score"), wording.score) for entrant in shown]
        rows.append([Cell(str(name), str(name), note=str(found["meaning"].iloc[0])), *scores, _votes(found["n"])])
    return Table(
        "The same predictions under each convention",
        _head("convention", [*(one.label for one in shown), "votes"]),
        rows,
    )


def subgroup_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out mean Dice in parts of the cases."""
    shown, rows = _of(entrants, findings.subgroups), []
    for (kind, level), found in findings.subgroups.groupby(["group", "level"], sort=False):
        by_entrant = found.set_index("entrant")
        means = [
            _estimate(*(_get(by_entrant, entrant, column) for column in ("mean", "low", "high"))) for entrant in shown
        ]
        rows.append([Cell(str(kind), str(kind)), Cell(str(level), str(level)), _votes(found["n"]), *means])
    columns = [Column("by", numeric=False), Column("level", numeric=False), Column("cases")]
    return Table("Mean Dice [95 %] in parts of the cases", columns + [Column(one.label) for one in shown], rows)


def subgroup_pair_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out paired differences in parts of the cases: one row a level, one column a pair."""
    pairs = findings.subgroup_pairs
    names = list(dict.fromkeys(zip(pairs["a"], pairs["b"], strict=True)))
    rows = []
    for (kind, level), found in pairs.groupby(["group", "level"], sort=False):
        by_pair = {(row["a"], row["b"]): row for row in found.to_dict("records")}
        differences = [
            _estimate(by_pair[name]["mean_difference"], by_pair[name]["low"], by_pair[name]["high"], signed=True)
            for name in names
        ]
        rows.append([Cell(str(kind), str(kind)), Cell(str(level), str(level)), _votes(found["n"]), *differences])
    columns = [Column("by", numeric=False), Column("level", numeric=False), Column("cases")]
    columns += [Column(f"{in_words(a)} − {in_words(b)}") for a, b in names]
    return Table("Mean paired difference in Dice [95 %] in parts of the cases", columns, rows)


def case_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out every case with what is known about it and its Dice under each entrant."""
    about = [column for column in ABOUT_A_CASE if column in findings.cases]
    known = findings.cases.groupby("case")[about].first()
    texts = [column for column in about if known[column].dtype.kind not in "iuf"]
    rows = []
    for case, scores in findings.matrix.iterrows():
        facts = known.loc[case] if case in known.index else {}
        row = [Cell(str(case), str(case))]
        row += [
            _word(facts.get(column)) if column in texts else _number(facts.get(column), wording.whole)
            for column in about
        ]
        rows.append(row + [_number(scores[entrant.name], wording.score) for entrant in entrants])
    columns = [Column("case", numeric=False)]
    columns += [Column(TITLES.get(column, column.replace("_", " ")), numeric=column not in texts) for column in about]
    return Table("Dice of every case", columns + [Column(entrant.label) for entrant in entrants], rows)


def _head(first: str, numbers: Iterable[str]) -> list[Column]:
    return [Column(first, numeric=False), *(Column(name) for name in numbers)]


def _of(entrants: list[Entrant], rows: "pd.DataFrame") -> list[Entrant]:
    """The entrants that a table has rows of."""
    there = set(rows["entrant"])
    return [entrant for entrant in entrants if entrant.name in there]


def _get(rows: "pd.DataFrame", entrant: Entrant, column: str) -> Any:
    return rows.loc[entrant.name, column] if entrant.name in rows.index else None


def _number(value: Any, write: Any) -> Cell:
    if wording.missing(value):
        return Cell(wording.NOTHING)
    return Cell(write(value), value if isinstance(value, str) else float(value))


def _word(value: Any) -> Cell:
    if wording.missing(value):
        return Cell(wording.NOTHING)
    return Cell(str(value).removesuffix(".0"), str(value))


def _finding(pair: dict[Hashable, Any], higher: str) -> Cell:
    said = f"{higher} higher" if pair["different"] else "no evidence of a difference"
    if pair["equivalent"]:
        alike = f"equivalent within {pair['margin']:g}"
        said = f"{said}, yet {alike}" if pair["different"] else alike
    return Cell(said, said)


def _estimate(value: Any, low: Any, high: Any, signed: bool = False) -> Cell:
    write = wording.difference if signed else wording.score
    cell = _number(value, lambda one: write(one, low, high))
    return Cell(f"{cell.text} {wording.interval(low, high, signed)}".strip(), cell.order)


def _interval(low: Any, high: Any) -> Cell:
    """An interval alone, sorted by its lower end."""
    text = wording.interval(low, high, signed=True)
    return Cell(text, float(low)) if text else Cell(wording.NOTHING)


def _range(low: Any, high: Any, write: Any = wording.score) -> Cell:
    """From the lowest to the highest, sorted by the lowest."""
    return Cell(wording.NOTHING) if wording.missing(low) else Cell(f"{write(low)} to {write(high)}", float(low))


def _with_range(rows: "pd.DataFrame", entrant: Entrant) -> Cell:
    """A mean with its interval, and below it median, lowest and highest."""
    cell = _estimate(*(_get(rows, entrant, column) for column in ("mean", "mean_low", "mean_high")))
    if cell.order is None:
        return cell
    median, low, high = (_get(rows, entrant, column) for column in ("median", "minimum", "maximum"))
    return replace(cell, note=f"median {wording.score(median)}, {_range(low, high).text}")


def _votes(numbers: "pd.Series[int]") -> Cell:
    """One number where all entrants have the same, else the range."""
    low, high = int(numbers.min()), int(numbers.max())
    return Cell(f"{low:,}" if low == high else f"{low:,}–{high:,}", float(high))
