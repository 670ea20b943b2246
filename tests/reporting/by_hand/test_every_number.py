"""A statistician with cases.csv and nothing of ours repeats every number that a report gives."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from headtohead.reporting.rewriting import write_reports
from tests.reporting.by_hand.made_comparison import BASELINE, FOLDS, HEALTHY, HIT, ILL, SEEDS, make_runs
from tests.reporting.by_hand.textbook import bca, holm, luck_of, matrix_of, over_both_p, power, with_luck

# A resampled mean that equals the mean is below it or not by its last digit, and that moves an end of the interval.
NOISE = 1e-4


@pytest.fixture
def reported(comparison: Path, write_run: Any) -> Path:
    make_runs(write_run)
    write_reports(comparison, None)
    return comparison


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
