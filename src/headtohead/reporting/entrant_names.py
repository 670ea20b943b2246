"""Entrants and schedules as a reader is told them. CSV files and file names keep `unet none`."""

import re
from collections.abc import Iterable

from headtohead.options.comparison import UNTRAINED
from headtohead.runs.run import Run
from headtohead.statistics.matrix import entrant_name

NO_SCHEDULE = "no schedule"
AS_GIVEN = "masks as given"


def schedule_in_words(schedule: str) -> str:
    """Name a schedule: `cosine`; `no schedule` where the learning rate stays as it is; of masks, that they are such."""
    if schedule == UNTRAINED:
        return AS_GIVEN
    return re.sub(r"^none\b", NO_SCHEDULE, schedule)


def in_words(entrant: str) -> str:
    """Name an entrant: `unet cosine`; `unet, no schedule` for `unet none`."""
    return re.sub(r" none\b", f", {NO_SCHEDULE}", entrant)


def schedule_order(schedule: str) -> tuple[bool, str]:
    """Sort schedules by name, `none` and its ensemble first."""
    return schedule.split(",")[0] != "none", schedule


def joined_by_commas(names: Iterable[str]) -> str:
    """Join names by commas, by semicolons where a name has a comma of its own."""
    names = list(names)
    return ("; " if any("," in name for name in names) else ", ").join(names)


def entrant_of(run: Run) -> str:
    """Name of the entrant a run belongs to, as the columns of the matrix have it."""
    return entrant_name(*run.entrant)
