"""The findings of a comparison: nothing without a whole entrant, and each number from where it should come."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.errors import UserError
from headtohead.reporting.entrant_names import entrant_of
from headtohead.reporting.evidence import BATCH
from headtohead.reporting.findings import PROVENANCE, findings_of
from headtohead.runs.ledger import SCORES
from headtohead.runs.reading import read_ledger
from headtohead.scoring.conventions import PER_BATCH, PER_CASE, POOLED, conventions

FOLDS = 3


def in_fold(fold: int) -> dict[str, Any]:
    return {"kind": "patient", "seed": 0, "key": f"s{fold}", "plan": "p", "folds": FOLDS, "leaking_patients": 0}


def test_nothing_whole_is_nothing_found(comparison: Path, write_run: Any) -> None:
    assert findings_of(read_ledger(comparison)) is None
    write_run(fold=0, split=in_fold(0))
    assert findings_of(read_ledger(comparison)) is None, "one fold of three is no entrant yet"


def test_an_entrant_that_lacks_a_fold_is_left_out_everywhere(comparison: Path, write_run: Any) -> None:
    for fold in range(FOLDS):
        names = [f"case{fold}{place}" for place in range(4)]
        write_run("unet", fold=fold, split=in_fold(fold), cases=names, val_dice=[0.1])
        if fold:
            write_run("resnext", fold=fold, split=in_fold(fold), cases=names, val_dice=[0.1])
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert list(found.matrix) == list(found.means.index) == ["unet none"]
    assert len(found.matrix) == 4 * FOLDS
    assert set(found.cases["model"]) == {"unet"} and set(found.scores["entrant"]) == {"unet none"}
    assert found.pairs.empty
    assert any("resnext, no schedule is left out: 2 of 3 folds are finished" in warning for warning in found.warnings)


def test_means_count_failures_on_averaged_seeds_and_add_up_the_runs(comparison: Path, write_run: Any) -> None:
    # Case 1 fails under one seed only and is above a half on average; case 2 fails under both.
    write_run("unet", "none", 0, [(9, 1, 1), (4, 6, 6), (1, 9, 9)], parameters=123, seconds=10.5, epochs=30)
    write_run("unet", "none", 1, [(9, 1, 1), (9, 1, 1), (2, 8, 8)], parameters=123, seconds=20.0, epochs=28)
    write_run("flair-threshold", "-", None, [(5, 5, 5)] * 3, name="flair-threshold", seconds=0.5)
    found = findings_of(read_ledger(comparison))
    assert found is not None
    own, baseline = found.means.loc["unet none"], found.means.loc["flair-threshold"]
    assert (own["failed"], own["parameters"], own["seconds"], own["epochs"]) == (1, 123, 30.5, 30)
    assert own["mean"] == pytest.approx((0.9 + 0.65 + 0.15) / 3)
    assert (baseline["failed"], baseline["seconds"]) == (0, 0.5)
    assert pd.isna(baseline["parameters"]) and pd.isna(baseline["epochs"])
    assert list(found.matrix) == ["unet none", "flair-threshold"], "the baseline comes last"
    assert list(found.ranks.index) == ["unet none"], "and is not in the ranking"
    assert found.pairs[["a", "b"]].to_numpy().tolist() == [["unet none", "flair-threshold"]]


def test_curves_and_provenance_of_each_run(comparison: Path, write_run: Any) -> None:
    write_run("unet", "cosine", seed=3, fold=0, val_dice=[0.2, 0.4], device="cpu", command="python main.py")
    write_run("flair-threshold", "-", None, name="flair-threshold")
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert found.curves["epoch"].tolist() == [1, 2]
    first = found.curves.iloc[0]
    assert (first["run"], first["entrant"], first["seed"], first["fold"]) == (
        "unet-cosine-s3-f0", "unet cosine", 3, 0
    )  # fmt: skip
    assert (first["val_dice"], first["val_loss"], first["learning_rate"]) == (0.2, 0.8, 0.001)
    assert [run["name"] for run in found.provenance] == ["flair-threshold", "unet-cosine-s3-f0"]
    assert all(run.keys() == {"name", *PROVENANCE} for run in found.provenance)
    assert (found.provenance[1]["device"], found.provenance[1]["command"]) == ("cpu", "python main.py")


def test_without_curves(comparison: Path, write_run: Any) -> None:
    write_run("flair-threshold", "-", None, name="flair-threshold")
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert found.curves.empty and {"entrant", "epoch", "val_dice", "learning_rate"} <= set(found.curves)
    assert found.conventions.empty and {"entrant", "convention", "score"} <= set(found.conventions)
    assert found.verdict == "No model was scored on every case."


def test_undefined_scores_are_counted_and_explained(comparison: Path, write_run: Any) -> None:
    surface = [1.0, np.nan, 9.0, 2.0]
    write_run(counts=[(5, 1, 1), (0, 0, 0), (0, 0, 9), (1, 1, 1)], extra={"hd95_px": surface, "volume_error": 0})
    found = findings_of(read_ledger(comparison))
    assert found is not None
    notes = [note for note in found.footnotes if "of cases.csv" in note]
    why = "the truth holds no lesion; what was predicted there is in fp"
    assert notes == [
        *(f"{name} is undefined in 1 of 4 rows of cases.csv: {why}." for name in SCORES),
        f"hd95_px is undefined in 1 of 4 rows of cases.csv: {why}; or only some slices of the case were scored.",
    ]


def test_cases_without_a_lesion_are_scored_and_tested_apart(comparison: Path, write_run: Any) -> None:
    """The issue's own case: 20 healthy patients, one entrant silent, one with a false alarm on each."""
    ill = [(80 + place % 3, 10, 10) for place in range(20)]
    write_run("silent", "none", 0, [(0, 0, 0)] * 20 + ill)
    write_run("alarmer", "none", 0, [(0, 30, 0)] * 20 + ill)
    write_run("flair-threshold", "-", None, [(0, 9, 0)] * 20 + [(5, 50, 50)] * 20, name="flair-threshold")
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert len(found.matrix) == 20 and found.means["n"].eq(20).all()
    assert found.without_lesion.set_index("entrant")["left_alone"].to_dict() == {
        "silent none": 20, "alarmer none": 0, "flair-threshold": 0,
    }  # fmt: skip
    assert "alarmer, no schedule scores higher" not in found.verdict
    better, worse = "This training of silent, no schedule", "this training of alarmer, no schedule"
    assert f"{better} leaves more of them alone than {worse} (McNemar p < 0.001)" in found.verdict
    assert found.tested["family"].value_counts().to_dict() == {"without lesion": 6, "primary": 3, "secondary": 2}
    assert found.conventions.empty


