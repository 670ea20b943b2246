"""The tables of a published comparison made anew from its cases.csv, when the statistics have changed since.

Claim: none of its own; it prints what the present program concludes from those scores, and rewrites the tables of
statistics beside them (results, pairs, ranks, subgroups, subgroup_pairs). Masks are not scored again, so columns that
an earlier protocol counted by another rule are named in --leave_out.
n: the cases with a lesion.

    python benchmarks/tables_again.py results/lgg-crossval --leave_out lesions
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead.options.comparison import MARGIN, baselines
from headtohead.readers.lgg import GRADES
from headtohead.reporting.findings import spoken_names, with_names
from headtohead.reporting.table import result_rows
from headtohead.saving import atomic_path
from headtohead.statistics.families import PRIMARY, SECONDARY, all_pairs, secondary_pairs
from headtohead.statistics.further import verdict_on_secondary
from headtohead.statistics.matrix import holds_lesion, score_matrix
from headtohead.statistics.questions import compare_pairs
from headtohead.statistics.ranks import rank_distribution
from headtohead.statistics.subgroups import subgroup_pairs, subgroup_table
from headtohead.statistics.trainings import trainings
from headtohead.statistics.verdict import verdict


def main() -> None:
    """Rewrite the tables of one folder and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where cases.csv lies")
    parser.add_argument("--leave_out", default="", help="columns that begin with this are not used")
    wanted = parser.parse_args()
    if not (wanted.folder / "cases.csv").is_file():
        sys.exit(f"error: {wanted.folder / 'cases.csv'}: no such file; name the folder of a comparison's results")
    cases = read(wanted.folder / "cases.csv", wanted.leave_out)
    matrix = score_matrix(cases)
    trained = trainings(cases, "dice", holds_lesion(cases)).reindex(matrix.columns)
    pairs, secondary = compare_pairs(matrix, MARGIN, trained=trained), secondary_pairs(cases)
    tables = {
        "results": result_rows(cases),
        "pairs": all_pairs({PRIMARY: pairs, SECONDARY: secondary}),
        "ranks": rank_distribution(matrix.drop(columns=baselines(matrix))),
        "subgroups": subgroup_table(cases),
        "subgroup_pairs": subgroup_pairs(cases),
    }
    for name, table in tables.items():
        with atomic_path(wanted.folder / f"{name}.csv") as new:
            table.to_csv(new, index=name == "ranks")
    names = spoken_names(trained)
    said = verdict(matrix.rename(columns=names), with_names(pairs, names))
    print(f"{said[:1].upper()}{said[1:]} {verdict_on_secondary(with_names(secondary, names))}")


def read(path: Path, leave_out: str) -> pd.DataFrame:
    """Read a cases.csv, with codes of grades as grades."""
    cases = pd.read_csv(path, dtype={"grade": str}, keep_default_na=False, na_values={"seed": [""]})
    cases = cases[[name for name in cases.columns if not (leave_out and name.startswith(leave_out))]]
    numbers = [
        name
        for name in cases.columns
        if name not in ("model", "schedule", "case", "patient", "site", "grade", "missing")
    ]
    cases[numbers] = cases[numbers].apply(pd.to_numeric, errors="coerce")
    return cases.assign(grade=cases["grade"].replace(*GRADES.values()))


if __name__ == "__main__":
    main()
