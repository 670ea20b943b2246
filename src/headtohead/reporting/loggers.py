"""The curves of a training in the files of other tools, beside or in place of TensorBoard's: whole after any kill.

What was logged travels in the checkpoint. A training that goes on drops what a logger wrote before, since that may
hold points of an epoch that is repeated, and tells it all again; so no point is there twice, and none is lost. Nothing
is sent: MLflow writes into a folder of the run, and Weights & Biases works offline.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from headtohead import machine
from headtohead.options.training import TENSORBOARD
from headtohead.reporting.tensorboard import RunLogger
from headtohead.saving import remove_folder

machine.mend_torchvision()

import pytorch_lightning as pl  # noqa: E402  imports torchvision
from pytorch_lightning.loggers import CSVLogger, Logger  # noqa: E402

FOLDER = "loggers"
"""In the run folder: one folder a logger."""

Point = tuple[int, dict[str, float]]
"""Step, and values by their tags."""

OFFLINE = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off", "WANDB_DISABLE_GIT": "true"}
"""Set whatever the user's environment says."""


class _NamelessLogger(Logger):
    """A logger that Lightning need not ask where it writes, nor tell settings."""

    @property
    def name(self) -> str:
        """None: its folder is known, if it has one."""
        return ""

    @property
    def version(self) -> str:
        """None."""
        return ""

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """Nothing: those that take settings get all of them when they are opened."""


class LateLogger(_NamelessLogger):
    """A logger that is opened when the training begins, once it is known what was logged before."""

    def __init__(self, folder: Path, make: Callable[[Path], Logger], close: Callable[[Logger], None]) -> None:
        """Write into `folder` with the logger that `make` opens there; `close` ends it."""
        super().__init__()
        self.folder, self.make, self.close = folder, make, close
        self.opened: Logger | None = None

    def begin(self, points: Sequence[Point]) -> None:
        """Log what holds of what an earlier process logged; `make` has made away with the rest."""
        self.opened = self.make(self.folder)
        for step, values in points:
            self.opened.log_metrics(dict(values), step)
        self.opened.save()

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Log a point."""
        if self.opened:
            self.opened.log_metrics(dict(metrics), step)

    def save(self) -> None:
        """Write what waits."""
        if self.opened:
            self.opened.save()

    def finalize(self, status: str) -> None:
        """Write the rest and close; it may be called twice."""
        if self.opened:
            self.opened.finalize(status)
            self.close(self.opened)
            self.opened = None


class History(pl.Callback, _NamelessLogger):
    """Remembers what is logged, in the checkpoint; as the training begins, tells it to the loggers that begin anew."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[Point] = []

    def state_dict(self) -> dict[str, Any]:
        """All points so far."""
        return {"points": self.points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take those of the checkpoint."""
        self.points = list(state_dict["points"])

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the loggers."""
        for logger in trainer.loggers:
            if isinstance(logger, LateLogger):
                logger.begin(self.points)

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Remember a point."""
        self.points.append((step or 0, {tag: float(value) for tag, value in metrics.items()}))


def open_loggers(
    names: Sequence[str], run_folder: Path, step: int, settings: Mapping[str, Any]
) -> tuple[list[Logger], list[pl.Callback]]:
    """Make the loggers of a training, and the callbacks that go with them.

    Args:
        names: of `options.training.LOGGERS`.
        run_folder: where they write.
        step: where the training begins; what was logged of later steps is void.
        settings: the options of the run, for those that show them.
    """
    loggers: list[Logger] = [RunLogger(run_folder, step)] if TENSORBOARD in names else []
    further = [name for name in dict.fromkeys(names) if name != TENSORBOARD]
    if not further:
        return loggers, []
    history = History()
    for name in further:
        make, close = MAKERS[name]
        loggers.append(LateLogger(run_folder / FOLDER / name, partial(make, run_folder, dict(settings)), close))
    return [*loggers, history], [history]


def _csv(run_folder: Path, settings: dict[str, Any], folder: Path) -> Logger:
    _emptied(folder)
    return CSVLogger(folder.parent, name="", version=folder.name)


def _mlflow(run_folder: Path, settings: dict[str, Any], folder: Path) -> Logger:
    from pytorch_lightning.loggers import MLFlowLogger

    folder.mkdir(parents=True, exist_ok=True)
    # A database in one file: MLflow no longer develops its store of plain files.
    logger = MLFlowLogger(
        experiment_name=run_folder.parent.name,
        run_name=run_folder.name,
        tracking_uri=f"sqlite:///{folder.absolute() / 'mlflow.db'}",
        artifact_location=(folder.absolute() / "artifacts").as_uri(),
    )
    # The file may still be open in this process, so earlier runs are marked as deleted, and it stays.
    client = logger.experiment
    for run in client.search_runs([logger.experiment_id]):
        if run.info.run_id != logger.run_id:
            client.delete_run(run.info.run_id)
    logger.log_hyperparams(settings)
    return logger


def _wandb(run_folder: Path, settings: dict[str, Any], folder: Path) -> Logger:
    os.environ.update(OFFLINE)
    _emptied(folder)
    from pytorch_lightning.loggers import WandbLogger

    logger = WandbLogger(
        name=run_folder.name, project=run_folder.parent.name, save_dir=folder, offline=True, log_model=False
    )
    logger.log_hyperparams(settings)
    return logger


def _emptied(folder: Path) -> None:
    if folder.exists():
        remove_folder(folder)
    folder.mkdir(parents=True)


def _nothing(_: Logger) -> None:
    pass


MAKERS: dict[str, tuple[Callable[[Path, dict[str, Any], Path], Logger], Callable[[Logger], None]]] = {
    "csv": (_csv, _nothing),
    "mlflow": (_mlflow, _nothing),
    "wandb": (_wandb, lambda logger: logger.experiment.finish()),  # type: ignore[attr-defined]
}
"""Name -> how it is opened and closed, besides TensorBoard."""
