"""The verdict on Dice in words, made from the numbers by fixed rules, so that no sentence claims more than they do."""

from functools import partial

import pandas as pd

from headtohead.options.comparison import baselines
from headtohead.statistics.decimals import with_decimals
from headtohead.statistics.power import ALPHA
from headtohead.statistics.trainings import THIS_TRAINING, TWO_LEVEL
from headtohead.statistics.words import (
    EACH,
    MOST,
    difference_words,
    interval_words,
    listed,
    listed_or_counted,
    p_words,
    row_of,
    scores_higher,
    too_few,
    verb,
)


def verdict(matrix: pd.DataFrame, pairs: pd.DataFrame, called: str = "models") -> str:
    """Say what the data support about mean Dice per case.

    One entrant is said to score higher than another only where `compare_pairs` calls the two different, and to be
    equivalent only where it calls them so. Otherwise the words are "no evidence of a difference", with the size of a
    difference that would have been found. The baseline is no contestant: it is what every model has to beat, and a
    sentence of its own says which of them do.

    Args:
        matrix: Dice as `score_matrix` gives it, [cases with a lesion, entrants].
        pairs: `compare_pairs(matrix)`.
        called: what the contestants are; where one was trained once they are trainings.
    """
    means = matrix.drop(columns=baselines(matrix)).mean().sort_values(ascending=False, kind="stable")
    models = list(means.index)
    if not models:
        return "No model was scored on every case."
    if not len(matrix):
        return "No test case has a lesion, so there is no Dice to compare."
    if len(pairs) and (few := too_few(pairs["n"].min(), len(pairs), "one pair of entrants", "pairs of entrants")):
        return f"{few}."
    sentences = (
        _among(models, pairs, called)
        if len(models) > 1
        else [f"{models[0]} is the only {called[:-1]} scored on every case, so there is nothing to compare it with"]
    )
    sentences += [_against(name, models, pairs, called) for name in baselines(matrix)]
    return " ".join(f"{sentence}." for sentence in sentences)


def _among(models: list[str], pairs: pd.DataFrame, called: str) -> list[str]:
    """Sentences on the contest; `models` by falling mean."""
    unbeaten = [one for one in models if not any(scores_higher(pairs, other, one) for other in models)]
    leader = unbeaten[0] if unbeaten else models[0]
    others = [model for model in models if model != leader]
    lower = [model for model in others if scores_higher(pairs, leader, model)]
    alike = [model for model in others if not row_of(pairs, leader, model)["different"]]
    if lower == others:
        rival = others[0]
        if len(others) == 1:
            first = f"{leader} scores higher than {rival}: {difference_words(pairs, leader, rival)}"
        else:
            nearest = f"against {rival}, the next, {difference_words(pairs, leader, rival)}"
            first = f"{leader} scores higher than each of the other {len(others)} {_called(models, called)}: {nearest}"
        return [first, *_equivalent(models, pairs, said=[])]
    first, said = _not_different(leader, alike, pairs)
    sentences = [first]
    if lower:
        names = listed(lower) if len(lower) <= MOST else f"The other {len(lower)} {_called(models, called)}"
        sentences.append(f"{names} {verb(lower)} lower than {leader}")
    ordered = [
        f"{a} scores higher than {b}" for a in others for b in others if b in alike and scores_higher(pairs, a, b)
    ]
    if len(ordered) > MOST:
        sentences.append(f"Among the others, {len(ordered)} pairs differ ({EACH})")
    elif ordered:
        sentences.append(f"Of the others, {listed(ordered)}")
    return sentences + _equivalent(models, pairs, said)


Pair = frozenset[str]


