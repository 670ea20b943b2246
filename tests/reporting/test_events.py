"""Event files: what TensorBoard reads, also after a full disk."""

import resource
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from headtohead.errors import UserError
from headtohead.reporting.events import Events


def test_a_full_disk_is_told_in_a_line_and_leaves_whole_events(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    writer = Events(str(tmp_path), filename_suffix=".pr")
    writer.add_scalar("dice/val", 0.5, 1)
    writer.flush()
    [path] = tmp_path.iterdir()
    writer.add_scalar("dice/val", 0.6, 2)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 8, before[1]))  # room for part of an event
    try:
        with pytest.raises(UserError, match=f"^{path}: larger than ulimit -f"):
            writer.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    writer.add_scalar("dice/val", 0.7, 3)
    writer.close()
    steps = [event.step for event in EventFileLoader(str(path)).Load() if event.HasField("summary")]
    assert steps == [1, 3]
    assert capfd.readouterr().err == ""
