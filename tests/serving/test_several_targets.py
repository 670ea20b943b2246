"""The page of a model with several targets: measures of each, outlines of all, a label map to download."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from headtohead.predicting.predictor import Predictor
from headtohead.task import Target, Targets
from headtohead.trained.choosing import Choice
from headtohead.trained.source import Source
from tests.serving.browsing import drop, shows, text

GREEN, RED = (0, 200, 0), (200, 0, 0)
TARGETS = Targets((Target("whole", (2, 5), GREEN), Target("core", (5,), RED)))


class Two:
    """An engine: the whole is what is brighter than a quarter of white, its core what is brighter than a half."""

    name = "brightness on cpu"

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        answers = [1 / (1 + np.exp(-60 * (batch[:, 1] - level))) for level in (0.25, 0.6)]
        return np.stack(answers, axis=1, dtype=np.float32)


@pytest.fixture
def predictor(predictor: Predictor) -> Predictor:
    facts = replace(predictor.facts, task=replace(predictor.facts.task, targets=TARGETS))
    return Predictor((Choice(Source(facts), "the only one"),), (Two(),), 0.5)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A box within a box, and its truth."""
    labels = np.zeros((20, 20, 6), np.uint8)
    labels[4:16, 3:17, 1:5] = 2
    labels[8:12, 7:13, 2:4] = 5
    for name, values in (("x_flair", np.take([60, 0, 400, 0, 0, 900], labels)), ("x_seg", labels)):
        path = tmp_path / f"{name}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(values.astype(np.uint8 if name == "x_seg" else np.int16), np.eye(4)), path)
    return tmp_path / "x_flair.nii.gz"


def truth_of(volume: Path) -> Path:
    return volume.with_name("x_seg.nii.gz")


def test_measures_of_each_and_a_label_map(server: Any, volume: Path) -> None:
    found = server.drop_paths(volume, truth_of(volume)).json()
    assert found["targets"] == [{"name": "whole", "colour": list(GREEN)}, {"name": "core", "colour": list(RED)}]
    assert found["thresholded"] is True
    voxels = 20 * 20 * 6
    probability = np.frombuffer(server.ask("GET", f"/{found['address']}/probability").body, np.uint8)
    assert probability.size == 2 * voxels
    shown = server.ask("GET", f"/{found['address']}/mask")
    labels = np.asarray(nibabel.load(truth_of(volume)).dataobj)
    assert [one["voxels"] for one in json.loads(shown.headers["measures"])] == [(labels > 0).sum(), (labels == 5).sum()]
    assert [one["dice"] for one in json.loads(shown.headers["measures"])] == [1, 1]
    truth = server.ask("GET", f"/{found['address']}/truth").body
    masks, true = (np.unpackbits(np.frombuffer(one, np.uint8).reshape(2, -1), axis=1) for one in (shown.body, truth))
    assert masks[:, :voxels].sum(axis=1).tolist() == [(labels > 0).sum(), (labels == 5).sum()]
    np.testing.assert_array_equal(true, masks)
    file = gzip.decompress(server.ask("GET", f"/{found['address']}/file").body)
    np.testing.assert_array_equal(np.asarray(nibabel.Nifti1Image.from_bytes(file).dataobj), labels)


def test_a_person_chooses_a_target(open_page: Callable[..., Any], volume: Path) -> None:
    page = open_page()
    drop(page, volume, truth_of(volume))
    assert text(page, "voxels") == "672" and text(page, "dice") == "1.000"
    assert shows(page, GREEN) > 50 and shows(page, RED) > 20
    page.get_by_label("core").check()
    assert text(page, "voxels") == "48" and shows(page, GREEN) > 50
    page.locator("#show-mask").uncheck()
    assert shows(page, GREEN) == 0
