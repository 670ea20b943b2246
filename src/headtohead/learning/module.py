"""The LightningModule: scales uint8 batches on the device, learns, and counts per case."""

from typing import Any

import torch

from headtohead import machine
from headtohead.batches.recipe import CLIP, InputRecipe
from headtohead.learning.counts import DeviceCounts, to_source_grid, turned_back
from headtohead.learning.losses import bce_dice_loss
from headtohead.learning.recording import CaseRecorder
from headtohead.learning.schedules import build_optimizer, build_schedule
from headtohead.models.registry import build_model

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision

Batch = dict[str, torch.Tensor]


class SegmentationModule(pl.LightningModule):
    """Any registered model under the harness's loss, schedules and scores.

    Its hyperparameters are plain data and hold all that prediction needs: model, width, channels, recipe, threshold.
    """

    def __init__(
        self,
        *,
        model: str,
        width: int,
        in_channels: int,
        recipe: dict[str, Any],
        threshold: float,
        cases: int,
        learning_rate: float,
        optimizer: str = "adamax",
        lr_scheduler: str = "none",
        encoder_weights: str = "none",
    ) -> None:
        """Build the net; `cases` is the number of cases of the cohort, whose indices batches carry."""
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.recipe = InputRecipe(**recipe)
        self.model = build_model(model, in_channels, width=width, encoder_weights=encoder_weights)
        self.counts = DeviceCounts(cases)
        self.train_counts = DeviceCounts(cases)
        self.memory_format = torch.contiguous_format
        self.recorder: CaseRecorder | None = None

    def forward(self, image: torch.Tensor, statistics: torch.Tensor) -> torch.Tensor:
        """Map uint8 [B, S, S, C] and statistics float32 [B, C, 2] to logits float32 [B, 1, S, S]."""
        return self.model(scale(image, statistics).contiguous(memory_format=self.memory_format)).float()

    def arrange(self, memory_format: torch.memory_format) -> None:
        """Lay the net's weights and inputs out in memory as runs fastest on this machine."""
        self.memory_format = memory_format
        self.model.to(memory_format=memory_format)  # type: ignore[call-overload]

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Learn from one batch; nothing here waits for the device."""
        logits = self(batch["image"], batch["statistics"])
        mask = batch["mask"][:, None]
        loss = bce_dice_loss(logits, mask.float())
        with torch.no_grad():
            self.train_counts.add(logits[:, 0].sigmoid() >= self.hparams["threshold"], mask[:, 0].bool(), batch["case"])
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.log("learning_rate", rate, on_step=True, on_epoch=False, batch_size=len(mask))
        # `EpochTable` logs it: Lightning would do so after the checkpoint of the epoch, too late if it is killed.
        self.log("loss/train", loss, on_step=False, on_epoch=True, batch_size=len(mask), prog_bar=True, logger=False)
        return loss

    def on_train_epoch_start(self) -> None:
        """Reset the counts."""
        self.train_counts.reset()

    def validation_step(self, batch: Batch, _: int) -> None:
        """Count one batch on the source grid."""
        logits, _probability = self._count(batch)
        loss = bce_dice_loss(logits, batch["mask"][:, None].float())
        self.log("loss/val", loss, on_epoch=True, batch_size=len(logits))

    def on_validation_epoch_start(self) -> None:
        """Reset the counts."""
        self.counts.reset()

    def on_validation_epoch_end(self) -> None:
        """Log Dice per case; the best of validation chooses the checkpoint.

        The training's is of augmented slices on the model's grid. It is logged here, where its epoch is just over.
        """
        self.log("dice/train", self.train_counts.scores().mean_dice(), prog_bar=True)
        self.log("dice/val", self.counts.scores().mean_dice(), prog_bar=True)

    def test_step(self, batch: Batch, _: int) -> None:
        """Count one batch on the source grid, and record it where a recorder is set."""
        _logits, probability = self._count(batch)
        if self.recorder:
            prediction = probability >= self.hparams["threshold"]
            self.recorder.add(batch["case"], prediction, probability)

    def on_test_epoch_start(self) -> None:
        """Reset the counts."""
        self.counts.reset()

    def on_test_epoch_end(self) -> None:
        """Log Dice per case; the experiment reads the counts themselves. Hand on the last case."""
        if self.recorder:
            self.recorder.close()
        self.log("dice/test", self.counts.scores().mean_dice())

    def configure_optimizers(self) -> Any:
        """Build the optimiser and, once, its schedule."""
        optimizer = build_optimizer(self.hparams["optimizer"], self.parameters(), self.hparams["learning_rate"])
        steps, epochs = int(self.trainer.estimated_stepping_batches), self.trainer.max_epochs or 1
        schedule = build_schedule(self.hparams["lr_scheduler"], optimizer, steps, epochs)
        return optimizer if schedule is None else {"optimizer": optimizer, "lr_scheduler": schedule}

    def _count(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the logits, and the probability on the source grid."""
        logits = self(batch["image"], batch["statistics"])
        truth = batch["truth"].bool()
        probability = logits[:, 0].sigmoid()
        if "turn" in batch:
            probability = turned_back(probability, batch["turn"])
        probability = to_source_grid(probability, *truth.shape[1:])
        self.counts.add(probability >= self.hparams["threshold"], truth, batch["case"])
        return logits, probability


def scale(image: torch.Tensor, statistics: torch.Tensor) -> torch.Tensor:
    """Scale a uint8 batch on its device, as `InputRecipe.scale` does one slice.

    Args:
        image: uint8 [B, S, S, C].
        statistics: float32 [B, C, 2], (centre, scale) per slice and channel.

    Returns:
        float32 [B, C, S, S]; its memory is channels last, as the batch came.
    """
    centre, spread = statistics[:, None, None].unbind(dim=-1)
    return ((image.float() - centre) / spread).clamp(-CLIP, CLIP).permute(0, 3, 1, 2)
