"""The Lightning DataModule: batches of uint8 slices, whose order and augmentation follow from the seed alone.

Every random choice is drawn from (seed, epoch, slice), and of a slice that an epoch shows twice also from which draw it
is. So the number of workers changes nothing, no two epochs or
workers repeat each other, and a run that goes on after a crash sees what it would have seen.
"""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from headtohead import machine
from headtohead.batches.augmentation import augment, build_policy, drop_sequences, droppable
from headtohead.batches.sampling import LESION_WEIGHTED, CaseSampler, EpochSampler, Key, LesionWeightedSampler
from headtohead.batches.splits import Split
from headtohead.batches.turning import draw_turn, turn
from headtohead.cohort import Cohort
from headtohead.cohort.cases import PackedCases, cases_of
from headtohead.preparing.chain import viewed
from headtohead.preparing.recipe import BGR, InputRecipe
from headtohead.preparing.steps.resize import Resize

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision

Item = dict[str, np.ndarray]
"""One slice: see `SliceDataset.__getitem__`."""


class SliceDataset(Dataset[Item]):
    """Slices of a cohort as a model sees them."""

    def __init__(
        self,
        cohort: Cohort,
        recipe: InputRecipe,
        policy: str | None = None,
        sequence_dropout: float = 0.0,
        seed: int = 0,
        test_flips: bool = False,
    ) -> None:
        """Set up the view; without an augmentation policy, each slice is plain and has its truth on the source grid.

        With a policy, sequences are dropped as `drop_sequences` does. Without, `test_flips` turns a slice as
        `turning.draw_turn` draws it for (seed, slice).
        """
        self.cohort = cohort
        self.recipe = recipe
        self.policy = build_policy(policy) if policy else None
        self.sequence_dropout = sequence_dropout
        self.droppable = droppable(cohort.task, recipe.channel_order == BGR, recipe.shown)
        self.seed = seed
        self.test_flips = test_flips
        self.cases = cases_of(cohort, recipe)
        self.resize = next((step for step in self.cases.steps if isinstance(step, Resize)), None)

    def __getitem__(self, key: Key) -> Item:
        """Give one slice.

        Image uint8 [S, S, C] (float32 in units of 8 bits of a cohort of 16), statistics float32 [C, 2], mask uint8 {0,
        1} [S, S, K], case and slice int64; without a policy also truth uint8 or int32 [H, W], the label map on the
        source grid, which is never turned, and with `test_flips` turn int64, in which of eight ways image and mask
        were. Where whole volumes are prepared there is no truth: no slice alone can be brought onto the source grid.
        """
        _epoch, number, *_draw = key
        case, index = self.cohort.case_of(number)
        place = self.cases.place(case, index)
        labels = self.cases.labels(case)[place]
        view = viewed(self.cases.steps, self.cases.images(case), place)
        statistics = self.cases.statistics(case)
        item: Item = {"case": np.array(case), "slice": np.array(index)}
        mask = self._fit_mask(labels)
        if self.policy is None:
            if self.test_flips:
                item["turn"] = np.array(way := draw_turn(self.seed, number))
                view, mask = turn(view, way), turn(mask, way)
            if not self.recipe.whole:
                # PyTorch compares no numbers of uint16.
                item["truth"] = labels.astype(np.uint8 if labels.dtype == np.uint8 else np.int32)
            return item | {"image": view, "statistics": statistics, "mask": mask}
        rng = np.random.default_rng((self.seed, *key))
        view, statistics = drop_sequences(view, statistics, self.sequence_dropout, rng, self.droppable)
        # One stream for all transforms: each with the same seed would draw the same numbers as the others.
        self.policy.set_random_state(rng, random.Random(int(rng.integers(2**31))))
        view, mask = augment(self.policy, view, mask)
        return item | {"image": view, "statistics": statistics, "mask": mask}

    def mask(self, number: int) -> np.ndarray:
        """Give the mask of one slice by its global number, not augmented: uint8 {0, 1} [S, S, K]."""
        case, index = self.cohort.case_of(number)
        return self._fit_mask(self.cases.labels(case)[self.cases.place(case, index)])

    def _fit_mask(self, labels: np.ndarray) -> np.ndarray:
        fit = self.resize.fit_mask if self.resize else np.uint8
        return np.stack([fit(channel) for channel in self.cohort.task.targets.encode(labels)], axis=-1)


