"""What the verdict adds to mean Dice: cases without a lesion, targets and other scores, and ensembles of seeds."""

import pandas as pd

from headtohead.statistics.decimals import with_decimals
from headtohead.statistics.families import FALSE_COMPONENTS, SURFACE_DICE, unitless
from headtohead.statistics.targets import TARGET
from headtohead.statistics.without_lesion import FALSE_ML, FALSE_VOXELS, LEFT_ALONE
from headtohead.statistics.words import (
    BETTER,
    EACH,
    MOST,
    Lead,
    interval_words,
    listed,
    p_words,
    too_few,
    who_is_ahead,
)

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
    of = "the one case" if n == 1 else f"the {n} cases"
    sentences = [f"Of {of} without {what}, {_numbers_left_alone(table, f'{size}_mean', unit)}."]
    more = Lead("leaves more of them alone", "leave more of them alone", "leave more of them alone")
    fewer = Lead(*(f"{verb} fewer {unit} on them" for verb in ("marks", "mark", "mark")))
    for score, lead in ((LEFT_ALONE, more), (size, fewer)):
        tested = pairs[pairs["score"] == score]
        shown = [
            f"{better} {lead.one} than {worse} ({p_words(str(row['test']), row['holm_p'])})"
            for _, row in tested[tested["different"].astype(bool)].iterrows()
            for better, worse in [better_and_worse(row)]
        ]
        if len(shown) > MOST:
            ahead = who_is_ahead(_entrants_of(tested), _better_first(tested), lead)
            sentences.append(
                f"In tests, {ahead} ({listed(sorted(set(tested['test'])))}, corrected for {tests} tests; {EACH})."
            )
        elif shown:
            sentences.append(f"{listed(shown)}.")
    if len(pairs) and (few := too_few(n, tests)):
        sentences.append(f"{few}.")
    elif len(pairs) and not pairs["different"].any():
        sentences.append(f"On them, no evidence of a difference between any two entrants ({tests} tests).")
    return " ".join(sentences)


def _numbers_left_alone(table: pd.DataFrame, size: str, unit: str) -> str:
    """Say what each entrant leaves alone and marks; of many, the least and the most."""
    if len(table) <= MOST:
        return "; ".join(
            f"{row['entrant']} leaves {row[LEFT_ALONE]:.3g} alone and marks {row[size]:.3g} {unit} per case"
            for row in table.to_dict("records")
        )
    ends = []
    for column in (LEFT_ALONE, size):
        ranked = table.sort_values(column, kind="stable")
        ends.append(" to ".join(f"{row[column]:.3g} ({row['entrant']})" for _, row in ranked.iloc[[0, -1]].iterrows()))
    return f"the {len(table)} entrants leave {ends[0]} alone and mark {ends[1]} {unit} per case"


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
    if len(shown) > MOST:
        return f"{opening}, {_ahead_in(pairs, names)}."
    each = [f"{better} is better than {worse} in {listed(found)}" for (better, worse), found in shown.items()]
    return f"{opening}, in {tested}: {'; '.join(each)}."


def _ahead_in(pairs: pd.DataFrame, names: list[str]) -> str:
    """Say who is ahead in what is tested, where the pairs that differ are too many to be listed."""
    said: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        own = pairs[[one == name for one in names]]
        said.setdefault(who_is_ahead(_entrants_of(own), _better_first(own), BETTER), []).append(name)
    each = "; ".join(f"in {listed(scores)}, {words}" for words, scores in said.items())
    return f"{each} ({listed(sorted(set(pairs['test'])))}, corrected for all {len(pairs)} tests; {EACH})"


def _entrants_of(pairs: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys([*pairs["a"], *pairs["b"]]))


def _better_first(pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Order the pairs that differ."""
    return [better_and_worse(row) for _, row in pairs[pairs["different"].astype(bool)].iterrows()]


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
    if len(shown) > MOST:
        shown = [f"{len(shown)} pairs differ ({EACH})"]
    alike = listed(even) if len(even) <= MOST else f"{len(even)} pairs"
    said = "; ".join([*shown, *([f"no evidence of a difference between {alike}"] if even else [])])
    return f"Of the ensembles, each a single draw with unknown seed SD, corrected for {len(pairs)} pairs: {said}."
