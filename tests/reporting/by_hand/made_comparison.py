"""A comparison whose every number is worked out by hand: three models in three seeds, and the baseline."""

from typing import Any

import numpy as np
import pandas as pd

CASES, FOLDS, SEEDS = 36, 3, (0, 1, 2)
HEALTHY = [4, 17]
ILL = CASES - len(HEALTHY)
HIT = {("unet", "none"): 0.85, ("unet", "cosine"): 0.86, ("resnext", "none"): 0.7, ("flair-threshold", "-"): 0.5}
BASELINE = "flair-threshold"


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
