"""The task of each kind of data, and that of what was trained, however long ago."""

from collections.abc import Mapping
from typing import Any

from headtohead.options.comparison import baseline_on
from headtohead.options.data import DEFAULT_DATA
from headtohead.readers.labels import LESION
from headtohead.readers.lgg import GRADES
from headtohead.readers.lgg import PUBLISHED as FIRST_PUBLISHED
from headtohead.readers.lgg import TASK as FIRST_TASK
from headtohead.task import Task
from headtohead.task.task import UNNAMED

LGG, NIFTI = DEFAULT_DATA, "nifti"
"""The kinds of data that runs were made of before they recorded a task, as `--data` calls them."""

VOLUMES_TASK = Task("NIfTI volumes with masks", (UNNAMED,), UNNAMED, LESION)
"""Of volumes of which nobody says what they are. It stands here because a prediction needs it, but not their reader."""

TASKS = {LGG: FIRST_TASK, NIFTI: VOLUMES_TASK}
"""By the kind of data, as `--data` calls it."""

EARLIER_BASELINE = baseline_on(FIRST_TASK.primary)
"""What earlier versions called the threshold, whatever the sequence."""

PUBLISHED = {LGG: FIRST_PUBLISHED}
"""What is known of public data sets, by the kind of data."""


def task_of(data: dict[str, Any]) -> Task:
    """Give the task that a run was trained on, by what run.json or model.json says of the data.

    Earlier versions recorded no task but the kind of data, and before that not even the kind, since there was one only.

    Raises:
        ValueError: what is recorded is no task.
    """
    if "task" in data:
        return Task.from_dict(data["task"])
    return TASKS.get(str(data.get("kind") or LGG), VOLUMES_TASK)


def grade_of(known: Mapping[Any, Any]) -> str:
    """Give the WHO grade that a row of the case table has: a code that is not known as a code, empty without one."""
    for column, grades in GRADES.items():
        value = known.get(column)
        code = "" if value is None or value != value else str(value).removesuffix(".0")
        if code:
            return grades.get(code, f"code {code}")
    return ""
