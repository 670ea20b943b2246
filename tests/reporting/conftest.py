"""Made-up run folders, as a comparison leaves them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headtohead.scoring.counts import CaseCounts

COMMON = {
    "protocol": "1",
    "data": {"key": "d1"},
    "split": {"kind": "patient", "seed": 0, "key": "s1", "leaking_patients": 0},
    "threshold": 0.5,
}
WriteRun = Callable[..., Path]


@pytest.fixture
def comparison(tmp_path: Path) -> Path:
    """The empty folder of a comparison named lgg."""
    folder = tmp_path / "runs" / "lgg"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def write_run(comparison: Path) -> WriteRun:
    """Give `write_run(model, schedule, seed, counts, **run.json)`; `counts` is a list of (tp, fp, fn), one a case."""

    def write(
        model: str = "unet",
        schedule: str = "none",
        seed: int | None = 0,
        counts: list[tuple[int, int, int]] | None = None,
        name: str = "",
        status: str = "finished",
        val_dice: list[float] | None = None,
        **record: Any,
    ) -> Path:
        folder = comparison / (name or f"{model}-{schedule}-s{seed}-f0")
        folder.mkdir()
        experiment = {"model": model, "schedule": schedule, "seed": seed, "fold": 0, "name": folder.name}
        (folder / "run.json").write_text(json.dumps(COMMON | {"status": status, "experiment": experiment} | record))
        if status == "finished":
            counts = counts or [(5, 1, 1), (6, 2, 2), (7, 9, 9), (1, 0, 9)]
            found = CaseCounts(len(counts))
            found.add(range(len(counts)), *zip(*counts, strict=True))
            table = pd.DataFrame({"case": [f"case{i}" for i in range(len(counts))], "site": "NA"})
            found.rows(table).to_csv(folder / "cases.csv", index=False)
        if val_dice:
            columns = {"epoch": range(len(val_dice)), "train_dice": val_dice, "val_dice": val_dice}
            pd.DataFrame(columns).to_csv(folder / "metrics.csv", index=False)
        return folder

    return write
