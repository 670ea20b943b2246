"""What each entrant costs, from run.json alone."""

from pathlib import Path
from typing import Any

import pandas as pd

from headtohead.reporting.costs import costs_of
from headtohead.reporting.rewriting import write_reports
from headtohead.runs.reading import read_ledger

COUNTED = {"multiply_adds": 1000, "multiply_adds_of": [5, 32, 32], "parameters": 10, "device": "cpu"}
PLACE = {"hardware": {"processor": "Fast (AVX2)", "cores": "2"}, "precision": "bf16-mixed"}


def test_means_over_the_trainings_of_an_entrant(comparison: Path, write_run: Any) -> None:
    for seed, seconds in ((0, 10.0), (1, 30.0)):
        times = {"seconds": seconds, "training_slices_per_second": 4.0 - seed, "test_slices_per_second": 8.0}
        write_run("smp:FPN:resnet18", seed=seed, name=f"a{seed}", **COUNTED, **PLACE, **times, net={"source": "smp 1"})
    write_run("unet", **COUNTED | {"multiply_adds": 7}, **PLACE, net={"source": "n.py", "sha256": "0123456789"})
    write_run("buda")  # of before costs were counted
    costs = costs_of(read_ledger(comparison)).set_index("entrant")
    assert list(costs.index) == ["smp:FPN:resnet18 none", "unet none"]
    first, second = costs.to_dict("records")
    assert (first["seconds"], first["training_slices_per_second"], first["test_slices_per_second"]) == (20, 3.5, 8)
    assert (first["runs"], first["image"], first["source"]) == (2, "5x32x32", "smp 1")
    assert first["device"] == "Fast, 2 cores, bf16"
    assert second["source"] == "n.py (01234567)" and pd.isna(second["seconds"])


def test_times_of_several_devices_are_not_averaged(comparison: Path, write_run: Any) -> None:
    for seed, gpu in ((0, "H200"), (1, "A100")):
        facts = {"hardware": {"gpu": gpu}, "precision": "32-true", "device": "cuda:0", "seconds": 3.0}
        write_run("unet", seed=seed, **COUNTED | facts)
    [row] = costs_of(read_ledger(comparison)).to_dict("records")
    assert row["device"] == "H200, float32 and A100, float32" and row["seconds"] is None


def test_old_runs_have_no_table_of_costs(comparison: Path, write_run: Any) -> None:
    write_run("unet")
    write_run("buda")
    write_reports(comparison, None)
    assert not (comparison / "costs.csv").exists()
    assert 'id="costs"' not in (comparison / "report.html").read_text()
    write_run("resnext", **COUNTED, **PLACE)
    write_reports(comparison, None)
    assert list(pd.read_csv(comparison / "costs.csv")["entrant"]) == ["resnext none"]
    page = (comparison / "report.html").read_text()
    assert 'id="costs"' in page and 'class="chart cost-plot"' not in page  # one dot compares nothing
