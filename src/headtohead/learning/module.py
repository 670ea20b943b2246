"""The LightningModule: scales uint8 batches on the device, learns, and counts per case."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from headtohead import machine
from headtohead.errors import UserError
from headtohead.learning.callbacks import VAL_DICE
from headtohead.learning.counts import DeviceCounts, to_source_grid, turned_back
from headtohead.learning.deciding import activate, decide_targets, encode
from headtohead.learning.fine_tuning import PLAIN
from headtohead.learning.losses.levels import loss_of_levels
from headtohead.learning.losses.training_loss import TrainingLoss
from headtohead.learning.recording import CaseRecorder
from headtohead.learning.schedules import build_optimizer, build_schedule
from headtohead.learning.whole_cases import Restore, WholeCases
from headtohead.models.parts import DEEP_HEADS
from headtohead.models.registry import build_model
from headtohead.preparing.recipe import InputRecipe
from headtohead.preparing.steps.scale import CLIP
from headtohead.scoring.counts import mean_dice, mean_over_targets, target_dice
from headtohead.task import Target, Targets

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision

Batch = dict[str, torch.Tensor]
LESION = Targets((Target("lesion", (1,)),))


class SegmentationModule(pl.LightningModule):
    """Any registered model under the harness's loss, schedules and scores.

    Its hyperparameters are plain data and hold all that prediction needs: model, width, channels, recipe, targets and
    threshold.
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
        targets: dict[str, Any] | None = None,
        arguments: Sequence[str] = (),
        loss: str = "bce_dice",
        pos_weight: list[float] | None = None,
        deep_supervision: bool = False,
    ) -> None:
        """Build the net.

        `cases` is the number of cases of the cohort, whose indices batches carry; `targets` says what is segmented, as
        plain data, and without it one region of label 1; `loss` and `pos_weight` are as for `TrainingLoss`; `arguments`
        are those of a net that is no row of the table.
        """
        super().__init__()
        self.save_hyperparameters(logger=False, ignore=() if arguments else ("arguments",))
        self.recipe = InputRecipe(**recipe)
        self.targets = Targets.from_dict(targets) if targets else LESION
        self.loss = TrainingLoss(loss, pos_weight)
        self.model = build_model(
            model, in_channels, width, encoder_weights, self.targets.logits, arguments, deep_supervision
        )
        self.counts = DeviceCounts(cases, len(self.targets))
        self.train_counts = DeviceCounts(cases, len(self.targets))
        self.memory_format = torch.contiguous_format
        self.recorder: CaseRecorder | None = None
        self.whole: WholeCases | None = None
        self.fine_tuning = PLAIN
        self.loss_so_far: torch.Tensor | float = 0.0

    def forward(self, image: torch.Tensor, statistics: torch.Tensor) -> torch.Tensor:
        """Map uint8 [B, S, S, C] and statistics float32 [B, C, 2] to logits float32 [B, logits, S, S]."""
        return self.levels(image, statistics)[0]

    def levels(self, image: torch.Tensor, statistics: torch.Tensor) -> list[torch.Tensor]:
        """Give the logits, and in training under deep supervision those of lower levels after them."""
        scaled = scale_batch(image, statistics, math.inf if self.recipe.standardised else CLIP)
        answer = self.model(scaled.contiguous(memory_format=self.memory_format))
        return [logits.float() for logits in (answer if isinstance(answer, list) else [answer])]

    def learned(self) -> int:
        """Count the weights that are trained of the net that predicts, without heads that only the training asks."""
        deep = self.hparams["deep_supervision"]
        named = (one for one in self.model.named_parameters() if not (deep and one[0].startswith(DEEP_HEADS)))
        return sum(weight.numel() for _, weight in named if weight.requires_grad)

    def arrange(self, memory_format: torch.memory_format) -> None:
        """Lay the net's weights and inputs out in memory as runs fastest on this machine."""
        self.memory_format = memory_format
        self.model.to(memory_format=memory_format)  # type: ignore[call-overload]

    def restore_with(self, restore: Restore, labels: Callable[[int], np.ndarray]) -> None:
        """Score whole cases, as inputs that are prepared as volumes need it; see `WholeCases`."""
        self.whole = WholeCases(restore, labels, self._score)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Learn from one batch; nothing here waits for the device."""
        levels = self.levels(batch["image"], batch["statistics"])
        logits, mask = levels[0], batch["mask"].movedim(3, 1)
        loss = loss_of_levels(self.loss, levels, mask)
        with torch.no_grad():
            self.loss_so_far = self.loss_so_far + loss.detach()
            self.train_counts.add(self._predict(activate(logits, self.targets)), mask.bool(), batch["case"])
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self.log("learning_rate", rate, on_step=True, on_epoch=False, batch_size=len(mask))
        # `EpochTable` logs it: Lightning would do so after the checkpoint of the epoch, too late if it is killed.
        self.log("loss/train", loss, on_step=False, on_epoch=True, batch_size=len(mask), prog_bar=True, logger=False)
        return loss

    def on_train_epoch_start(self) -> None:
        """Reset the counts; freeze or thaw what the epoch asks for."""
        self.train_counts.reset()
        self.loss_so_far = 0.0
        self.fine_tuning.arrange(self.model, self.current_epoch)

    def validation_step(self, batch: Batch, _: int) -> None:
        """Count one batch on the source grid."""
        logits = self._count(batch)
        loss = self.loss(logits, batch["mask"].movedim(3, 1))
        self.log("loss/val", loss, on_epoch=True, batch_size=len(logits))

    def on_validation_epoch_start(self) -> None:
        """Reset the counts. A net that has become useless is judged, and kept, no more.

        Raises:
            UserError: the loss of the training epoch that is just over, or a weight, is not a finite number.
        """
        self.counts.reset()
        finite = math.isfinite(self.loss_so_far)
        if not (finite and all(bool(weight.isfinite().all()) for weight in self.model.parameters())):
            raise UserError(f"loss is not a number in epoch {self.current_epoch + 1}; give less `learning_rate`")

    def on_validation_epoch_end(self) -> None:
        """Log the primary Dice per case, which in validation chooses the checkpoint, and that of each target.

        The training's is of augmented slices on the model's grid. It is logged here, where its epoch is just over.
        """
        self._log_dice("dice/train", self.train_counts)
        if self.whole:
            self.whole.close()
        for name, score in self._log_dice("dice/val", self.counts).items():
            self.log(f"{VAL_DICE}{name}", score)

    def test_step(self, batch: Batch, _: int) -> None:
        """Count one batch on the source grid, and record it where a recorder is set."""
        self._count(batch)

    def on_test_epoch_start(self) -> None:
        """Reset the counts."""
        self.counts.reset()

    def on_test_epoch_end(self) -> None:
        """Log Dice per case; the experiment reads the counts themselves. Hand on the last case."""
        if self.whole:
            self.whole.close()
        if self.recorder:
            self.recorder.close()
        self._log_dice("dice/test", self.counts)

    def configure_optimizers(self) -> Any:
        """Build the optimiser and, once, its schedule."""
        rate = self.hparams["learning_rate"]
        optimizer = build_optimizer(self.hparams["optimizer"], self.fine_tuning.groups(self.model, rate), rate)
        steps, epochs = int(self.trainer.estimated_stepping_batches), self.trainer.max_epochs or 1
        schedule = build_schedule(self.hparams["lr_scheduler"], optimizer, steps, epochs)
        return optimizer if schedule is None else {"optimizer": optimizer, "lr_scheduler": schedule}

    def _count(self, batch: Batch) -> torch.Tensor:
        """Give the logits of a batch; its slices are scored on the source grid, or wait for the rest of their case."""
        logits = self(batch["image"], batch["statistics"])
        probability = activate(logits, self.targets)
        if "turn" in batch:
            probability = turned_back(probability, batch["turn"])
        if self.whole:
            self.whole.add(batch["case"], probability)
        else:
            self._score(to_source_grid(probability, *batch["truth"].shape[1:]), batch["truth"], batch["case"])
        return logits

    def _score(self, probability: torch.Tensor, truth: torch.Tensor, case: torch.Tensor) -> None:
        """Count slices on the source grid, and record them where a recorder is set, as a test does."""
        prediction = self._predict(probability)
        self.counts.add(*(one.to(self.device) for one in (prediction, encode(truth, self.targets), case)))
        if self.recorder:
            self.recorder.add(case, prediction, probability)

    def _predict(self, probability: torch.Tensor) -> torch.Tensor:
        return decide_targets(probability, self.targets, self.hparams["threshold"])

    def _log_dice(self, tag: str, counts: DeviceCounts) -> dict[str, float]:
        """Log the primary score; of several targets, give the mean Dice of each."""
        scores = target_dice(counts.table())
        self.log(tag, mean_dice(mean_over_targets(scores)), prog_bar=True)
        if len(self.targets) == 1:
            return {}
        return {name: mean_dice(own) for name, own in zip(self.targets.names, scores.T, strict=True)}


def scale_batch(image: torch.Tensor, statistics: torch.Tensor, clip: float = CLIP) -> torch.Tensor:
    """Scale uint8 [B, S, S, C] on its device to float32 [B, C, S, S], as `preparing.steps.scale.scaled` does one slice.

    Statistics are float32 [B, C, 2], (centre, scale) per slice and channel. The memory is channels last, as the batch
    came. Scaled values are kept within `clip` deviations.
    """
    centre, spread = statistics[:, None, None].unbind(dim=-1)
    return ((image.float() - centre) / spread).clamp(-clip, clip).permute(0, 3, 1, 2)
