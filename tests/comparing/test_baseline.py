"""The baseline's run folder stands beside trained runs and is read like one."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.comparing.baseline import run_baseline
from headtohead.options.comparison import baseline_on, baselines
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.runs.reading import read_ledger
from headtohead.scoring.baseline import primary_histograms

CASES = 5
SHAPE = (4, 6, 6)
LESION = slice(1, 3)


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """Cases whose lesion is two scales above the centre, the rest at the centre, at another brightness in each case."""
    packed = tmp_path / "packed"
    packed.mkdir()
    centre = 50 + 20 * np.arange(CASES)
    masks = np.zeros((CASES, *SHAPE), np.uint8)
    masks[:, :, LESION, LESION] = 1
    images = np.zeros((CASES, *SHAPE, 3), np.uint8)
    images[..., 1] = centre[:, None, None, None] + 20 * masks
    images.tofile(packed / "images.u8")
    np.ones_like(masks).tofile(packed / "inner.u8")
    masks.tofile(packed / "labels.u8")
    one = np.stack([centre, np.full(CASES, 10)], axis=-1)
    np.savez(packed / "statistics.npz", inner=np.stack([one * 0 + 1, one, one * 0 + 1], axis=1).astype(np.float32))
    table = pd.DataFrame({"case": list("abcde"), "site": "CS", "slices": 4, "height": 6, "width": 6})
    return Cohort(root=tmp_path, key="k", table=table.assign(first=4 * np.arange(CASES)), packed=packed, task=LGG_TASK)


@pytest.fixture
def split() -> Split:
    return Split("patient", 0, train=np.arange(8), val=np.arange(8, 12), test=np.arange(12, 20))


PROVENANCE: dict[str, Any] = {"data": {"key": "k"}, "split": {"kind": "patient", "key": "s"}, "protocol": "1"}


def test_writes_a_finished_run_that_the_ledger_reads(cohort: Cohort, split: Split, comparison: Path) -> None:
    folder = run_baseline(cohort, split, comparison, PROVENANCE)
    assert folder == comparison / "flair-threshold"
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["experiment"]["model"] == "flair-threshold"
    assert {key: record[key] for key in PROVENANCE} == PROVENANCE
    assert 0 < record["threshold"] <= 2
    cases = read_ledger(comparison).cases
    assert cases["case"].tolist() == ["d", "e"]
    assert cases["dice"].tolist() == [1, 1]


def test_is_fitted_on_training_cases_only(cohort: Cohort, split: Split, comparison: Path) -> None:
    first = json.loads((run_baseline(cohort, split, comparison, PROVENANCE) / "run.json").read_text())["threshold"]
    masks = np.memmap(cohort.packed / "labels.u8", np.uint8, "r+").reshape(CASES, *SHAPE)
    masks[2:] = 1 - masks[2:]
    masks.flush()
    folder = run_baseline(cohort, split, comparison, PROVENANCE)
    assert json.loads((folder / "run.json").read_text())["threshold"] == first
    assert pd.read_csv(folder / "cases.csv")["dice"].tolist() == [0, 0]


def test_histograms_counted_once_serve_every_fold(
    cohort: Cohort, split: Split, comparison: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases that are not for training must have no say: here they are dark, and would ask for another threshold."""
    images = np.fromfile(cohort.packed / "images.u8", np.uint8).reshape(CASES, *SHAPE, 3)
    images[2:, ..., 1][cohort_masks(cohort)[2:] > 0] += 100
    images.tofile(cohort.packed / "images.u8")
    again = Cohort(root=cohort.root, key="k", table=cohort.table, packed=cohort.packed, task=LGG_TASK)
    counted = primary_histograms(again, np.arange(again.n_slices))
    alone = json.loads((run_baseline(again, split, comparison, PROVENANCE) / "run.json").read_text())
    monkeypatch.setattr("headtohead.comparing.baseline.primary_histograms", None)
    shared = json.loads((run_baseline(again, split, comparison, PROVENANCE, counted) / "run.json").read_text())
    assert shared["threshold"] == alone["threshold"]
    one = counted[0].of_cases(np.array([1]))
    assert one.lesion[1].sum() == counted[0].lesion[1].sum() > 0
    assert not np.delete(one.lesion, 1, axis=0).any() and not np.delete(one.other, 1, axis=0).any()


def cohort_masks(cohort: Cohort) -> np.ndarray:
    return np.stack([cohort.masks(case) for case in range(CASES)])


def test_of_a_split_by_slice_only_its_own_slices_are_counted(
    cohort: Cohort, comparison: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_slice = Split("slice", 0, train=np.arange(0, 20, 2), val=np.arange(1, 20, 4), test=np.arange(3, 20, 4))
    counted = primary_histograms(cohort, np.arange(cohort.n_slices))
    asked: list[int] = []
    monkeypatch.setattr(
        "headtohead.comparing.baseline.primary_histograms",
        lambda data, slices: asked.extend(slices) or primary_histograms(data, slices),
    )
    run_baseline(cohort, by_slice, comparison, PROVENANCE, counted)
    assert asked == by_slice.train.tolist()


def test_it_is_named_after_its_sequence_and_an_earlier_folder_keeps_its_name(
    cohort: Cohort, split: Split, comparison: Path
) -> None:
    task = dataclasses.replace(LGG_TASK, sequences=("ct (soft)", "pet", "t2"), primary="pet", stand_ins={})
    shared = PROVENANCE | {"data": {"key": "k", "task": task.to_dict()}}
    other = Cohort(root=cohort.root, key="k", table=cohort.table, packed=cohort.packed, task=task)
    folder = run_baseline(other, split, comparison, shared)
    assert folder == comparison / "pet-threshold"
    folder.rename(comparison / "flair-threshold")
    record = json.loads((comparison / "flair-threshold" / "run.json").read_text())
    assert record["experiment"]["model"] == record["experiment"]["name"] == "pet-threshold"
    record["experiment"]["model"] = "flair-threshold"  # as earlier versions wrote
    (comparison / "flair-threshold" / "run.json").write_text(json.dumps(record))
    assert set(read_ledger(comparison).cases["model"]) == {"pet-threshold"}
    assert run_baseline(other, split, comparison, shared) == comparison / "flair-threshold"
    assert [run.name for run in read_ledger(comparison).finished] == ["flair-threshold"]
    assert baseline_on("ct (soft)") == "ct-soft-threshold" and baseline_on("flair") == BASELINE
    assert baselines(["unet none", "ct-soft-threshold"]) == ["ct-soft-threshold"]
