"""One row an entrant: the main table, the ranks, and the cases without a lesion."""

from dataclasses import replace

from headtohead.drawing.outlines import hexadecimal
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, table_of
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics.targets import TARGET, each_target

TRUTH = "truth"


def entrant_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the main table: one row an entrant."""
    trained = not findings.given or any(not entrant.given and not entrant.baseline for entrant in entrants)
    sd = Column(
        "seed SD", lambda row: cells.number_cell(row["seed_sd"], lambda sd: f"{sd:.4f} ({row['seeds']:.0f} seeds)")
    )
    of_training = [
        cells.numbers("parameters", "parameters", wording.size),
        cells.numbers("epochs", "epochs", wording.count_in_words),
        cells.numbers("training time", "seconds", wording.duration),
    ]
    columns = [
        cells.of_entrants(sources=True),
        cells.estimates("mean Dice [95\u00a0%]", "mean"),
        *[sd] * trained,
        cells.estimates("median Dice [95\u00a0%]", "median", "median_low", "median_high"),
        cells.numbers(f"cases below {FAILED_BELOW:g}", "failed", wording.count_in_words),
        Column("lowest to highest", lambda row: cells.lowest_to_highest(row["minimum"], row["maximum"])),
        cells.numbers("cases", "n", wording.count_in_words),
        *of_training * trained,
    ]
    records = [{"entrant": entrant, **findings.means.loc[entrant.name]} for entrant in entrants]
    return table_of("Dice per case, by entrant", columns, records)


def target_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the Dice of each of several targets: one row an entrant, one column a target."""
    colours = {f"{one.name} [95\u00a0%]": hexadecimal(one.colour) for one in findings.targets.all}
    names = dict(zip(findings.by_target, colours, strict=True))
    columns = [replace(column, colour=colours[column.name]) for column in cells.each(names, cells.with_range)]
    means = {name: found.means for name, found in findings.by_target.items()}
    records = [{"entrant": one, "of": {name: own.loc[one.name] for name, own in means.items()}} for one in entrants]
    return table_of(
        "Mean Dice per case, target by target, over the cases that hold it", [cells.of_entrants(), *columns], records
    )


def agreement_table(findings: Findings, entrants: list[Entrant]) -> Table | None:
    """Lay out the Dice between the masks of each two entrants, and with the truth; None where nobody asks."""
    found, shown = findings.agreement, [entrant for entrant in entrants if not entrant.baseline]
    if not len(found):
        return None
    agree: dict[str, dict[str, Cell]] = {one.name: {} for one in shown}
    for row in found.to_dict("records"):
        agree[row["a"]][row["b"]] = agree[row["b"]][row["a"]] = cells.estimate(row["mean"], row["low"], row["high"])
    for one in shown:
        mean = findings.means.loc[one.name]
        agree[one.name][TRUTH] = cells.estimate(mean["mean"], mean["low"], mean["high"])
    columns = cells.each({TRUTH: TRUTH} | {one.name: one.label for one in shown}, lambda cell: cell)
    records = [{"entrant": one, "of": agree[one.name]} for one in shown]
    caption = "Mean Dice between the masks of two entrants [95\u00a0%]"
    return table_of(caption, [cells.of_entrants(), *columns], records)


def rank_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out how often each entrant takes each rank."""
    ranks = findings.ranks
    columns = [cells.of_entrants(), *(cells.numbers(f"rank {rank}", rank, wording.share) for rank in ranks.columns)]
    ranked = [entrant for entrant in entrants if entrant.name in ranks.index]
    records = [{"entrant": entrant, **ranks.loc[entrant.name].to_dict()} for entrant in ranked]
    return table_of("Share of resamples in which an entrant takes a rank", columns, records)


def without_lesion_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out what each entrant did on the cases without a lesion; no row where every case has one."""
    found = findings.without_lesion
    in_ml = bool(len(found)) and bool(found["false_ml_mean"].notna().all())
    kind, unit = ("false_ml", "ml") if in_ml else ("false_voxels", "voxels")
    write = "{:,.4g}".format
    columns = [
        *([cells.word_column("without")] if TARGET in found else []),
        cells.of_entrants(),
        cells.numbers("cases", "n", wording.count_in_words),
        cells.numbers("left alone", "left_alone", "{:.3g}".format),
        cells.estimates("specificity [95\u00a0%]", "specificity"),
        cells.numbers(f"false {unit} per case, mean", f"{kind}_mean", write),
        cells.numbers("median", f"{kind}_median", write),
        Column(
            "lowest to highest",
            lambda row: cells.lowest_to_highest(row[f"{kind}_minimum"], row[f"{kind}_maximum"], write),
        ),
    ]
    records = [
        {**own.set_index("entrant").loc[entrant.name], "without": target, "entrant": entrant}
        for target, own in each_target(found).items()
        for entrant in (entrants if len(own) else ())
    ]
    what = "target" if TARGET in found else "lesion"
    return table_of(f"Cases without a {what}, by entrant", columns, records)
