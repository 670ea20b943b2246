"""The epoch table and the two checkpoints, in trainings whose Dice is made up."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

from headtohead.errors import UserError
from headtohead.learning.callbacks import EpochTable, WholeFiles, checkpoints
from headtohead.learning.module import pl

NAN = float("nan")
COLUMNS = ["epoch", "train_loss", "train_dice", "val_loss", "val_dice", "learning_rate", "seconds"]


class Scripted(pl.LightningModule):
    """One weight; its validation Dice follows a script, and it may fail at the start of an epoch."""

    def __init__(self, dice: list[float], fail_at: int | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.dice, self.fail_at = dice, fail_at

    def training_step(self, batch: torch.Tensor, _: int) -> torch.Tensor:
        if self.current_epoch == self.fail_at:
            raise RuntimeError("killed")
        loss = (self.weight - 1).square().sum()
        self.log("loss/train", loss, on_step=False, on_epoch=True, batch_size=1)
        return loss

    def validation_step(self, batch: torch.Tensor, _: int) -> None:
        self.log("loss/val", torch.tensor(0.5), batch_size=1)

    def on_validation_epoch_end(self) -> None:
        self.log("dice/train", torch.tensor(0.25))
        self.log("dice/val", torch.tensor(self.dice[self.current_epoch]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(make_trainer: Any, folder: Path, module: Scripted, resume: bool = False, say: bool = False) -> pl.Trainer:
    callbacks = [EpochTable(folder / "metrics.csv", "unet-none-s0-f0", say), *checkpoints(folder / "checkpoints")]
    trainer = make_trainer(max_epochs=len(module.dice), callbacks=callbacks, enable_checkpointing=True)
    data = DataLoader(torch.zeros(2, 1))
    last = str(folder / "checkpoints" / "last.ckpt") if resume else None
    trainer.fit(module, data, data, ckpt_path=last, weights_only=True)
    return trainer


def best_epoch(folder: Path) -> int:
    return torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["epoch"]


def test_one_row_an_epoch(make_trainer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(make_trainer, tmp_path, Scripted([0.1, 0.2, 0.3]), say=True)
    table = pd.read_csv(tmp_path / "metrics.csv")
    assert list(table.columns) == COLUMNS
    assert table["epoch"].tolist() == [0, 1, 2]
    assert table["val_dice"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert table["train_dice"].tolist() == [0.25] * 3
    assert table["val_loss"].tolist() == [0.5] * 3
    assert table["learning_rate"].tolist() == [0.1] * 3
    assert table["train_loss"].is_monotonic_decreasing and table["train_loss"].notna().all()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("unet-none-s0-f0: epoch")]
    assert len(lines) == 3
    assert lines[2].startswith("unet-none-s0-f0: epoch 3/3") and "val 0.300" in lines[2]


def test_says_nothing_beside_a_progress_bar(
    make_trainer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(make_trainer, tmp_path, Scripted([0.1]))
    assert "epoch" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("dice", "best"),
    [([0.1, 0.3, 0.2], 1), ([0.3, 0.2, 0.1], 0), ([0.2, 0.2, 0.2], 0), ([NAN, 0.1, NAN], 1), ([NAN, NAN], 0)],
)
def test_best_is_that_of_validation(make_trainer: Any, tmp_path: Path, dice: list[float], best: int) -> None:
    fit(make_trainer, tmp_path, Scripted(dice))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    assert best_epoch(tmp_path) == best
    last = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["epoch"] == len(dice) - 1


def test_only_the_last_has_what_a_training_needs_to_go_on(make_trainer: Any, tmp_path: Path) -> None:
    fit(make_trainer, tmp_path, Scripted([0.1, 0.2]))
    best, last = (torch.load(tmp_path / "checkpoints" / f"{one}.ckpt", weights_only=True) for one in ("best", "last"))
    assert last["optimizer_states"] and "optimizer_states" not in best
    assert best["state_dict"].keys() == last["state_dict"].keys() == {"weight"}


@pytest.mark.parametrize("moved", [False, True])
def test_a_resumed_training_knows_the_rows_and_the_best_so_far(make_trainer: Any, tmp_path: Path, moved: bool) -> None:
    dice, folder = [0.1, 0.9, 0.2, 0.3], tmp_path / "run"
    with pytest.raises(RuntimeError, match="killed"):
        fit(make_trainer, folder, Scripted(dice, fail_at=2))
    if moved:
        folder = folder.rename(tmp_path / "moved")
    fit(make_trainer, folder, Scripted(dice), resume=True)
    assert best_epoch(folder) == 1
    assert pd.read_csv(folder / "metrics.csv")["epoch"].tolist() == [0, 1, 2, 3]
    fit(make_trainer, tmp_path / "whole", Scripted(dice))
    weights = [torch.load(one / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]["weight"]
               for one in (folder, tmp_path / "whole")]  # fmt: skip
    assert torch.equal(*weights)
    tables = [pd.read_csv(one / "metrics.csv").drop(columns="seconds") for one in (folder, tmp_path / "whole")]
    pd.testing.assert_frame_equal(*tables)


def test_a_copy_goes_on_without_touching_the_original(make_trainer: Any, tmp_path: Path) -> None:
    dice = [0.1, 0.2, 0.9]
    with pytest.raises(RuntimeError, match="killed"):
        fit(make_trainer, tmp_path / "run", Scripted(dice, fail_at=2))
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    fit(make_trainer, tmp_path / "copy", Scripted(dice), resume=True)
    assert (best_epoch(tmp_path / "run"), best_epoch(tmp_path / "copy")) == (1, 2)


def test_a_checkpoint_that_cannot_be_written_whole_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"epoch": 1}, path)

    def full_disk(self: Path, content: Any) -> None:
        with self.open("wb") as file:
            file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(UserError, match=r"no space left on .* for .*last\.ckpt"):
        WholeFiles().save_checkpoint({"epoch": 2}, path)
    monkeypatch.undo()
    assert torch.load(path, weights_only=True) == {"epoch": 1}
    assert list(tmp_path.iterdir()) == [path]