def _not_different(leader: str, alike: list[str], pairs: pd.DataFrame) -> tuple[str, list[Pair]]:
    """Say what is known of those between whom no difference was found; and give the pairs that it calls equivalent."""
    group = [Pair((leader, other)) for other in alike]
    if len(alike) == 1:
        between, found = f"{leader} and {alike[0]}", f"{difference_words(pairs, leader, alike[0])}; "
    else:
        apart = any(row_of(pairs, a, b)["different"] for a in alike for b in alike if a != b)
        between = f"{leader} and any of {listed(alike)}" if apart else f"any two of {listed([leader, *alike])}"
        found = ""
        if not apart:
            group += [Pair((a, b)) for place, a in enumerate(alike) for b in alike[place + 1 :]]
    rows = [row_of(pairs, *sorted(pair)) for pair in group]
    if len(alike) == 1 and rows[0]["holm_p"] < ALPHA:
        return _tests_disagree(leader, alike[0], pairs), []
    if all(row.get("equivalent", False) for row in rows):
        widest = max(rows, key=lambda row: max(-row["low_90"], row["high_90"]))
        words = _tost_words(widest, len(pairs))
        the_widest = "" if len(rows) == 1 else "the widest: "
        return f"Equivalent in mean Dice within {widest['margin']:g}: {between} ({the_widest}{words})", group
    n = min(row["n"] for row in rows)
    sizes = [row["smallest_detectable"] for row in rows if row["smallest_detectable"] > 0]  # NaN is not
    seen = (
        f"{_one_test(rows)} on n = {n} cases finds a true difference of {with_decimals(max(sizes))} four times in "
        "five, and smaller ones less often"
        if sizes
        else "their scores do not vary, so this says nothing about other cases"
    )
    if sizes and max(sizes) >= 1:
        seen = f"{_one_test(rows)} on n = {n} cases finds no difference in Dice four times in five, however large"
    neither = ""
    if sizes and not any(row.get("equivalent", False) for row in rows) and "margin" in rows[0]:
        neither = f". They are not shown to be equivalent within {rows[0]['margin']:g} either"
    return f"No evidence of a difference between {between}: {found}{seen}{neither}", []


def _one_test(rows: list["pd.Series"]) -> str:
    return "such a comparison" if any(TWO_LEVEL in str(row.get("test", "")) for row in rows) else "a single test"


def _called(names: list[str], called: str) -> str:
    """What the entrants are: models, as far as each was trained more than once, else trainings; or entrants."""
    once = called == "models" and any(name.startswith(THIS_TRAINING) for name in names)
    return "trainings" if once else called


def _equivalent(models: list[str], pairs: pd.DataFrame, said: list[Pair]) -> list[str]:
    """Name the equivalent pairs that no sentence has named yet."""
    if "equivalent" not in pairs:
        return []
    rows = [
        row
        for _, row in pairs.iterrows()
        if row["equivalent"] and {row["a"], row["b"]} <= set(models) and Pair((row["a"], row["b"])) not in said
    ]
    if not rows:
        return []
    within = f"Equivalent in mean Dice within {rows[0]['margin']:g}"
    if len(rows) > MOST:
        further = "further " if said else ""
        return [f"{within}: {len(rows)} {further}pairs (two one-sided tests, corrected for {len(pairs)} pairs; {EACH})"]
    words = [
        f"{row['a']} and {row['b']}"
        + (", a difference too small to matter" if row["different"] else "")
        + f" ({_tost_words(row, len(pairs))})"
        for row in rows
    ]
    return [f"{within}: {'; '.join(words)}"]


def _tost_words(row: "pd.Series", count: int) -> str:
    corrected = f", corrected for {count} pairs" if count > 1 else ""
    interval = interval_words(row["low_90"], row["high_90"], percent=90)
    return f"{interval} of {row['a']} minus {row['b']}, {p_words('two one-sided tests', row['tost_holm_p'])}{corrected}"


def _tests_disagree(a: str, b: str, pairs: pd.DataFrame) -> str:
    """Words for a pair whose test calls it different while the interval of the mean difference holds zero."""
    row = row_of(pairs, a, b)
    # The ranks may favour the one whose mean is lower: small gains in most cases against large losses in a few.
    ahead, won = (row["a"], row["wins"]) if row["rank_biserial"] > 0 else (row["b"], row["losses"])
    return (
        f"Between {a} and {b} there is no evidence of a difference in mean Dice, because its interval holds zero; yet "
        f"the ranks favour {ahead} by more than chance would give, and it is higher in {int(won)} of {row['n']} cases: "
        f"{difference_words(pairs, a, b)}, that of {a} minus {b}"
    )


def _against(baseline: str, models: list[str], pairs: pd.DataFrame, called: str) -> str:
    higher = [model for model in models if scores_higher(pairs, model, baseline)]
    lower = [model for model in models if scores_higher(pairs, baseline, model)]
    alike = [model for model in models if model not in (*higher, *lower)]
    parts, kind = [], _called(models, called)
    some = partial(listed_or_counted, count=len(models), called=kind)
    if higher:
        everyone = f"every {kind[:-1]}" if higher == models and len(models) > 1 else some(higher)
        parts.append(f"{everyone} {'scores' if higher == models else verb(higher)} higher")
    if lower:
        parts.append(f"{some(lower)} {verb(lower)} lower")
    if alike:
        parts.append(f"there is no evidence of a difference for {some(alike)}")
    return f"Against the baseline, {baseline}: {'; '.join(parts)}"