def slices(case: str, tp: list[int], fp: list[int], fn: list[int]) -> pd.DataFrame:
    table = pd.DataFrame({"case": case, "slice": range(1, len(tp) + 1), "tp": tp, "fp": fp, "fn": fn})
    truth, predicted = table["tp"] + table["fn"], table["tp"] + table["fp"]
    return table.assign(predicted=predicted, truth=truth, largest_tp=tp, largest_fp=fp)


def test_conventions_over_folds_and_seeds(comparison: Path, write_run: Any) -> None:
    """Folds are put together, then scored; seeds are scored, then averaged."""
    tables = {
        (0, 0): slices("a", [8, 0], [2, 0], [2, 0]),
        (0, 1): slices("b", [5, 3], [5, 3], [5, 3]),
        (1, 0): slices("a", [9, 0], [1, 0], [1, 4]),
        (1, 1): slices("b", [7, 3], [3, 3], [3, 3]),
    }
    for (seed, fold), table in tables.items():
        split = {**in_fold(fold), "folds": 2}
        folder = write_run(seed=seed, fold=fold, counts=[(1, 1, 1)], cases=["ab"[fold]], split=split, batch_size=3)
        table.to_csv(folder / "slices.csv", index=False)
    found = findings_of(read_ledger(comparison))
    assert found is not None
    scores = found.conventions.set_index("convention")
    assert set(scores["entrant"]) == {"unet none"}
    per_seed = [(16 / 20 + 16 / 32) / 2, (18 / (18 + 1 + 5) + 20 / (20 + 6 + 6)) / 2]
    assert scores.loc[PER_CASE, "score"] == pytest.approx(np.mean(per_seed))
    assert scores.loc[PER_CASE, "n"] == 2
    pooled = [32 / (32 + 10 + 10), 38 / (38 + 7 + 11)]
    assert scores.loc[POOLED, "score"] == pytest.approx(np.mean(pooled))
    assert scores.loc[PER_BATCH, "n"] == 1, "one size of batch for all, whatever a run was trained with"


