"""A finished run leaves its model in the forms that prediction takes, and they are the model that was scored."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.comparing import keeping
from headtohead.comparing.experiment import Experiment, open_experiment
from headtohead.comparing.keeping import facts_of, keep_model, real_slices
from headtohead.comparing.training import run_training
from headtohead.errors import UserError
from headtohead.preparing.chain import Prepared
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.scoring.counts import count
from headtohead.trained.engines import open_engine
from headtohead.trained.facts import FILE, read_facts
from headtohead.trained.source import ONNX, open_source


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"case\na\n", b"case,dice\na,x\n", b"dice\n0.5,1\n", b"\0" * 100, None]
)
def test_damaged_scores_are_named_in_a_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "cases.csv"
    assert keeping.test_scores(path) == {}
    path.write_bytes(content) if content is not None else os.mkfifo(path)
    with pytest.raises(UserError, match=r"cases\.csv: damaged \(.+\); delete it and run `test` again"):
        keeping.test_scores(path)


def test_onnx_scores_what_the_run_scored(finished: Experiment, phantom_cohort: Cohort) -> None:
    source = open_source(finished.folder.path)
    engine = open_engine(source, "onnx")
    table = pd.read_csv(finished.folder.cases).set_index("case")
    assert table["tp"].sum() > 0
    for case in finished.split.cases(phantom_cohort, "test"):
        prepared = Prepared(source.facts.chain, np.asarray(phantom_cohort.images(int(case))))
        batch = np.stack([prepared.input(index) for index in range(prepared.n)])
        mask = prepared.restore(engine(batch)[:, 0]) >= source.facts.threshold
        row = table.loc[phantom_cohort.table["case"].iloc[case]]
        found = count(mask, np.asarray(phantom_cohort.masks(int(case))) == 1)
        assert np.allclose(found, row[["tp", "fp", "fn"]].to_numpy(float), atol=2)  # voxels on the threshold itself


def test_facts(finished: Experiment, phantom_cohort: Cohort) -> None:
    facts, record = read_facts(finished.folder.path), finished.folder.record()
    assert facts.name == f"{finished.folder.path.parent.name}/{finished.name}"
    assert (facts.model, facts.width, facts.in_channels, facts.threshold) == ("buda", 2, 5, 0.3)
    assert facts.task == LGG_TASK
    assert facts.chain == finished.recipe.chain
    assert facts.data["key"] == phantom_cohort.key
    for part in ("train", "val"):
        names = phantom_cohort.table["case"].iloc[finished.split.cases(phantom_cohort, part)]
        assert facts.data["parts"][part] == list(names) != []
    assert facts.familiar["cases"] == len(finished.split.cases(phantom_cohort, "train"))
    dice = pd.read_csv(finished.folder.cases)["dice"]
    assert facts.scores["mean"] == pytest.approx(dice.mean(), abs=1e-4)
    assert facts.scores["median"] == pytest.approx(dice.median(), abs=1e-4)
    assert facts.scores["n"] == dice.notna().sum()
    assert facts.scores["val_dice"] == record["best_val_dice"]
    assert record["onnx"].startswith("agrees with PyTorch on ")


@pytest.mark.parametrize("content", ["{", '{"format": 1, "model": "none"}', "[" * 1000])
def test_damaged_facts_of_a_run_are_made_again_as_the_message_says(copied: Experiment, content: str) -> None:
    path, before = copied.folder.path / FILE, read_facts(copied.folder.path)
    path.write_text(content)
    with pytest.raises(UserError, match=r"model\.json: damaged.*; restore it, or delete it and run `test` again, then"):
        facts_of(copied)
    path.unlink()
    keep_model(copied)
    assert read_facts(copied.folder.path) == before


def test_real_slices_are_validation_slices_with_lesions(finished: Experiment, phantom_cohort: Cohort) -> None:
    slices = real_slices(finished)
    assert slices.shape[1:] == (5, 32, 32)
    assert 1 < len(slices) <= keeping.CHECKED
    first = finished.split.val[phantom_cohort.has_lesion()[finished.split.val]][0]
    case, index = phantom_cohort.case_of(int(first))
    prepared = Prepared(facts_of(finished).chain, np.asarray(phantom_cohort.images(case)))
    np.testing.assert_allclose(slices[0], prepared.input(index), atol=1e-5)


def test_chosen_clean_up_stays(
    options_for: Any, phantom_cohort: Cohort, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = open_experiment(options_for(tmp_path, num_epochs=1), phantom_cohort)
    run_training(experiment)
    assert (experiment.folder.path / ONNX).is_file()
    facts = read_facts(experiment.folder.path)
    assert "mean" not in facts.scores
    dataclasses.replace(facts, threshold=0.45, postprocessing="largest").write(experiment.folder.path)
    with monkeypatch.context() as patched:
        patched.delattr(keeping, "measure_cohort")  # the training cases were measured once
        keep_model(experiment)
    kept = read_facts(experiment.folder.path)
    assert (kept.threshold, kept.postprocessing, kept.familiar) == (0.45, "largest", facts.familiar)
    dataclasses.replace(facts, familiar={}).write(experiment.folder.path)  # as an earlier version left it
    keep_model(experiment)
    assert read_facts(experiment.folder.path).familiar == facts.familiar


def test_a_net_without_onnx_is_kept_all_the_same(
    options_for: Any,
    phantom_cohort: Cohort,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no such operator\nand more")

    monkeypatch.setattr(keeping, "write_onnx", fail)
    experiment = open_experiment(options_for(tmp_path, num_epochs=1), phantom_cohort)
    run_training(experiment)
    assert experiment.folder.record()["onnx"] == "not written: no such operator"
    assert "model.onnx not written: no such operator" in capsys.readouterr().out
    assert not (experiment.folder.path / ONNX).exists()
    assert read_facts(experiment.folder.path).model == "buda"
