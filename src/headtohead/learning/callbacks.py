"""What happens beside the learning: the epoch table, the lines in a log, the checkpoints."""

import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from headtohead import machine
from headtohead.saving import write_streamed, write_table

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision
from pytorch_lightning.callbacks import ModelCheckpoint  # noqa: E402
from pytorch_lightning.plugins.io import TorchCheckpointIO  # noqa: E402

COLUMNS = {
    "train_loss": "loss/train",
    "train_dice": "dice/train",
    "val_loss": "loss/val",
    "val_dice": "dice/val",
}
VAL_DICE = "dice/val/"
"""Before the name of a target, the tag of its Dice; the module logs it where there are several."""


def val_dice_of(target: str) -> str:
    """Name the column of metrics.csv with the Dice of one target of several."""
    return f"val_dice {target}"


class EpochTable(pl.Callback):
    """Writes metrics.csv, one row an epoch, says each epoch in a line, and logs the training loss.

    All of it is there before the checkpoint of the epoch is; its rows travel in the checkpoint.
    """

    def __init__(self, path: Path, name: str, say: bool) -> None:
        """Write to `path`; where `say`, print a line per epoch under the experiment's `name`."""
        self.path, self.name, self.say = path, name, say
        self.rows: list[dict[str, float]] = []
        self.started = 0.0

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, so that a resumed run has the whole table."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows of the checkpoint."""
        self.rows = list(state_dict["rows"])

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the epoch's row."""
        values = {column: float(trainer.callback_metrics.get(tag, float("nan"))) for column, tag in COLUMNS.items()}
        for tag in trainer.callback_metrics:
            if tag.startswith(VAL_DICE):
                values[val_dice_of(tag.removeprefix(VAL_DICE))] = float(trainer.callback_metrics[tag])
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        row = {"epoch": trainer.current_epoch, **values, "learning_rate": rate}
        self.rows.append({**row, "seconds": round(time.monotonic() - self.started, 2)})
        if trainer.is_global_zero:
            write_table(self.path, pd.DataFrame(self.rows))
        for logger in trainer.loggers:
            step = trainer.global_step - 1  # that of the epoch's other points
            logger.log_metrics({COLUMNS["train_loss"]: values["train_loss"]}, step)
            logger.save()
        if self.say and trainer.is_global_zero:
            scores = (
                f"loss {values['train_loss']:.3f}  Dice train {values['train_dice']:.3f} val {values['val_dice']:.3f}"
            )
            epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            print(f"{self.name}: {epoch}  {scores}  {self.rows[-1]['seconds']:.0f} s", flush=True)


class BestCheckpoint(ModelCheckpoint):
    """Remembers the best epoch also where the run folder was moved or copied before the training went on."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the best so far; Lightning would forget it in a folder of another name."""
        assert self.dirpath is not None
        here = str(Path(self.dirpath) / f"{self.filename}{self.FILE_EXTENSION}")
        places = {"dirpath": self.dirpath, "best_model_path": here, "kth_best_model_path": here}
        best = {here: state_dict["best_model_score"]} if state_dict["best_k_models"] else {}
        super().load_state_dict({**state_dict, **places, "best_k_models": best})


class WholeFiles(TorchCheckpointIO):
    """Writes a checkpoint beside its target and renames it; Lightning's own way copies it from the system's /tmp."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Save as PyTorch does, in one step; it lasts."""
        write_streamed(Path(path), lambda stream: torch.save(checkpoint, stream), lasting=True)


def checkpoints(folder: Path) -> list[ModelCheckpoint]:
    """Keep the best epoch by validation Dice per case, and the last to resume from, in that order.

    The order matters: `last` is written after `best` was judged, so a resumed run knows the best so far. Only `last`
    has the optimiser's state, of up to twice the size of the weights: nothing goes on from `best`.
    """
    best = BestCheckpoint(
        folder,
        "best",
        monitor="dice/val",
        mode="max",
        save_top_k=1,
        save_weights_only=True,
        enable_version_counter=False,
        auto_insert_metric_name=False,
    )
    last = ModelCheckpoint(folder, "last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False)
    return [best, last]