def test_an_entrant_without_its_slices_is_left_out_of_the_conventions(comparison: Path, write_run: Any) -> None:
    write_run("unet", "none")
    slices("a", [8], [2], [2]).to_csv(write_run("buda", "none") / "slices.csv", index=False)
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert set(found.conventions["entrant"]) == {"buda none"}
    assert any("No slices.csv in unet-none-s0-f0" in note for note in found.warnings)


def test_a_broken_table_of_a_run_is_named(comparison: Path, write_run: Any) -> None:
    folder = write_run("unet", "none")
    ledger = read_ledger(comparison)  # which leaves out a run whose table is broken already
    (folder / "slices.csv").write_text("")
    with pytest.raises(UserError, match=r"slices\.csv: damaged .*run `test` again"):
        findings_of(ledger)


def test_batches_are_filled_in_no_order_of_patients(comparison: Path, write_run: Any) -> None:
    """In the order of the cases, each batch of two would be a patient: half of them empty, and counted 1."""
    folder = write_run("flair-threshold", "-", None, counts=[(1, 1, 1)], name="flair-threshold")
    count = 4 * BATCH
    empty = slices("none", [0] * count, [0] * count, [0] * count)
    table = pd.concat([slices("all", [1] * count, [1] * count, [1] * count), empty])
    table.to_csv(folder / "slices.csv", index=False)
    found = findings_of(read_ledger(comparison))
    assert found is not None
    scores = found.conventions.set_index("convention")["score"]
    assert conventions(table, BATCH).set_index("convention")["score"][PER_BATCH] == 0.75
    assert scores[PER_BATCH] == pytest.approx(0.5)


def test_conventions_of_runs_of_ours_repeat_the_scores(scored: Path) -> None:
    found = findings_of(read_ledger(scored / "runs" / "made"))
    assert found is not None
    assert not found.cases["dice"].isna().any()
    per_case = found.conventions[found.conventions["convention"] == PER_CASE].set_index("entrant")
    assert per_case["score"].to_dict() == pytest.approx(found.means["mean"].to_dict())
    assert (per_case["n"] == len(found.matrix)).all()
    pooled = found.conventions[found.conventions["convention"] == POOLED].set_index("entrant")["score"]
    counts = found.cases.groupby(["model", "seed"], dropna=False)[["tp", "fp", "fn"]].sum()
    by_seed = 2 * counts["tp"] / (2 * counts["tp"] + counts["fp"] + counts["fn"])
    assert pooled["unet none"] == pytest.approx(by_seed["unet"].mean())
    assert pooled["flair-threshold"] == pytest.approx(by_seed["flair-threshold"].mean())


def test_name_of_an_entrant(comparison: Path, write_run: Any) -> None:
    write_run("unet", "cosine")
    write_run("flair-threshold", "-", None, name="flair-threshold-f0")
    assert [entrant_of(run) for run in read_ledger(comparison).runs] == ["flair-threshold", "unet cosine"]


def test_a_model_trained_once_is_called_this_training_of_it(comparison: Path, write_run: Any) -> None:
    good, bad = [(9, 1, 1), (8, 2, 2)] * 10, [(5, 5, 5), (4, 6, 6)] * 10
    write_run("unet", "none", 0, counts=good)
    write_run("resnext", "none", 0, counts=bad)
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert found.verdict.startswith(
        "This training of unet, no schedule scores higher than this training of resnext, no schedule: "
    )
    for seed in (1, 2):
        write_run("unet", "none", seed, counts=good)
        write_run("resnext", "none", seed, counts=bad)
    found = findings_of(read_ledger(comparison))
    assert found is not None
    assert found.verdict.startswith("unet, no schedule scores higher than resnext, no schedule: ")
