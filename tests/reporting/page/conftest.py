"""A made-up comparison: four entrants and the baseline on 110 cases, drawn from one seed."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.reporting.costs import COLUMNS
from headtohead.reporting.external import no_external
from headtohead.reporting.findings import Findings
from headtohead.task import Target, Targets

ENTRANTS = ("unet none", "unet cosine", "resnext none", "resnext cosine", "flair-threshold")
MODELS = ENTRANTS[:-1]
LEVELS = (0.80, 0.84, 0.845, 0.85, 0.45)
CONVENTIONS = {
    "per case, 3-D": "Dice of each case's whole volume, mean over cases",
    "mean over slices": "Dice of each slice; a slice without lesion and without prediction counts 1",
    "batches divided by N - 1": "the sum over N batches, divided by N - 1: a fault, kept to explain old tables",
}


def make_findings(names: list[str] | None = None, seed: int = 0, folds: int = 5) -> Findings:
    """Make findings whose numbers are made up but agree with each other as far as a reader would see.

    Args:
        names: of the cases; 110 made-up ones by default.
        seed: of the draw.
        folds: trainings an entrant.
    """
    rng = np.random.default_rng(seed)
    names = names or [f"TCGA_{('CS', 'DU', 'HT')[i % 3]}_{4900 + i}_19960909" for i in range(110)]
    n = len(names)
    hard = rng.beta(1.2, 6, n)  # what a case costs every entrant
    scores = [level - 0.6 * hard + rng.normal(0, 0.04, n) for level in LEVELS]
    matrix = pd.DataFrame(np.clip(np.stack(scores, 1), 0, 0.97), pd.Index(names, name="case"), pd.Index(ENTRANTS))
    cases = _cases(matrix, rng)
    return Findings(
        title="lgg_cv",
        targets=Targets((Target("lesion", (1,)),)),
        tested_cases=cases,
        cases=cases,
        matrix=matrix,
        means=_means(matrix),
        by_target={},
        pairs=_pairs(matrix),
        target_pairs=_pairs(matrix)[:0],
        ensembles=_pairs(matrix)[:0],
        secondary=_secondary(matrix),
        without_lesion=_without_lesion(),
        healthy_pairs=_healthy_pairs(),
        ranks=pd.DataFrame(rng.dirichlet(np.ones(4), 4), MODELS, range(1, 5)),
        scores=_scores(matrix),
        subgroups=_subgroups(matrix, rng),
        subgroup_pairs=_subgroup_pairs(matrix),
        conventions=pd.DataFrame(
            [
                (e, c, LEVELS[i] + 0.03 * j, 110 + j, m)
                for i, e in enumerate(ENTRANTS)
                for j, (c, m) in enumerate(CONVENTIONS.items())
            ],
            columns=["entrant", "convention", "score", "n", "meaning"],
        ),
        slices=pd.DataFrame(),
        parts=pd.DataFrame(),
        verdict="There is no evidence of a difference between resnext cosine and resnext, no schedule (110 cases; a "
        "mean difference of 0.011 would have been found four times in five). Both are above unet, no schedule.",
        warnings=[
            "unet, no schedule was trained for 20 epochs, the others for 30.",
            "One seed: the luck of a training is not known.",
        ],
        footnotes=["12 further test cases have no lesion and so no Dice: they are scored apart, left alone or not."],
        costs=_costs(),
        curves=_curves(rng, folds),
        external=no_external(),
        provenance=_runs(folds),
    )


def _cases(matrix: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    voxels = rng.integers(500, 90_000, len(matrix))
    for entrant in ENTRANTS:
        model, _, schedule = entrant.partition(" ")
        for place, case in enumerate(matrix.index):
            about = {
                "case": case,
                "site": case.split("_")[1] if "_" in case else "X",
                "grade": ("II", "III", "")[place % 3],
            }
            missing = ("", "", "post", "pre post")[place % 4]
            shape = {"missing": missing, "slices": 20 + place % 30, "lesion_voxels": voxels[place]}
            rows.append(
                {
                    "model": model,
                    "schedule": schedule,
                    "seed": 0,
                    "fold": place % 5,
                    **about,
                    **shape,
                    "dice": matrix.loc[case, entrant],
                }
            )
    return pd.DataFrame(rows)


def _spread(values: np.ndarray) -> tuple[float, float, float]:
    values = values[~np.isnan(values)]
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 2 else np.nan
    return values.mean(), values.mean() - half, values.mean() + half


def _subgroup_pairs(matrix: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for level, part in (("CS", matrix.iloc[:40]), ("DU", matrix.iloc[40:])):
        for a, b in (MODELS[:2], MODELS[1:3]):
            mean, low, high = _spread((part[a] - part[b]).to_numpy())
            rows.append(("site", level, a, b, len(part), mean, low, high))
    return pd.DataFrame(rows, columns=["group", "level", "a", "b", "n", "mean_difference", "low", "high"])


def _scores(matrix: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for score, worth in (("dice", 1.0), ("hd95_px", 20.0), ("lesions_false", 3.0)):
        for entrant in ENTRANTS:
            mean, low, high = (worth * value for value in _spread(matrix[entrant].to_numpy()))
            rows.append((entrant, score, 110, mean, low, high, mean + 0.01, worth * 0.1, worth * 0.97))
    columns = ["entrant", "score", "n", "mean", "mean_low", "mean_high", "median", "minimum", "maximum"]
    return pd.DataFrame(rows, columns=columns)


def _means(matrix: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for entrant in ENTRANTS:
        values = matrix[entrant].to_numpy()
        mean, low, high = _spread(values)
        middle = np.nanmedian(values)
        trained = entrant in MODELS
        rows.append(
            {
                "n": np.sum(~np.isnan(values)),
                "seeds": 3,
                "seed_sd": 0.0042,
                "mean": mean,
                "low": low,
                "high": high,
                "median": middle,
                "median_low": middle - 0.01,
                "median_high": middle + 0.01,
                "minimum": values.min(),
                "maximum": values.max(),
                "failed": np.sum(values < 0.5),
                "parameters": 7_782_913 if trained else np.nan,
                "seconds": 9000.0 if trained else 4.0,
                "epochs": 30 if trained else np.nan,
            }
        )
    return pd.DataFrame(rows, index=list(ENTRANTS))


def _pairs(matrix: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for a, b in combinations(ENTRANTS, 2):
        values = (matrix[a] - matrix[b]).dropna().to_numpy()
        mean, low, high = _spread(values)
        rows.append(
            {
                "a": a,
                "b": b,
                "n": len(values),
                "mean_difference": mean,
                "low": low,
                "high": high,
                "median_difference": np.median(values),
                "test": "Wilcoxon",
                "p": 0.0001 if low * high > 0 else 0.2,
                "holm_p": 0.0002 if low * high > 0 else 0.6,
                "rank_biserial": np.sign(mean) * 0.3,
                "wins": int((values > 0).sum()),
                "ties": 0,
                "losses": int((values < 0).sum()),
                "smallest_detectable": 2.8 * values.std() / np.sqrt(max(len(values), 1)),
                "different": bool(low * high > 0),
                "margin": 0.02,
                "low_90": mean + 0.84 * (low - mean),
                "high_90": mean + 0.84 * (high - mean),
                "tost_p": 0.01,
                "tost_holm_p": 0.04 if max(-low, high) < 0.02 else 0.3,
                "equivalent": max(-low, high) < 0.02,
            }
        )
    return pd.DataFrame(rows)


def _secondary(matrix: pd.DataFrame) -> pd.DataFrame:
    """Surface Dice as Dice is, and false components, where less is better."""
    dice = _pairs(matrix).loc[:, :"different"]
    dice = dice[dice["a"].isin(MODELS) & dice["b"].isin(MODELS)]
    return pd.concat([dice.assign(score="surface_dice_px"), dice.assign(score="lesions_false")], ignore_index=True)


def _without_lesion() -> pd.DataFrame:
    rows = [
        {"entrant": entrant, "n": 12, "left_alone": 3.0 * place, "specificity": place / 4, "low": 0.0, "high": 1.0}
        | {f"false_voxels_{size}": 1200.0 - 300 * place for size in ("mean", "median", "minimum", "maximum")}
        | {f"false_ml_{size}": np.nan for size in ("mean", "median", "minimum", "maximum")}
        for place, entrant in enumerate(ENTRANTS)
    ]
    return pd.DataFrame(rows)


def _healthy_pairs() -> pd.DataFrame:
    about = {"a": MODELS[0], "b": MODELS[1], "n": 12, "wins": 0, "ties": 9, "losses": 3, "rank_biserial": -1.0}
    alone = {"score": "left_alone", "mean_difference": -0.25, "low": -0.5, "high": 0.0, "test": "McNemar"}
    voxels = {"score": "false_voxels", "mean_difference": 300.0, "low": 200.0, "high": 400.0, "test": "Wilcoxon"}
    return pd.DataFrame(
        [
            about | alone | {"p": 0.25, "holm_p": 0.25, "different": False},
            about | voxels | {"p": 0.0005, "holm_p": 0.001, "different": True},
        ]
    )


def _subgroups(matrix: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    kinds = {
        "site": ["CS", "DU", "HT"],
        "lesion size": ["small, up to 12,204 voxels", "large, above 12,204 voxels"],
        "WHO grade": ["II", "III", "unknown"],
    }
    rows = []
    for kind, levels in kinds.items():
        for level in levels:
            part = matrix.sample(min(len(matrix), 30), random_state=rng)
            for entrant in ENTRANTS:
                mean, low, high = _spread(part[entrant].to_numpy())
                rows.append((kind, level, int(part[entrant].notna().sum()), entrant, mean, low, high))
    return pd.DataFrame(rows, columns=["group", "level", "n", "entrant", "mean", "low", "high"])


def _costs() -> pd.DataFrame:
    """The plain net on another machine than the rest, whose times are therefore not those of one device."""
    net, runs = "segmentation-models-pytorch 0.6.0", 5
    rows = [
        (MODELS[0], "", 7_782_913, 12_100_000_000, "5x128x128", runs, 3605.0, 7.8, 21.0, "AMD EPYC, 2 cores, bf16"),
        (MODELS[1], "", 7_782_913, 12_100_000_000, "5x128x128", runs, 3590.0, 7.9, 22.0, "AMD EPYC, 2 cores, bf16"),
        (MODELS[2], net, 31_992_977, 10_400_000_000, "5x128x128", runs, None, None, None, "AMD EPYC and NVIDIA H200"),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _curves(rng: np.random.Generator, folds: int) -> pd.DataFrame:
    rows = []
    for entrant in MODELS:
        for fold in range(folds):
            for epoch in range(1, (21 if entrant == "unet none" else 31)):
                dice = 0.87 * (1 - np.exp(-epoch / 5)) + rng.normal(0, 0.02)
                run = f"{entrant.replace(' ', '-')}-s0-f{fold}"
                rate = 5e-4 * (1 + np.cos(np.pi * epoch / 30)) / 2 if entrant.endswith("cosine") else 5e-4
                rows.append((run, entrant, 0, fold, epoch, dice + 0.03, dice, 1 - dice, 1.1 - dice, rate))
    columns = ["run", "entrant", "seed", "fold", "epoch", "train_dice", "val_dice", "train_loss", "val_loss"]
    return pd.DataFrame(rows, columns=[*columns, "learning_rate"])


def _runs(folds: int) -> list[dict[str, Any]]:
    shared = {
        "command": "python main.py --compare --config configs/lgg_cv.yaml --root_dir data/kaggle_3m",
        "versions": {"headtohead": "0.3.0", "torch": "2.13.0"},
        "git_commit": "cbbe421988ca",
        "data": {"key": "d1f0c3a2" * 8},
        "hardware": {"processor": "AMD EPYC", "cores": 2},
    }
    names = [f"{entrant.replace(' ', '-')}-s0-f{fold}" for entrant in MODELS for fold in range(folds)]
    return [
        {"name": name, "status": "finished", **shared, "split": {"key": f"s{place % folds}"}, "seconds": 1800.0 + place}
        for place, name in enumerate(names)
    ] + [{"name": "flair-threshold-f0", "status": "finished", **shared, "split": {"key": "s0"}, "seconds": 0.8}]


@pytest.fixture(scope="session")
def findings() -> Findings:
    """The made-up comparison of 110 cases. Read only."""
    return make_findings()


@pytest.fixture(scope="session")
def make() -> Callable[..., Findings]:
    """Give `make_findings`, for other cases or another seed."""
    return make_findings
