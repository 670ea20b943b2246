"""One run of a comparison, as its run.json tells it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from headtohead.options.comparison import baseline_on, is_baseline, is_given
from headtohead.readers.tasks import EARLIER_BASELINE, task_of

EXPERIMENT_COLUMNS = ["model", "schedule", "seed", "fold"]


def ensemble_schedule(schedule: str, seeds: int) -> str:
    """Name the schedule of an ensemble, which is an entrant beside its seeds: `cosine, ensemble of 3 seeds`."""
    return f"{schedule}, ensemble of {seeds} seeds"


@dataclass(frozen=True)
class Run:
    """One run folder.

    Attributes:
        folder: where it is.
        record: its run.json.
        status: running, trained, finished or failed.
    """

    folder: Path
    record: dict[str, Any]
    status: str

    @property
    def name(self) -> str:
        """The folder's name, by which a user can find the run."""
        return self.folder.name

    @cached_property
    def experiment(self) -> dict[str, Any]:
        """Model, schedule, seed and fold; a baseline is named after its sequence, as earlier versions did not."""
        found = {column: self.record["experiment"].get(column) for column in EXPERIMENT_COLUMNS}
        if found["model"] == EARLIER_BASELINE:
            found["model"] = baseline_on(task_of(self.record.get("data") or {}).primary)
        return found

    @property
    def entrant(self) -> tuple[str, str]:
        """Model and schedule: what is compared, over all seeds and folds."""
        return str(self.experiment["model"]), str(self.experiment["schedule"])

    @property
    def is_ensemble(self) -> bool:
        """Whether it averages other runs, its members, and was not trained itself."""
        return bool(self.record.get("members"))

    @property
    def is_given(self) -> bool:
        """Whether its masks were made by another program or a person: nothing is known of a training."""
        return is_given(*self.entrant)

    @property
    def is_model(self) -> bool:
        """Whether it is of a model that was trained here, or of an ensemble of such."""
        return not self.is_given and not is_baseline(self.entrant[0])

    def fact(self, *path: str) -> Any:
        """Look up a fact of run.json by its keys, from the outermost; None where there is none."""
        value: Any = self.record
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value