def view_in_bytes(view: np.ndarray) -> np.ndarray:
    """Give the image of an `Item`, uint8 or float32 in units of 8 bits, as it is drawn: uint8 [S, S, C]."""
    return view if view.dtype == np.uint8 else np.rint(view).clip(0, 255).astype(np.uint8)


class Loader(DataLoader[Item]):
    """Batches whose workers begin when the first one is asked for.

    Lightning starts the iteration of a resumed training before it tells the epoch: workers that began at once would
    prepare the first epoch again.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        yield from super().__iter__()


class SliceDataModule(pl.LightningDataModule):
    """Training, validation and test batches of one split of a cohort.

    Only training is augmented, unless `test_flips` asks for the old protocol's fault.
    """

    def __init__(
        self,
        cohort: Cohort,
        split: Split,
        recipe: InputRecipe,
        *,
        batch_size: int,
        augmentation: str = "none",
        sequence_dropout: float = 0.0,
        empty_slices: float = 1.0,
        sampling: str = "shuffled",
        test_flips: bool = False,
        seed: int = 0,
        num_workers: int = -1,
    ) -> None:
        """Set up the loaders; see `options.TrainingOptions` for the meaning of the settings."""
        super().__init__()
        self.cohort, self.split, self.recipe = cohort, split, recipe
        self.batch_size, self.empty_slices, self.sampling, self.seed = batch_size, empty_slices, sampling, seed
        self.augmentation, self.sequence_dropout = augmentation, sequence_dropout
        self.num_workers, self.test_flips = num_workers, test_flips

    def train_dataloader(self) -> Loader:
        """Batches drawn as `sampling` says, augmented; no truth on the source grid."""
        dataset = SliceDataset(self.cohort, self.recipe, self.augmentation, self.sequence_dropout, self.seed)
        return self._loader(dataset, self.training_sampler(dataset.cases))

    def training_sampler(self, cases: PackedCases) -> EpochSampler:
        """Draw the slices of an epoch as `sampling` says."""
        slices = cases.shown(self.split.train)
        if self.sampling == LESION_WEIGHTED:
            patients = self.cohort.patients()[slices]
            return LesionWeightedSampler(slices, patients, cases.areas(slices), self.batch_size, self.seed)
        return EpochSampler(slices, cases.has_lesion(slices), self.empty_slices, self.batch_size, self.seed)

    def val_dataloader(self) -> Loader:
        """Validation slices in order, as they are (but for `test_flips`)."""
        return self._scoring_loader(self.split.val)

    def test_dataloader(self) -> Loader:
        """Test slices in order, as they are (but for `test_flips`)."""
        return self._scoring_loader(self.split.test)

    def _scoring_loader(self, slices: np.ndarray) -> Loader:
        dataset = SliceDataset(self.cohort, self.recipe, seed=self.seed, test_flips=self.test_flips)
        return self._loader(dataset, CaseSampler(self.cohort, dataset.cases.shown(slices), self.batch_size))

    def _loader(self, dataset: SliceDataset, sampler: Sampler[list[Key]]) -> Loader:
        on_gpu = self.trainer is not None and self.trainer.strategy.root_device.type == "cuda"
        workers = self.num_workers
        if workers < 0:
            # Preparing a slice takes under a millisecond: on a CPU the net needs every core more.
            workers = min(8, machine.usable_cores() - 1) if on_gpu else 0
        return Loader(
            dataset, batch_sampler=sampler, num_workers=workers, pin_memory=on_gpu, persistent_workers=workers > 0
        )
