"""What a real training is shown: every epoch something else, and after a resume what would have come."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.batches.datamodule import SliceDataModule
from headtohead.batches.splits import make_split
from headtohead.cohort import Cohort
from headtohead.learning.callbacks import checkpoints
from headtohead.learning.module import SegmentationModule, pl
from headtohead.preparing.recipe import InputRecipe

Seen = dict[int, list[tuple[int, int, int]]]


class Witness(pl.Callback):
    """Notes case, slice and sum of pixels of everything trained on, epoch by epoch."""

    def __init__(self) -> None:
        self.seen: Seen = {}

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        sums = batch["image"].sum(dim=(1, 2, 3))
        rows = torch.stack([batch["case"], batch["slice"], sums], dim=1).tolist()
        self.seen.setdefault(trainer.current_epoch, []).extend(tuple(row) for row in rows)


def train(cohort: Cohort, folder: Path, epochs: int, workers: int = 0, resume: bool = False) -> Seen:
    """Train a net of two channels with half of the empty slices; give what it saw."""
    recipe = InputRecipe(32, "inner", 0)
    batches = SliceDataModule(
        cohort,
        make_split(cohort, "patient", 0),
        recipe,
        batch_size=16,
        augmentation="standard",
        sequence_dropout=0.5,
        empty_slices=0.5,
        num_workers=workers,
    )
    module = SegmentationModule(
        model="buda",
        width=2,
        in_channels=3,
        recipe=recipe.to_dict(),
        threshold=0.5,
        cases=len(cohort),
        learning_rate=0.01,
    )
    witness = Witness()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        callbacks=[witness, *checkpoints(folder)],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    last = str(folder / "last.ckpt") if resume else None
    trainer.fit(module, batches, ckpt_path=last, weights_only=True)
    return witness.seen


@pytest.fixture(scope="module")
def seen(phantom_cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return train(phantom_cohort, tmp_path_factory.mktemp("whole"), epochs=3)


def test_epochs_differ_in_order_and_in_pixels(seen: Seen) -> None:
    assert list(seen) == [0, 1, 2]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert [row[:2] for row in seen[one]] != [row[:2] for row in seen[other]]
        pixels = [{row[:2]: row[2] for row in seen[epoch]} for epoch in (one, other)]
        shared = pixels[0].keys() & pixels[1].keys()
        assert np.mean([pixels[0][key] != pixels[1][key] for key in shared]) > 0.7


def test_each_epoch_draws_other_lesion_free_slices(seen: Seen, phantom_cohort: Cohort) -> None:
    has_lesion = phantom_cohort.has_lesion()
    empty = [
        {row[:2] for row in rows if not has_lesion[phantom_cohort.slices_of(row[0])[row[1]]]} for rows in seen.values()
    ]
    assert len(empty[0]) == len(empty[1]) == len(empty[2]) > 0
    assert empty[0] != empty[1] != empty[2]


def test_workers_see_the_same(seen: Seen, phantom_cohort: Cohort, tmp_path: Path) -> None:
    assert train(phantom_cohort, tmp_path, epochs=2, workers=2) == {epoch: seen[epoch] for epoch in (0, 1)}


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_training_sees_what_would_have_come(
    workers: int, seen: Seen, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    train(phantom_cohort, tmp_path, epochs=1)
    resumed = train(phantom_cohort, tmp_path, epochs=3, workers=workers, resume=True)
    assert resumed == {epoch: seen[epoch] for epoch in (1, 2)}
