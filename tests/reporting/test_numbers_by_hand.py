"""A statistician with cases.csv and nothing of ours repeats every number that a report gives."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from headtohead.reporting.report import write_reports

CASES, FOLDS, SEEDS = 36, 3, (0, 1, 2)
HEALTHY = [4, 17]
ILL = CASES - len(HEALTHY)
HIT = {("unet", "none"): 0.85, ("unet", "cosine"): 0.86, ("resnext", "none"): 0.7, ("flair-threshold", "-"): 0.5}
BASELINE = "flair-threshold"
# A resampled mean that equals the mean is below it or not by its last digit, and that moves an end of the interval.
NOISE = 1e-4


def make_runs(write_run: Any) -> None:
    """36 cases in three folds, two without a lesion; three models in three seeds and the baseline; ties, failures."""
    rng = np.random.default_rng(3)
    voxels = rng.integers(50, 4000, CASES)
    voxels[HEALTHY] = 0
    names = [f"TCGA_{('CS', 'DU', 'HT')[place % 3]}_{place:04d}" for place in range(CASES)]
    about = pd.DataFrame(
        {
            "patient": names,
            "site": [name[5:7] for name in names],
            "grade": rng.choice(["II", "III", ""], CASES),
            "missing": rng.choice(["", "post", "pre post"], CASES),
        }
    )
    tied: dict[tuple[int, int], tuple[int, int, int]] = {}  # by seed and case: these two models predict alike
    for (model, schedule), hit in HIT.items():
        for seed in SEEDS if model != BASELINE else (None,):
            hits = rng.binomial(voxels, np.where(rng.random(CASES) < 0.1, 0.2, hit))
            false = rng.poisson(np.maximum(voxels, 5) * (1 - hit))
            false[4] = 0  # left alone by everybody
            false[17] = 0 if (model, seed) == ("unet", 0) else 3  # left alone under one seed only
            counts = [(int(tp), int(fp), int(all_ - tp)) for tp, fp, all_ in zip(hits, false, voxels, strict=True)]
            for place in range(8, 14):
                if model == "unet":
                    counts[place] = tied.setdefault((seed or 0, place), counts[place])
            surface = np.where(voxels > 0, rng.gamma(2, 5, CASES), np.nan)
            for fold in range(FOLDS):
                own = list(range(fold, CASES, FOLDS))
                split = {"kind": "patient", "seed": 0, "key": f"s{fold}", "plan": "p", "folds": FOLDS}
                write_run(
                    model,
                    schedule,
                    seed,
                    [counts[place] for place in own],
                    fold=fold,
                    cases=[names[place] for place in own],
                    extra={**about.iloc[own].to_dict("list"), "hd95_px": surface[own]},
                    split={**split, "leaking_patients": 0},
                    epochs=2,
                    seconds=5.0,
                )


@pytest.fixture
def reported(comparison: Path, write_run: Any) -> Path:
    make_runs(write_run)
    write_reports(comparison, None)
    return comparison


def matrix_of(folder: Path, score: str = "dice") -> pd.DataFrame:
    """Cases with a lesion x entrants: the mean over seeds."""
    cases = pd.read_csv(folder / "cases.csv").query("tp + fn > 0")
    name = np.where(cases["model"] == BASELINE, BASELINE, cases["model"] + " " + cases["schedule"])
    return cases.assign(entrant=name).groupby(["case", "entrant"])[score].mean().reset_index().pivot_table(
        index="case", columns="entrant", values=score, dropna=False
    )  # fmt: skip


def luck_of(folder: Path, score: str, *entrants: str) -> tuple[float, float]:
    """Variance that the seeds of these entrants add to a mean or a difference, and its degrees of freedom by Welch."""
    cases = pd.read_csv(folder / "cases.csv").query("tp + fn > 0")
    parts = []
    for entrant in entrants:
        model, _, schedule = entrant.partition(" ")
        own = cases[(cases["model"] == model) & (cases["schedule"] == schedule)]
        if model != BASELINE:
            parts.append(own.groupby("seed")[score].mean().var(ddof=1) / len(SEEDS))
    freedom = sum(parts) ** 2 / sum(part**2 / (len(SEEDS) - 1) for part in parts) if parts else 1.0
    return sum(parts), freedom


def with_luck(mean: float, ends: list[float], luck: tuple[float, float], confidence: float = 0.95) -> list[float]:
    """Both ends of an interval over cases, further away by the t interval over the seeds: a square of two lengths."""
    reach = stats.t.ppf((1 + confidence) / 2, luck[1]) * np.sqrt(luck[0])
    return [mean - np.hypot(mean - ends[0], reach), mean + np.hypot(ends[1] - mean, reach)]


def over_both_p(mean: float, difference: pd.Series, luck: tuple[float, float]) -> float:
    """The level at which the t interval over cases and seeds just reaches zero."""
    n = len(difference)

    def left(level: float) -> float:
        cases = stats.t.isf(level / 2, n - 1) * difference.std(ddof=1) / np.sqrt(n)
        return float(np.hypot(cases, stats.t.isf(level / 2, luck[1]) * np.sqrt(luck[0])) - abs(mean))

    return optimize.brentq(left, 1e-12, 1 - 1e-9, xtol=1e-14)


def bca(values: pd.Series, **options: float) -> list[float]:
    """The interval as documented: BCa, 10,000 resamples of the sorted values, seed 0."""
    found = stats.bootstrap(
        (np.sort(values.dropna()),), np.mean, n_resamples=10_000, method="BCa", rng=np.random.default_rng(0), **options
    )
    return list(found.confidence_interval)


def test_every_number(reported: Path) -> None:
    """One report, all tables: to make it anew for each would take long and show no more."""
    matrix = matrix_of(reported)
    assert len(matrix) == ILL and matrix.notna().all(axis=None)
    check_results(reported)
    check_pairs(reported, matrix)
    check_secondary(reported)
    check_without_lesion(reported)
    check_ranks(reported, matrix.drop(columns=BASELINE).dropna())
    check_subgroups(reported, matrix)
    check_markdown(reported, matrix)


def check_results(folder: Path) -> None:
    rows = pd.read_csv(folder / "results.csv")
    scores = ["dice", "iou", "precision", "recall", "hd95_px"]
    assert len(rows) == len(rows.groupby(["entrant", "score"])) == len(HIT) * len(scores)
    for row in rows.itertuples():
        values = matrix_of(folder, row.score)[row.entrant]
        defined = np.sort(values.dropna())
        n = len(defined)
        assert n == row.n == ILL
        assert (row.minimum, row.maximum) == (defined[0], defined[-1])
        assert (row.mean, row.median) == pytest.approx((defined.sum() / n, np.median(defined)))
        wide = with_luck(row.mean, bca(values), luck_of(folder, row.score, row.entrant))
        assert [row.mean_low, row.mean_high] == pytest.approx(
            wide if row.score == "hd95_px" else np.clip(wide, 0, 1), abs=NOISE
        )
        assert row.seeds == (0 if row.entrant == BASELINE else len(SEEDS))
        # The innermost pair of order statistics that encloses the median at least 95 times in 100.
        spare = max(j for j in range(1, n) if 1 - 2 * stats.binom.cdf(j - 1, n, 0.5) >= 0.95)
        assert [row.median_low, row.median_high] == pytest.approx([defined[spare - 1], defined[n - spare]])
    assert set(rows["score"]) == set(scores)


def check_pairs(folder: Path, matrix: pd.DataFrame) -> None:
    pairs = pd.read_csv(folder / "pairs.csv").query("family == 'primary'")
    assert {frozenset((row.a, row.b)) for row in pairs.itertuples()} == set(map(frozenset, combinations(matrix, 2)))
    by_hand = []
    for row in pairs.itertuples():
        difference = (matrix[row.a] - matrix[row.b]).dropna().round(12)
        n = len(difference)
        luck = luck_of(folder, "dice", row.a, row.b)
        both = over_both_p(difference.mean(), difference, luck)
        by_hand.append(max(stats.wilcoxon(difference, zero_method="pratt").pvalue, both))
        assert row.n == n
        assert (row.mean_difference, row.median_difference) == pytest.approx((difference.mean(), difference.median()))
        wide = with_luck(difference.mean(), bca(difference), luck)
        assert [row.low, row.high] == pytest.approx(wide, abs=NOISE)
        signs = [int((difference > 0).sum()), int((difference == 0).sum()), int((difference < 0).sum())]
        assert [row.wins, row.ties, row.losses] == signs and sum(signs) == n
        ranks = difference.abs().rank()
        assert row.rank_biserial == pytest.approx((ranks * np.sign(difference)).sum() / ranks.sum())
        parts = [luck_of(folder, "dice", name)[0] for name in (row.a, row.b)]
        found = power(row.smallest_detectable, difference.std(ddof=1) / np.sqrt(n), parts, n, len(pairs))
        assert found == pytest.approx(0.8, abs=0.02)
        assert row.p == pytest.approx(by_hand[-1], abs=1e-6) and row.test == "Wilcoxon and two-level t"
        check_equivalence(row, difference, luck)
    corrected = holm(by_hand)
    assert pairs["tost_holm_p"].tolist() == pytest.approx(holm(pairs["tost_p"].tolist()))
    assert pairs["holm_p"].tolist() == pytest.approx(corrected, abs=1e-6)
    apart = (pairs["low"] > 0) | (pairs["high"] < 0)
    assert pairs["different"].tolist() == ((np.array(corrected) < 0.05) & apart).tolist()
    assert set(pairs["different"]) == {True, False}, "both kinds of pair are needed to test anything"
    assert pairs["ties"].max() >= 6


def holm(p: list[float]) -> list[float]:
    """The smallest of K p values times K, the next times K - 1 ..., never falling, at most 1."""
    corrected, largest = [0.0] * len(p), 0.0
    for place, k in enumerate(np.argsort(p)):
        largest = max(largest, min(1.0, (len(p) - place) * p[k]))
        corrected[k] = largest
    return corrected


def check_equivalence(row: Any, difference: pd.Series, luck: tuple[float, float]) -> None:
    """Two one-sided tests over cases and seeds at the default margin, and the 90 % interval."""
    assert row.margin == 0.02
    mean = difference.mean()
    room = 0.02 - abs(mean)
    half = over_both_p(room, difference, luck) / 2
    assert row.tost_p == pytest.approx(half if room > 0 else 1 - half, abs=1e-6)
    wide = with_luck(mean, bca(difference, confidence_level=0.9), luck, 0.9)
    assert [row.low_90, row.high_90] == pytest.approx(wide, abs=NOISE)
    within = row.low_90 > -0.02 and row.high_90 < 0.02
    assert bool(row.equivalent) == (row.tost_holm_p < 0.05 and within)


def check_secondary(folder: Path) -> None:
    pairs = pd.read_csv(folder / "pairs.csv").query("family == 'secondary'")
    models = len(HIT) - 1
    assert sorted(pairs["score"]) == ["precision"] * models + ["recall"] * models
    by_hand = []
    for row in pairs.itertuples():
        matrix = matrix_of(folder, row.score)
        difference = (matrix[row.a] - matrix[row.b]).round(12)
        both = over_both_p(difference.mean(), difference, luck_of(folder, row.score, row.a, row.b))
        by_hand.append(max(stats.wilcoxon(difference, zero_method="pratt").pvalue, both))
        assert (row.n, row.mean_difference) == (ILL, pytest.approx(difference.mean()))
    assert pairs["p"].tolist() == pytest.approx(by_hand, abs=1e-6)
    assert pairs["holm_p"].tolist() == pytest.approx(holm(by_hand), abs=1e-6), (
        "all scores and pairs are corrected together"
    )


def check_without_lesion(folder: Path) -> None:
    """Two cases: the one left alone by all, the other by one seed of one model."""
    cases = pd.read_csv(folder / "cases.csv").query("tp + fn == 0")
    assert cases["case"].nunique() == len(HEALTHY) and cases["dice"].isna().all()
    table = pd.read_csv(folder / "without_lesion.csv").set_index("entrant")
    assert table["left_alone"].to_dict() == {
        "unet none": pytest.approx(4 / 3),
        "unet cosine": pytest.approx(4 / 3),
        "resnext none": 1,
        BASELINE: 1,
    }
    assert table.loc["unet none", ["false_voxels_mean", "false_voxels_maximum"]].tolist() == [1.0, 2.0]
    pairs = pd.read_csv(folder / "pairs.csv").query("family == 'without lesion'")
    assert len(pairs) == 2 * 6 and pairs["holm_p"].eq(1).all() and not pairs["different"].any()


def power(effect: float, error: float, parts: list[float], n: int, tests: int) -> float:
    """How often a difference of so much is found, by drawing comparisons: their means, and what they make of the seeds.

    What the true seed variances may be, given those that were seen, is drawn too.
    """
    rng, freedom, draws = np.random.default_rng(5), len(SEEDS) - 1, 50_000
    true = np.array(parts) * freedom / rng.chisquare(freedom, (draws, 1))
    seen = true * rng.chisquare(freedom, (draws, 2)) / freedom
    both = np.where(seen.any(axis=1), seen.sum(axis=1) ** 2 / np.maximum((seen**2 / freedom).sum(axis=1), 1e-300), 1)
    level = 0.05 / tests / 2
    reach = np.hypot(stats.t.isf(level, n - 1) * error, stats.t.isf(level, both) * np.sqrt(seen.sum(axis=1)))
    return float((rng.normal(effect, np.hypot(error, np.sqrt(true.sum(axis=1))), draws) > reach).mean())


def check_ranks(folder: Path, matrix: pd.DataFrame) -> None:
    ranks = pd.read_csv(folder / "ranks.csv", index_col=0)
    assert set(ranks.index) == set(matrix) and list(ranks.columns) == ["1", "2", "3"]
    assert ranks.sum(axis=0).tolist() == pytest.approx([1, 1, 1])
    assert ranks.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    rng = np.random.default_rng(99)  # other draws: the shares agree to within their noise
    drawn = rng.integers(0, len(matrix), (10_000, len(matrix)))
    means = matrix.to_numpy()[drawn].mean(axis=1)
    place = (-means).argsort(axis=1).argsort(axis=1)
    for k, entrant in enumerate(matrix):
        shares = [(place[:, k] == rank).mean() for rank in range(3)]
        assert ranks.loc[entrant].tolist() == pytest.approx(shares, abs=0.025)
    assert ((ranks > 0.1) & (ranks < 0.9)).to_numpy().any(), "a ranking that is sure would test nothing"


def check_subgroups(folder: Path, matrix: pd.DataFrame) -> None:
    rows = pd.read_csv(folder / "subgroups.csv")
    about = pd.read_csv(folder / "cases.csv").groupby("case").first()
    sizes = about["lesion_voxels"][about["lesion_voxels"] > 0]
    first, second = np.quantile(sizes, [1 / 3, 2 / 3])
    about = about.loc[matrix.index]
    grade = about["grade"].fillna("unknown")
    level_of = {
        "site": about["site"],
        "missing sequence": about["missing"].fillna("none"),
        "WHO grade": grade,
        "lesion size": pd.cut(
            about["lesion_voxels"],
            [0, first, second, np.inf],
            labels=[f"small, up to {first:,.0f} voxels", f"medium, up to {second:,.0f} voxels",
                    f"large, above {second:,.0f} voxels"],
        ).astype(str),
    }  # fmt: skip
    expected = {(group, level) for group, levels in level_of.items() for level in set(levels)}
    assert set(zip(rows["group"], rows["level"], strict=True)) == expected
    assert len(rows) == len(expected) * len(HIT)
    for row in rows.itertuples():
        values = matrix.loc[level_of[row.group] == row.level, row.entrant]
        n = values.notna().sum()
        assert row.n == n
        assert [row.mean] == pytest.approx([values.mean()], nan_ok=True)
        ends = bca(values) if n >= 10 else [np.nan] * 2
        assert [row.low, row.high] == pytest.approx(ends, abs=NOISE, nan_ok=True)


def check_markdown(folder: Path, matrix: pd.DataFrame) -> None:
    text = (folder / "results.md").read_text()
    table = pd.read_csv(folder / "results.csv").query("score == 'dice'").set_index("entrant")
    shown = {}
    for name, row in table.iterrows():
        # Monte Carlo error of the end of an interval, were it normal; its double has to be below the last digit.
        error = np.sqrt(0.025 * 0.975 / 10_000) / stats.norm.pdf(1.96) * (row.mean_high - row.mean_low) / 3.92
        digits = 3 if 2 * error <= 0.001 else 2
        shown[name] = f"{row['mean']:.{digits}f} [{row.mean_low:.{digits}f}, {row.mean_high:.{digits}f}]"
    assert len({len(text) for text in shown.values()}) == 2, "both two and three decimals"
    split = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if "|" in line]
    lines = {line[0]: line[1:] for line in split}
    assert lines["schedule"] == ["resnext", "unet", "no model"]
    assert lines["no schedule"] == [shown["resnext none"], shown["unet none"], "–"]
    assert lines["cosine"] == ["–", shown["unet cosine"], "–"]
    assert lines["threshold on FLAIR"] == ["–", "–", shown[BASELINE]]
    assert f"n = {ILL} test cases. Seeds 0, 1, 2 are averaged within a case first." in text
    cases = pd.read_csv(folder / "cases.csv")
    runs = 0
    for (model, schedule, seed, fold), own in cases[cases["model"] != BASELINE].groupby(
        ["model", "schedule", "seed", "fold"]
    ):
        row = lines[f"{model}-{schedule}-s{seed:.0f}-f{fold}"]
        dice = own.loc[own["tp"] + own["fn"] > 0, "dice"]
        assert row[1:4] == [f"{dice.mean():.3f}", f"{dice.median():.3f}", str((dice < 0.5).sum())]
        runs += 1
    assert runs == 3 * len(SEEDS) * FOLDS
    assert "2 further test cases have no lesion and so no Dice" in text
