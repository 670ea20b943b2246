"""The page of a model that needs four sequences, trained on a data set of nnU-Net."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from headtohead.predicting.predictor import Predictor
from headtohead.task import Task
from headtohead.trained.choosing import Choice
from headtohead.trained.source import Source


@pytest.fixture
def predictor(predictor: Predictor) -> Predictor:
    lesion = predictor.facts.task.targets
    facts = replace(predictor.facts, task=Task("BraTS", ("pre", "post", "t2", "flair"), "flair", lesion))
    facts = replace(facts, in_channels=6, data={"kind": "nnunet"})
    return replace(predictor, choices=(Choice(Source(facts), "the only one"),))


def volumes(folder: Path, *names: str) -> list[Path]:
    for name in names:
        values = np.random.default_rng(0).integers(1, 1000, (20, 20, 4), dtype=np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / f"{name}.nii.gz")
    return [folder / f"{name}.nii.gz" for name in names]


def test_a_case_that_lacks_sequences_is_refused(server: Any, tmp_path: Path) -> None:
    refused = server.drop_paths(*volumes(tmp_path, "x_flair", "x_t1", "x_t2"))
    assert refused.status == 422
    assert refused.text == (
        "x_flair.nii.gz: no T1+contrast among the files of this case, x_flair.nii.gz (FLAIR), x_t1.nii.gz (T1), "
        "x_t2.nii.gz (T2), but the model needs T1+contrast; put X_t1c.nii.gz beside them\n"
    )
    assert server.drop_paths(*volumes(tmp_path, "x_flair", "x_t1", "x_t2", "x_t1ce")).status == 200


def test_channels_are_taken_in_the_order_of_the_training_data(server: Any, tmp_path: Path) -> None:
    found = server.drop_paths(*volumes(tmp_path, "x_0000", "x_0001", "x_0002", "x_0003"))
    assert found.status == 200 and found.json()["sequences"] == ["flair", "pre", "post", "t2"]
    assert "taken as T1, T1+contrast, T2, FLAIR, as in the training data" in found.json()["warnings"][0]
