"""A comparison of three nested targets that nobody trained: two models in two seeds, and the baseline."""

from typing import Any

import numpy as np

from headtohead.task import Target, Targets, Task

TARGETS = Targets(
    (
        Target("whole tumour", (1, 2, 4), (31, 119, 180)),
        Target("tumour core", (1, 4), (44, 160, 44)),
        Target("enhancing tumour", (4,), (214, 39, 40)),
    )
)
TASK = Task("made-up gliomas", ("t1", "t1c", "t2", "flair"), "flair", TARGETS)
CASES, SEEDS, BASELINE = 24, (0, 1), "flair-threshold"
WITHOUT_ENHANCING, EMPTY = (3, 4, 5, 6, 7, 8), 23
"""Cases without enhancing tumour, and the one that holds no target."""
HIT = {("unet", "none"): (0.9, 0.8, 0.75), ("resnext", "none"): (0.89, 0.8, 0.5), (BASELINE, "-"): (0.5, 0.3, 0.2)}


def make_runs(write_run: Any) -> None:
    """Write the run folders: one row a case and target in each cases.csv and slices.csv."""
    rng = np.random.default_rng(7)
    size = rng.integers(2000, 9000, CASES)
    voxels = np.stack([size, size // 2, size // 5], axis=1)
    voxels[list(WITHOUT_ENHANCING), 2] = 0
    voxels[EMPTY] = 0
    names = [f"glioma_{place:03d}" for place in range(CASES)]
    for (model, schedule), hits in HIT.items():
        for seed in SEEDS if model != BASELINE else (None,):
            found = rng.binomial(voxels, np.clip(rng.normal(hits, 0.04, (CASES, 3)), 0, 1))
            false = rng.poisson(np.maximum(voxels, 10) * (1 - np.array(hits)))
            false[list(WITHOUT_ENHANCING), 2] *= (model != "unet") + 0
            counts = np.stack([found, false, voxels - found], axis=-1).reshape(-1, 3)
            write_run(
                model,
                schedule,
                seed,
                [tuple(row) for row in counts.tolist()],
                cases=[name for name in names for _ in TARGETS.names],
                extra={"target": list(TARGETS.names) * CASES, "slices": 5},
                data={"key": "d1", "kind": "brats", "task": TASK.to_dict()},
                epochs=2,
                seconds=5.0,
            )
