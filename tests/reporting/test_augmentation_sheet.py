"""`--view_aug`: exactly the training pipeline, on training slices only, reproducible from its seed."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.batches.datamodule import SliceDataset
from headtohead.batches.splits import Split, make_split
from headtohead.cohort import Cohort
from headtohead.drawing.lettering import text_width
from headtohead.drawing.outlines import TRUTH, draw_outlines
from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.options.training import TrainingOptions
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.reporting import augmentation_sheet
from headtohead.reporting.augmentation_sheet import (
    COLUMN_TITLE,
    EPOCHS,
    HEADER,
    MARGIN,
    PATIENTS,
    ROW_TITLE,
    draw_augmentation,
    examples_to_show,
    legend_of,
    make_rows,
    policy_lines,
    shown_channels,
    view_augmentation,
    wrap,
)
from tests.several_targets import NESTED

RECIPE = InputRecipe(image_size=32, normalise="inner", neighbours=1)


@pytest.fixture(scope="module")
def split(phantom_cohort: Cohort) -> Split:
    """The made-up patients, split by patient."""
    return make_split(phantom_cohort, "patient", 0)


def test_training_slices_with_lesion_of_different_patients(phantom_cohort: Cohort, split: Split) -> None:
    for seed in range(5):
        chosen = examples_to_show(phantom_cohort, split, np.random.default_rng(seed))
        assert len(chosen) == PATIENTS
        assert set(chosen) <= set(split.train.tolist())
        assert phantom_cohort.has_lesion()[chosen].all()
        patients = [phantom_cohort.table["patient"].iloc[phantom_cohort.case_of(number)[0]] for number in chosen]
        assert len(set(patients)) == PATIENTS


def test_split_by_slice_shows_training_slices_too(phantom_cohort: Cohort) -> None:
    by_slice = make_split(phantom_cohort, "slice", 0)
    chosen = examples_to_show(phantom_cohort, by_slice, np.random.default_rng(0))
    assert set(chosen) <= set(by_slice.train.tolist())


def test_no_lesion_to_show(phantom_cohort: Cohort, split: Split) -> None:
    empty = np.flatnonzero(~phantom_cohort.has_lesion())
    with pytest.raises(UserError, match="no training slice has a lesion"):
        examples_to_show(phantom_cohort, Split("patient", 0, empty, split.val, split.test), np.random.default_rng(0))


def test_views_are_what_training_sees(phantom_cohort: Cohort, split: Split) -> None:
    training = TrainingOptions(seed=3, sequence_dropout=0.5)
    rows = make_rows(phantom_cohort, split, RECIPE, training)
    numbers = examples_to_show(phantom_cohort, split, np.random.default_rng(3))
    dataset = SliceDataset(phantom_cohort, RECIPE, "standard", 0.5, 3)
    for row, number in zip(rows, numbers, strict=True):
        case, index = phantom_cohort.case_of(number)
        image, masks = row.views[0]
        assert np.array_equal(image, RECIPE.chain.view(phantom_cohort.images(case), index)[:, :, :3])
        assert np.array_equal(masks[TRUTH], RECIPE.chain.resize.fit_mask(phantom_cohort.masks(case)[index]))
        assert len(row.views) == 1 + EPOCHS
        for epoch, (image, masks) in enumerate(row.views[1:]):
            item = dataset[(epoch, number)]
            assert np.array_equal(image, item["image"][:, :, :3])
            assert np.array_equal(masks[TRUTH], item["mask"][..., 0])


def test_policy_none_changes_nothing(phantom_cohort: Cohort, split: Split) -> None:
    training = TrainingOptions(augmentation="none", sequence_dropout=0.0)
    for row in make_rows(phantom_cohort, split, RECIPE, training):
        assert all(np.array_equal(image, row.views[0][0]) for image, _ in row.views)
    assert policy_lines(training, LGG_TASK) == ["none: training slices are used unchanged"]


def test_transforms_are_named() -> None:
    lines = policy_lines(TrainingOptions(), LGG_TASK)
    assert lines[0].startswith("sequence dropout p=0.25")
    assert "HorizontalFlip p=0.5" in lines
    assert "VerticalFlip p=0.5" in policy_lines(TrainingOptions(augmentation="flips", sequence_dropout=0.0), LGG_TASK)


def test_outlines_are_drawn(phantom_cohort: Cohort, split: Split) -> None:
    rows = make_rows(phantom_cohort, split, RECIPE, TrainingOptions())
    sheet = draw_augmentation(rows, ["step"], 0, "the image", LGG_TASK.targets)
    tile = draw_outlines(*rows[0].views[0], 8)
    top, left = HEADER + COLUMN_TITLE + ROW_TITLE, MARGIN
    assert np.array_equal(sheet[top : top + 256, left : left + 256], tile)


def test_wrapping_keeps_every_step_and_fits() -> None:
    steps = [f"Transform{number} p=0.5" for number in range(12)]
    lines = wrap(steps, 500)
    assert len(lines) > 1
    assert all(step in " ".join(lines) for step in steps)
    assert all(text_width(line) <= 500 for line in lines)


def view(phantom_root: Path, cache_dir: Path, folder: Path, **changes: Any) -> Path:
    """Carry out `--view_aug` on the made-up patients."""
    values = {"root_dir": str(phantom_root), "cache_dir": str(cache_dir), "image_size": 32, "runs_dir": str(folder)}
    return view_augmentation(from_flat({**values, **changes}))


def test_file_is_seeded_and_in_its_place(phantom_root: Path, cache_dir: Path, tmp_path: Path) -> None:
    path = view(phantom_root, cache_dir, tmp_path)
    assert path == tmp_path / "single" / "figures" / "augmentation-standard-s0.png"
    again = view(phantom_root, cache_dir, tmp_path, output=str(tmp_path / "out"))
    assert again == tmp_path / "out" / "augmentation-standard-s0.png"
    assert path.read_bytes() == again.read_bytes()
    other = view(phantom_root, cache_dir, tmp_path, seed=1)
    assert not np.array_equal(cv2.imread(str(other)), cv2.imread(str(path)))


def test_a_model_with_a_scaling_of_its_own_is_shown_its_own_input(phantom_cohort: Cohort, split: Split) -> None:
    recipe = InputRecipe(32, "slice", 0)
    rows = make_rows(phantom_cohort, split, recipe, TrainingOptions(augmentation="none", sequence_dropout=0))
    number = examples_to_show(phantom_cohort, split, np.random.default_rng(0))[0]
    expected = SliceDataset(phantom_cohort, recipe)[(0, number)]["image"]
    for image, _masks in rows[0].views:
        assert image.shape == (32, 32, 3)
        assert (image == expected).all()


def test_the_sheet_is_of_the_model_that_is_asked_for(
    phantom_root: Path, cache_dir: Path, tmp_path: Path, phantom_cohort: Cohort
) -> None:
    sheets = []
    for model in ("unet", "fetal_unet"):
        given = {"model": model, "root_dir": str(phantom_root), "cache_dir": str(cache_dir), "image_size": 32}
        sheets.append(cv2.imread(str(view_augmentation(from_flat({**given, "output": str(tmp_path / model)})))))
    assert sheets[0].shape == sheets[1].shape
    assert (sheets[0] != sheets[1]).any()


def test_of_a_model_of_one_channel_no_sequence_is_dropped(
    phantom_root: Path, cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(augmentation_sheet, "write", lambda canvas, text, *rest, **more: written.append(text))
    for model, dropped in (("unet", True), ("fetal_unet", False)):
        written.clear()
        view(phantom_root, cache_dir, tmp_path, model=model)
        assert ("sequence dropout" in " ".join(written)) is dropped
        assert ("pre-contrast, FLAIR, post-contrast as red, green, blue" in " ".join(written)) is dropped


def test_other_tasks_than_one_lesion_on_three_sequences_are_shown_in_grey() -> None:
    """Four sequences are no colours, two would take a neighbour's slice for the third, and outlines would be lost."""
    view = np.arange(2 * 2 * 6, dtype=np.uint8).reshape(2, 2, 6)
    assert np.array_equal(shown_channels(view, LGG_TASK), view[:, :, :3])
    for task, channel, words in (
        (dataclasses.replace(LGG_TASK, sequences=("pre", "flair"), stand_ins={}), 1, "FLAIR"),
        (dataclasses.replace(LGG_TASK, sequences=("t1", "post", "t2", "flair"), stand_ins={}), 3, "FLAIR"),
        (dataclasses.replace(LGG_TASK, targets=NESTED), 1, "FLAIR"),
    ):
        grey = shown_channels(view, task)
        assert all(np.array_equal(grey[:, :, place], view[:, :, channel]) for place in range(3))
        assert legend_of(task) == words
    assert np.array_equal(shown_channels(view[:, :, :1], LGG_TASK)[:, :, 2], view[:, :, 0])
