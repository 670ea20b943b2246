"""A model of several targets: label maps, maps of each target, a line of the summary each, one mask everywhere."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting import image as module
from headtohead.predicting.cleaning.postprocessing import clean_labels, parse_clean_up
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.predict import predict as predict_scan
from headtohead.predicting.predictor import Estimate
from headtohead.predicting.results.journal import FILE as JOURNAL
from headtohead.predicting.scan import scan_of
from headtohead.task import Case, Grid, Target, Targets
from headtohead.trained.facts import ModelFacts
from tests.predicting.conftest import FACTS, Brightness
from tests.predicting.scans import Predict, files_in, picture

REGIONS = Targets(
    (
        Target("Whole tumour", (1, 2, 4), (0, 255, 0)),
        Target("core", (1, 4), (255, 0, 0)),
        Target("enhancing", (4,), (0, 0, 255)),
    )
)
CLASSES = Targets((Target("grey matter", (3,)), Target("white matter", (300,))), "classes")
LEVELS = (100, 300, 600, 1000)
"""Grey values of background, edema, core and enhancing tumour."""
LABELS = np.zeros((20, 24, 6), np.uint8)
LABELS[3:16, 4:20, 1:5] = 2
LABELS[5:12, 6:15, 2:4] = 1
LABELS[7:9, 8:11, 2:4] = 4


def facts_of(targets: Targets) -> ModelFacts:
    return replace(FACTS, task=replace(FACTS.task, targets=targets))


THREE = facts_of(REGIONS)


@dataclass(frozen=True)
class Several(Brightness):
    """The brighter, the further inside: each target from a level of its own."""

    facts: ModelFacts = THREE  # type: ignore[assignment]

    def ask(self, inputs: Any) -> Any:
        grey = inputs.volume[..., 1].astype(np.float32) / 255
        if self.facts.task.targets.thresholded:
            return Estimate(np.stack([1 / (1 + np.exp(-40 * (grey - level))) for level in (0.2, 0.45, 0.8)]), None)
        white = np.clip((grey - 0.3) * 2, 0, 1)
        return Estimate(np.stack([(1 - white) * (grey > 0.2), white * (grey > 0.2)]).astype(np.float32), None)


def tumour(path: Path, labels: np.ndarray = LABELS) -> Path:
    path.parent.mkdir(exist_ok=True)
    values = np.select([labels == 4, labels == 1, labels == 2], LEVELS[:0:-1], LEVELS[0]).astype(np.int16)
    values[0, 0, 0] = 0
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1, 4, 1])), path)
    return path


def read(path: Path) -> np.ndarray:
    return np.asanyarray(nibabel.load(path).dataobj)


def rows_in(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_label_maps_go_round(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    tumour(tmp_path / "in/a.nii.gz")
    nibabel.save(nibabel.Nifti1Image(LABELS, np.diag([1.0, 1, 4, 1])), tmp_path / "in/a_seg.nii.gz")
    flags = ["--save_probability", "--save_uncertainty", "--preview", "--outputs", "0.0:_tumour.nii"]
    assert predict(*flags, predictor=Several()) == 0
    out = tmp_path / "out"
    names = ("core", "enhancing", "whole-tumour")
    assert files_in(out) == {
        "a_mask.nii.gz", "a_tumour.nii.gz", "a_preview.png", "a_preview.gif", "summary.csv", "predicted.sha256",
        *(f"a_{kind}_{name}.nii.gz" for kind in ("probability", "uncertainty") for name in names),
    }  # fmt: skip
    found = read(out / "a_mask.nii.gz")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, LABELS)
    np.testing.assert_array_equal(read(out / "a_probability_core.nii.gz") >= 0.5, np.isin(LABELS, (1, 4)))
    np.testing.assert_array_equal(read(out / "a_tumour.nii.gz") != 0, LABELS != 0)
    rows = rows_in(out)
    assert list(rows[0])[:3] == ["file", "target", "volume_ml"]
    assert [(row["file"], row["target"], row["dice"]) for row in rows] == [("a", name, "1") for name in REGIONS.names]
    assert [int(row["voxels"]) for row in rows] == [(LABELS > 0).sum(), np.isin(LABELS, (1, 4)).sum(), 12]
    said = capsys.readouterr().out
    assert "a: Whole tumour: 3.33 ml, 4 of 6 slices, 1 lesion, Dice 1.000" in said
    assert "all 1: enhancing, mean Dice" in said
    preview = cv2.imread(str(out / "a_preview.png"))[:, :, ::-1]
    assert all((preview == target.colour).all(axis=-1).any() for target in REGIONS.all)


def test_classes_need_no_threshold_and_may_need_16_bits(tmp_path: Path, predict: Predict) -> None:
    tumour(tmp_path / "in/a.nii")
    picture(tmp_path / "in/b.png")
    assert predict("--save_probability", predictor=Several(facts=facts_of(CLASSES), threshold=0.99)) == 0
    found = read(tmp_path / "out/a_mask.nii")
    assert found.dtype == np.uint16 and set(np.unique(found)) == {0, 3, 300}
    most = read(tmp_path / "out/a_probability_white-matter.nii") > read(tmp_path / "out/a_probability_grey-matter.nii")
    np.testing.assert_array_equal(found == 300, most)
    pixels = cv2.imread(str(tmp_path / "out/b_mask.png"), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint16 and set(np.unique(pixels)) == {0, 300}, "labels, not black and white"


def test_an_interrupted_command_goes_on(tmp_path: Path, predict: Predict) -> None:
    class Stopped(Several):
        def ask(self, inputs: Any) -> Any:
            if inputs.name == "b":
                raise ZeroDivisionError("stopped")
            return super().ask(inputs)

    for name in "ab":
        tumour(tmp_path / f"in/{name}.nii")
    assert predict(predictor=Stopped()) == 1
    [line] = [one for one in (tmp_path / "out" / JOURNAL).read_text().splitlines() if '"rows"' in one]
    assert [row["target"] for row in json.loads(line)["rows"]] == list(REGIONS.names)
    before = (tmp_path / "out/a_mask.nii").stat().st_mtime_ns
    assert predict(predictor=Several()) == 0
    assert (tmp_path / "out/a_mask.nii").stat().st_mtime_ns == before
    assert [(row["file"], row["target"]) for row in rows_in(tmp_path / "out")] == [
        (name, target) for name in "ab" for target in REGIONS.names
    ]


def test_a_truth_with_other_labels_is_refused(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    tumour(tmp_path / "in/a.nii")
    nibabel.save(nibabel.Nifti1Image(LABELS * np.uint8(2), np.diag([1.0, 1, 4, 1])), tmp_path / "in/a_seg.nii")
    assert predict(predictor=Several()) == 1
    assert "a_seg.nii: label 8 belongs to no target; the labels of this task are 1, 2, 4" in capsys.readouterr().err


def test_the_panel_shows_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from headtohead.cli import main

    drawn: list[Any] = []
    draw = module.draw_panel
    monkeypatch.setattr(module, "draw_panel", lambda shown, *words: (drawn.append(shown), draw(shown, *words))[1])
    monkeypatch.setattr(module, "open_predictor", lambda *_, **__: Several(clean_up=parse_clean_up("largest", REGIONS)))
    labels = LABELS.copy()
    labels[18, 1, 2] = 4  # a speck, which the clean-up removes from all of them
    image = tumour(tmp_path / "in/a.nii", labels)
    assert main(["--image_path", str(image), "--output", str(tmp_path / "out")]) == 0
    found = read(tmp_path / "out/a_mask.nii")
    np.testing.assert_array_equal(found, LABELS)
    fullest = int(REGIONS.encode(LABELS).sum(axis=(0, 1, 2)).argmax())
    assert sorted(drawn[0].labels.ravel()) == sorted(found[:, :, fullest].ravel())
    assert "Whole tumour: 3.33 ml, 4 of 6 slices, 1 lesion; core: " in capsys.readouterr().out
    assert {f"a_probability_{name}.nii" for name in ("core", "enhancing", "whole-tumour")} < files_in(tmp_path / "out")


def test_models_of_other_targets_are_found_by_their_names() -> None:
    volume = np.repeat(np.select([LABELS == 4, LABELS == 1, LABELS == 2], (255, 150, 80), 20)[..., None], 3, axis=-1)
    volume = np.moveaxis(volume.astype(np.uint8), 2, 0)
    plain = predict_scan(scan_of(volume), Several()).labels
    np.testing.assert_array_equal(plain, np.moveaxis(LABELS, 2, 0))
    named = parse_clean_up("enhancing:min_size=13vox; Whole tumour: fill", REGIONS)
    cleaned = predict_scan(scan_of(volume), Several(clean_up=named)).labels
    np.testing.assert_array_equal(cleaned, np.where(plain == 4, 1, plain))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("core:largest;core:fill", "two clean-ups for core; give each target one"),
        ("largest;fill", "two clean-ups for all targets"),
        ("cores:largest", "cores is no target of the model; did you mean core?"),
        ("core:polish", "no such step"),
        (":largest", "nothing is no target of the model; its targets are Whole tumour, core, enhancing"),
    ],
)
def test_a_clean_up_that_is_none(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("?", r"\?")):
        parse_clean_up(text, REGIONS)


@pytest.mark.parametrize("text", ["largest,fill", "core:largest;fill", "core:none;min_size=2vox", ""])
def test_a_clean_up_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_clean_up(text, REGIONS)) == text
    assert parse_clean_up(str(parse_clean_up(text, REGIONS)), REGIONS) == parse_clean_up(text, REGIONS)


def test_what_a_region_loses_those_within_it_lose() -> None:
    labels = np.zeros((1, 5, 9), np.uint8)
    labels[0, 1:4, 1:4] = 2
    labels[0, 2, 7] = 4
    everywhere = parse_clean_up("Whole tumour:largest", REGIONS)
    np.testing.assert_array_equal(clean_labels(labels, REGIONS, everywhere, None), np.where(labels == 4, 0, labels))
    within = clean_labels(labels, REGIONS, parse_clean_up("core:dilate=1px;none", REGIONS), None)
    assert within[0, 1, 7] == 1 and within[0, 2, 7] == 4 and within[0, 2, 2] == 2


def test_names_that_are_one_file_name_get_numbers(tmp_path: Path, predict: Callable[..., int]) -> None:
    twins = Targets((Target("a b", (1,)), Target("A-B", (2,)), Target("?", (3,))))
    tumour(tmp_path / "in/x.nii")
    assert predict("--save_probability", predictor=Several(facts=facts_of(twins))) == 0
    assert {f"x_probability_{end}.nii" for end in ("a-b1", "a-b2", "3")} < files_in(tmp_path / "out")


@pytest.mark.parametrize("affine", [np.diag([-1.0, 1, 4, 1]), np.diag([1.0, 2, 3, 1])[[1, 0, 2, 3]]])
def test_a_case_from_python_is_what_it_is_from_a_file(tmp_path: Path, affine: np.ndarray) -> None:
    path = tumour(tmp_path / "in/a_flair.nii")
    values = np.asanyarray(nibabel.load(path).dataobj).copy()
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    [job] = find_jobs(path, "", THREE.task, ())
    from_file = predict_scan(read_scan(job, THREE, "", "auto"), Several())
    images = np.repeat(values[..., None], 3, axis=-1)
    found = predict_scan(Case("a", images, Grid(values.shape, affine)), Several())
    np.testing.assert_array_equal(found.labels, from_file.labels)
    np.testing.assert_array_equal(found.probability, from_file.probability)
    assert found.spacing == from_file.spacing
    with pytest.raises(ValueError, match="a: needs 3 channels, not 2"):
        predict_scan(Case("a", images[..., :2], Grid(values.shape, affine)), Several())
