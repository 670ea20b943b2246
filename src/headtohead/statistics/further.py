"""What the verdict adds to mean Dice: cases without a lesion, targets and other scores, and ensembles of seeds."""

import pandas as pd

from headtohead.statistics.decimals import with_decimals
from headtohead.statistics.families import FALSE_COMPONENTS, SURFACE_DICE, unitless
from headtohead.statistics.targets import TARGET
from headtohead.statistics.without_lesion import FALSE_ML, FALSE_VOXELS, LEFT_ALONE
from headtohead.statistics.words import interval_words, listed, p_words, too_few

LESS_IS_BETTER = {FALSE_COMPONENTS, FALSE_VOXELS, FALSE_ML}
NAMES = {SURFACE_DICE: "surface Dice", FALSE_COMPONENTS: "false components"}
"""Scores whose column does not read as a word."""


def verdict_without_lesion(table: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Say who leaves the cases without a lesion alone.

    Args:
        table: as `sum_up_without_lesion` gives it.
        pairs: as `compare_without_lesion`.

    Returns:
        One to three sentences, of several targets each; empty where every case has a lesion.
    """
    if table.empty:
        return ""
    if TARGET not in table:
        return _left_alone(table, pairs, "a lesion", len(pairs))
    each = {str(target): rows for target, rows in table.groupby(TARGET, sort=False)}
    counts = {target: int(rows["n"].iloc[0]) for target, rows in each.items()}
    few = {target: n for target, n in counts.items() if len(pairs) and too_few(n, len(pairs))}
    sentences = [
        _left_alone(rows, pairs[pairs[TARGET] == target], target, len(pairs))
        for target, rows in each.items()
        if target not in few
    ]
    if few:
        named = listed([f"{target} ({n})" for target, n in few.items()])
        sentences.append(f"Too few cases are without {named} for a difference to be shown in {len(pairs)} tests.")
    return " ".join(sentences)


def _left_alone(table: pd.DataFrame, pairs: pd.DataFrame, what: str, tests: int) -> str:
    """Say who leaves the cases without something alone; `tests` are corrected for together."""
    n = int(table["n"].iloc[0])
    size, unit = (FALSE_ML, "ml") if table[f"{FALSE_ML}_mean"].notna().all() else (FALSE_VOXELS, "voxels")
    each = [
        f"{row['entrant']} leaves {row[LEFT_ALONE]:.3g} alone and marks {row[f'{size}_mean']:.3g} {unit} per case"
        for row in table.to_dict("records")
    ]
    of = "the one case" if n == 1 else f"the {n} cases"
    sentences = [f"Of {of} without {what}, {'; '.join(each)}."]
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
    if len(pairs) and (few := too_few(n, tests)):
        sentences.append(f"{few}.")
    elif len(pairs) and not pairs["different"].any():
        sentences.append(f"On them, no evidence of a difference between any two entrants ({tests} tests).")
    return " ".join(sentences)


def verdict_on_secondary(pairs: pd.DataFrame) -> str:
    """Name the differences in scores other than Dice, as `secondary_pairs` has them; empty where nothing was tested."""
    names = [NAMES.get(unitless(score), unitless(score)) for score in pairs["score"]]
    return _differences_in(pairs, names, "Besides Dice")


def verdict_on_targets(pairs: pd.DataFrame) -> str:
    """Name the targets in which Dice differs, as `compare_targets` has them; empty where nothing was tested."""
    return _differences_in(pairs.assign(score="dice"), list(pairs.get(TARGET, [])), "Dice target by target")


def _differences_in(pairs: pd.DataFrame, names: list[str], opening: str) -> str:
    """Say who is better in what; the names of what is tested row by row."""
    if pairs.empty:
        return ""
    if few := too_few(pairs["n"].max(), len(pairs)):
        return f"{opening}, {few}."
    shown: dict[tuple[str, str], list[str]] = {}
    for name, (_, row) in zip(names, pairs.iterrows(), strict=True):
        if row["different"]:
            shown.setdefault(better_and_worse(row), []).append(f"{name} ({p_words(str(row['test']), row['holm_p'])})")
    tested = f"{listed(list(dict.fromkeys(names)))} (corrected for all {len(pairs)} tests)"
    if not shown:
        return f"{opening}, there is no evidence of a difference in {tested}."
    each = [f"{better} is better than {worse} in {listed(found)}" for (better, worse), found in shown.items()]
    return f"{opening}, in {tested}: {'; '.join(each)}."


def better_and_worse(row: "pd.Series") -> tuple[str, str]:
    """Order a pair of a secondary score, or of cases without a lesion, by its mean difference."""
    less_is_better = unitless(str(row["score"])) in LESS_IS_BETTER
    first = (row["mean_difference"] > 0) != less_is_better
    return (row["a"], row["b"]) if first else (row["b"], row["a"])


def verdict_on_ensembles(pairs: pd.DataFrame) -> str:
    """Say what the ensembles gain, and how they stand to each other, as `ensemble_pairs` has it; empty without one."""
    if pairs.empty:
        return ""
    if few := too_few(pairs["n"].min(), len(pairs), "one pair", "pairs"):
        return f"Of the ensembles, {few}."
    shown, even = [], []
    for _, row in pairs.iterrows():
        a, b = row["a"], row["b"]
        if row["different"]:
            higher, lower = (a, b) if row["mean_difference"] > 0 else (b, a)
            low, high = sorted((abs(row["low"]), abs(row["high"])))
            by = with_decimals(abs(row["mean_difference"]), low, high)
            shown.append(f"{higher} scores higher than {lower} by {by} ({interval_words(low, high)})")
        else:
            even.append(f"{b} and {a}")
    sentences = [*shown, *([f"no evidence of a difference between {listed(even)}"] if even else [])]
    said = "; ".join(sentences)
    return f"Of the ensembles, each a single draw with unknown seed SD, corrected for {len(pairs)} pairs: {said}."
