"""What the verdict adds to mean Dice: cases without a lesion, and scores that differ where Dice does not tell."""

import pandas as pd

from headtohead.statistics.families import FALSE_COMPONENTS, LOWER_IS_BETTER, SURFACE_DICE, unitless
from headtohead.statistics.without_lesion import FALSE_ML, FALSE_VOXELS, LEFT_ALONE
from headtohead.statistics.words import listed, p_words, too_few

LESS_IS_BETTER = {*LOWER_IS_BETTER, FALSE_VOXELS, FALSE_ML}
NAMES = {SURFACE_DICE: "surface Dice", FALSE_COMPONENTS: "false components"}
"""Scores whose column does not read as a word."""


def verdict_without_lesion(table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Say who leaves the cases without a lesion alone.

    Args:
        table: as `without_lesion_table` gives it.
        pairs: as `pairs_without_lesion`.

    Returns:
        One to three sentences; empty where every case has a lesion.
    """
    if table.empty:
        return ""
    n = int(table["n"].iloc[0])
    size, unit = (FALSE_ML, "ml") if table[f"{FALSE_ML}_mean"].notna().all() else (FALSE_VOXELS, "voxels")
    each = [
        f"{row['entrant']} leaves {row[LEFT_ALONE]:.3g} alone and marks {row[f'{size}_mean']:.3g} {unit} per case"
        for row in table.to_dict("records")
    ]
    of = "the one case" if n == 1 else f"the {n} cases"
    sentences = [f"Of {of} without a lesion, {'; '.join(each)}."]
    fewer = f"marks fewer {unit} on them than"
    for score, words in ((LEFT_ALONE, "leaves more of them alone than"), (size, fewer)):
        tested = pairs[pairs["score"] == score]
        shown = [
            f"{better} {words} {worse} ({p_words(str(row['test']), row['holm_p'])})"
            for _, row in tested[tested["different"].astype(bool)].iterrows()
            for better, worse in [better_and_worse(row)]
        ]
        if shown:
            sentences.append(f"{listed(shown)}.")
    if len(pairs) and (few := too_few(n, len(pairs))):
        sentences.append(f"{few}.")
    elif len(pairs) and not pairs["different"].any():
        sentences.append(f"On them, no evidence of a difference between any two entrants ({len(pairs)} tests).")
    return " ".join(sentences)


def verdict_on_secondary(pairs: pd.DataFrame) -> str:
    """Name the differences in scores other than Dice.

    Args:
        pairs: as `secondary_pairs` gives it.

    Returns:
        One sentence; empty where nothing was tested.
    """
    if pairs.empty:
        return ""
    if few := too_few(pairs["n"].max(), len(pairs)):
        return f"Besides Dice, {few}."
    scores = [NAMES.get(unitless(score), unitless(score)) for score in dict.fromkeys(pairs["score"])]
    shown: dict[tuple[str, str], list[str]] = {}
    for _, row in pairs[pairs["different"].astype(bool)].iterrows():
        name = unitless(str(row["score"]))
        shown.setdefault(better_and_worse(row), []).append(
            f"{NAMES.get(name, name)} ({p_words(str(row['test']), row['holm_p'])})"
        )
    tested = f"{listed(scores)} (corrected for all {len(pairs)} tests)"
    if not shown:
        return f"Besides Dice, there is no evidence of a difference in {tested}."
    each = [f"{better} is better than {worse} in {listed(found)}" for (better, worse), found in shown.items()]
    return f"Besides Dice, in {tested}: {'; '.join(each)}."


def better_and_worse(row: "pd.Series") -> tuple[str, str]:
    """Order a pair of a secondary score, or of cases without a lesion, by its mean difference."""
    less_is_better = unitless(str(row["score"])) in LESS_IS_BETTER
    first = (row["mean_difference"] > 0) != less_is_better
    return (row["a"], row["b"]) if first else (row["b"], row["a"])
