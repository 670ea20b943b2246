"""What the notes say of data that are files with one image each."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.readers.images import task as task_of_pictures
from headtohead.readers.reader import AS_NAMED
from headtohead.readers.tasks import VOLUMES_TASK
from headtohead.reporting.notes.footnotes import footnotes_of
from headtohead.runs.reading import read_ledger

PICTURES_TASK = task_of_pictures(Path(), AS_NAMED, [])


@pytest.mark.parametrize(
    ("kind", "task", "unit", "words"),
    [
        ("images", PICTURES_TASK, "px", ("The data are pictures with one mask each", "distances are in pixels.")),
        ("nifti", VOLUMES_TASK, "mm", ("The data are volumes with one mask each", "distances are in mm.")),
    ],
)
def test_files_and_units_are_called_what_they_are(
    comparison: Path, write_run: Any, kind: str, task: Any, unit: str, words: tuple[str, ...]
) -> None:
    write_run(extra={f"hd95_{unit}": [1.0] * 4}, data={"key": "k", "kind": kind, "task": task.to_dict()})
    [note] = [note for note in footnotes_of(read_ledger(comparison)) if note.startswith("The data are")]
    assert note.startswith(words[0]) and note.endswith(
        f"image-threshold is a threshold on the only image, and {words[1]}"
    )
