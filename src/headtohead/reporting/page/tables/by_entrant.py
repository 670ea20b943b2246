"""One row an entrant: the main table, the ranks, and the cases without a lesion."""

from headtohead.drawing.outlines import hexadecimal
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import wording
from headtohead.reporting.page.entrants import Entrant
from headtohead.reporting.page.tables import cells
from headtohead.reporting.page.tables.table import Cell, Column, Table, head
from headtohead.scoring.counts import FAILED_BELOW
from headtohead.statistics.targets import TARGET, each_target


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
                cells.estimate(found["mean"], found["low"], found["high"]),
                cells.number(found["seed_sd"], lambda sd, n=found["seeds"]: f"{sd:.4f} ({n:.0f} seeds)"),
                cells.estimate(found["median"], found["median_low"], found["median_high"]),
                cells.number(found["failed"], wording.whole),
                cells.lowest_to_highest(found["minimum"], found["maximum"]),
                cells.number(found["n"], wording.whole),
                cells.number(found["parameters"], wording.size),
                cells.number(found["epochs"], lambda value: value if isinstance(value, str) else wording.whole(value)),
                cells.number(found["seconds"], wording.duration),
            ]
        )
    return Table("Dice per case, by entrant", head("entrant", columns), rows)


def target_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out the Dice of each of several targets: one row an entrant, one column a target."""
    columns = [Column("entrant", numeric=False)]
    columns += [Column(f"{one.name} [95\u00a0%]", colour=hexadecimal(one.colour)) for one in findings.targets.all]
    rows = []
    for entrant in entrants:
        means = [findings.by_target[name].means.loc[entrant.name] for name in findings.by_target]
        rows.append([Cell(entrant.label, entrant.label, entrant), *(cells.mean_with_range(one) for one in means)])
    return Table("Mean Dice per case, target by target, over the cases that hold it", columns, rows)


def rank_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out how often each entrant takes each rank."""
    ranks = findings.ranks
    rows = [
        [
            Cell(entrant.label, entrant.label, entrant),
            *(cells.number(ranks.loc[entrant.name, rank], wording.share) for rank in ranks.columns),
        ]
        for entrant in entrants
        if entrant.name in ranks.index
    ]
    return Table(
        "Share of resamples in which an entrant takes a rank",
        head("entrant", [f"rank {rank}" for rank in ranks.columns]),
        rows,
    )


def without_lesion_table(findings: Findings, entrants: list[Entrant]) -> Table:
    """Lay out what each entrant did on the cases without a lesion; no row where every case has one."""
    found = findings.without_lesion
    in_ml = bool(len(found)) and bool(found["false_ml_mean"].notna().all())
    kind, unit = ("false_ml", "ml") if in_ml else ("false_voxels", "voxels")
    columns = ["cases", "left alone", "specificity [95\u00a0%]", f"false {unit} per case, mean", "median"]
    first = [Column("without", numeric=False)] if TARGET in found else []
    each = [(target, own.set_index("entrant")) for target, own in each_target(found).items()]
    rows = []
    for target, row, entrant in [
        (target, own.loc[entrant.name], entrant) for target, own in each for entrant in entrants if len(own)
    ]:
        rows.append(
            [
                *(Cell(target, target) for _ in first),
                Cell(entrant.label, entrant.label, entrant),
                cells.number(row["n"], wording.whole),
                cells.number(row["left_alone"], "{:.3g}".format),
                cells.estimate(row["specificity"], row["low"], row["high"]),
                cells.number(row[f"{kind}_mean"], "{:,.4g}".format),
                cells.number(row[f"{kind}_median"], "{:,.4g}".format),
                cells.lowest_to_highest(row[f"{kind}_minimum"], row[f"{kind}_maximum"], "{:,.4g}".format),
            ]
        )
    what = "target" if first else "lesion"
    return Table(f"Cases without a {what}, by entrant", first + head("entrant", [*columns, "lowest to highest"]), rows)
