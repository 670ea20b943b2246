"""The verdict in words, made from the numbers by fixed rules, so that no sentence can claim more than they do."""

import pandas as pd

from headtohead.runs.run import BASELINE
from headtohead.statistics.power import ALPHA


def verdict(matrix: pd.DataFrame, pairs: pd.DataFrame, baseline: str = BASELINE) -> str:
    """Say what the data support about mean Dice per case.

    One entrant is said to score higher than another only where `compare_pairs` calls the two different. Otherwise the
    words are "no evidence of a difference", with the size of a difference that would have been found. The baseline
    is no contestant: it is what every model has to beat, and a sentence of its own says which of them do.

    Args:
        matrix: Dice as `score_matrix` gives it, [cases, entrants].
        pairs: `compare_pairs(matrix)`.
        baseline: name of the baseline among the entrants; it may be absent.

    Returns:
        One to four sentences.
    """
    means = matrix.drop(columns=baseline, errors="ignore").mean().sort_values(ascending=False, kind="stable")
    models = list(means.index)
    if not models:
        return "No model was scored on every case."
    fewest = _fewest_that_can_differ(len(pairs))
    compared = pairs if baseline in matrix else pairs[pairs["a"].isin(models) & pairs["b"].isin(models)]
    if len(compared) and compared["n"].min() < fewest:
        return (
            f"{compared['n'].min()} cases are too few: with {_pairs(len(pairs))}, no difference whatever its size can "
            f"be shown on fewer than {fewest}."
        )
    sentences = (
        _among(models, pairs)
        if len(models) > 1
        else [f"{models[0]} is the only model scored on every case, so there is no contest"]
    )
    if baseline in matrix:
        sentences.append(_against(baseline, models, pairs))
    return " ".join(f"{sentence}." for sentence in sentences)


def _among(models: list[str], pairs: pd.DataFrame) -> list[str]:
    """Sentences on the contest; `models` by falling mean."""
    unbeaten = [one for one in models if not any(_above(pairs, other, one) for other in models)]
    leader = unbeaten[0] if unbeaten else models[0]
    others = [model for model in models if model != leader]
    lower = [model for model in others if _above(pairs, leader, model)]
    alike = [model for model in others if not _row(pairs, leader, model)["different"]]
    if lower == others:
        rival = others[0]
        if len(others) == 1:
            return [f"{leader} scores higher than {rival}: {_difference(pairs, leader, rival)}"]
        nearest = f"against {rival}, the next, {_difference(pairs, leader, rival)}"
        return [f"{leader} scores higher than each of the other {len(others)} models: {nearest}"]
    sentences = [_no_evidence(leader, alike, pairs)]
    if lower:
        sentences.append(f"{_listed(lower)} {_score(lower)} lower than {leader}")
    ordered = [f"{a} scores higher than {b}" for a in others for b in others if b in alike and _above(pairs, a, b)]
    if ordered:
        sentences.append(f"Of the others, {_listed(ordered)}")
    return sentences


def _no_evidence(leader: str, alike: list[str], pairs: pd.DataFrame) -> str:
    rows = [_row(pairs, leader, other) for other in alike]
    if len(alike) == 1:
        between, found = f"{leader} and {alike[0]}", f"{_difference(pairs, leader, alike[0])}; "
    else:
        apart = any(_row(pairs, a, b)["different"] for a in alike for b in alike if a != b)
        between = f"{leader} and any of {_listed(alike)}" if apart else f"any two of {_listed([leader, *alike])}"
        found = ""
        if not apart:
            rows += [_row(pairs, a, b) for place, a in enumerate(alike) for b in alike[place + 1 :]]
    if len(alike) == 1 and rows[0]["holm_p"] < ALPHA:
        return _witnesses_disagree(leader, alike[0], pairs)
    n = min(row["n"] for row in rows)
    sizes = [row["smallest_detectable"] for row in rows if row["smallest_detectable"] > 0]  # NaN is not
    seen = (
        f"a single test on n = {n} cases finds a true difference of {_number(max(sizes))} four times in five, and "
        "smaller ones less often"
        if sizes
        else "their scores do not vary, so this says nothing about other cases"
    )
    return f"No evidence of a difference between {between}: {found}{seen}"


def _witnesses_disagree(a: str, b: str, pairs: pd.DataFrame) -> str:
    """Words for a pair whose test calls it different while the interval of the mean difference holds zero."""
    row = _row(pairs, a, b)
    won = int(row["wins"] if row["a"] == a else row["losses"])
    return (
        f"Between {a} and {b} no difference in mean Dice is shown, because its interval holds zero; yet {a} is higher "
        f"in {won} of {row['n']} cases, more than chance would give: {_difference(pairs, a, b)}"
    )


def _against(baseline: str, models: list[str], pairs: pd.DataFrame) -> str:
    higher = [model for model in models if _above(pairs, model, baseline)]
    lower = [model for model in models if _above(pairs, baseline, model)]
    alike = [model for model in models if model not in (*higher, *lower)]
    parts = []
    if higher:
        everyone = "every model" if higher == models and len(models) > 1 else _listed(higher)
        parts.append(f"{everyone} {'scores' if higher == models else _score(higher)} higher")
    if lower:
        parts.append(f"{_listed(lower)} {_score(lower)} lower")
    if alike:
        parts.append(f"for {_listed(alike)} there is no evidence of a difference from it")
    return f"Beside the baseline, {baseline}: {'; '.join(parts)}"


def _row(pairs: pd.DataFrame, a: str, b: str) -> "pd.Series":
    """The row of a pair, in whichever order it stands."""
    return pairs[((pairs["a"] == a) & (pairs["b"] == b)) | ((pairs["a"] == b) & (pairs["b"] == a))].iloc[0]


def _above(pairs: pd.DataFrame, a: str, b: str) -> bool:
    """Whether a is shown to score higher than b."""
    if a == b:
        return False
    row = _row(pairs, a, b)
    return bool(row["different"]) and bool((row["mean_difference"] > 0) == (row["a"] == a))


def _difference(pairs: pd.DataFrame, a: str, b: str) -> str:
    """The difference a - b with its interval and test."""
    row = _row(pairs, a, b)
    mean, low, high = row["mean_difference"], row["low"], row["high"]
    if row["a"] != a:
        mean, low, high = -mean, -high, -low
    corrected = f", corrected for {len(pairs)} pairs" if len(pairs) > 1 else ""
    return (
        f"mean difference in Dice {_number(mean)} (95 % interval {_number(low)} to {_number(high)}, n = {row['n']} "
        f"cases, Wilcoxon p {_p(row['holm_p'])}{corrected})"
    )


def _fewest_that_can_differ(tests: int) -> int:
    """Fewest cases on which even all wins and no loss, p = 2 / 2^n, pass the correction for so many tests."""
    n = 1
    while 2 * max(tests, 1) / 2**n >= ALPHA:
        n += 1
    return n


def _pairs(count: int) -> str:
    return "one pair of entrants" if count == 1 else f"{count} pairs of entrants"


def _score(names: list[str]) -> str:
    return "scores" if len(names) == 1 else "score"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(value: float) -> str:
    """Three decimals; more where an end of an interval would read as zero and is not."""
    return f"{value:.1g}" if 0 < abs(value) < 0.0005 else f"{value:.3f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
