"""How many slices a second a net learns from, and how many it segments."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from headtohead import machine

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision

Given = TypeVar("Given")


class Pace(pl.Callback):
    """Counts the slices of training and the seconds that they take, without validation, over all epochs of a run.

    Both travel in the checkpoint, so that a resumed run knows those of the epochs before.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.slices, self.seconds, self.started = 0, 0.0, 0.0
        self.here = 0

    def state_dict(self) -> dict[str, Any]:
        """What was counted so far."""
        return {"slices": self.slices, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what was counted before."""
        self.slices, self.seconds = state_dict["slices"], state_dict["seconds"]

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started, self.here = time.perf_counter(), 0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count the batch; with the last one the clock stops."""
        self.here += len(batch["mask"])
        if trainer.is_last_batch:
            if pl_module.device.type == "cuda":
                torch.cuda.synchronize()
            self.slices += self.here
            self.seconds += time.perf_counter() - self.started

    @property
    def slices_per_second(self) -> float | None:
        """Of the whole training; None where nothing was counted."""
        return _per_second(self.slices, self.seconds)


class PaceOfTest:
    """Times a test without what is done between its slices, such as scoring."""

    def __init__(self) -> None:
        """Start the clock."""
        self.started, self.spared = time.perf_counter(), 0.0

    def spare(self, work: Callable[..., Given]) -> Callable[..., Given]:
        """Give `work` so that the seconds it takes do not count."""

        def timed(*given: Any, **named: Any) -> Given:
            begun = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.spared += time.perf_counter() - begun

        return timed

    def slices_per_second(self, slices: int) -> float | None:
        """Stop the clock: so many slices were segmented."""
        return _per_second(slices, time.perf_counter() - self.started - self.spared)


def _per_second(slices: int, seconds: float) -> float | None:
    return round(slices / seconds, 2) if slices and seconds > 0 else None
