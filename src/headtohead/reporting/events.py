"""TensorBoard's event files, written by the thread that has something to write.

TensorBoard's own writer has a thread of its own, which prints a traceback when the disk is full.
"""

import os
import platform
import time
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import cast

from tensorboard.compat.proto.event_pb2 import Event, SessionLog, SourceMetadata
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import FileWriter, SummaryWriter

from headtohead.disk_faults import told

FLUSHED = 120
"""Seconds after which the next event takes all before it to the file."""
MOST_BYTES = 2**20
"""Of events that wait in memory."""

_numbers = count()


class EventFile:
    """One event file; it has the methods of TensorBoard's `EventFileWriter`.

    TensorBoard reads it while it grows. It ends with a whole event, also where the disk is full.
    """

    def __init__(self, folder: str, suffix: str = "") -> None:
        """Make a file in `folder` whose name ends in `suffix`, and write who made it.

        Raises:
            UserError: the disk is full, or the folder may not be written to.
        """
        self._folder = folder
        # Named as TensorBoard names them, which finds them by it.
        moment, host = f"{int(time.time()):010d}", platform.node()
        self._path = Path(folder) / f"events.out.tfevents.{moment}.{host}.{os.getpid()}.{next(_numbers)}{suffix}"
        self._waiting = BytesIO()
        with told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("xb", buffering=0)
        made_by = SourceMetadata(writer="headtohead.reporting.events")
        self.add_event(Event(wall_time=time.time(), file_version="brain.Event:2", source_metadata=made_by))
        self.flush()

    def get_logdir(self) -> str:
        """Give the folder."""
        return self._folder

    def add_event(self, event: Event) -> None:
        """Write an event, or keep it for the next flush."""
        RecordWriter(self._waiting).write(event.SerializeToString())
        if self._waiting.tell() > MOST_BYTES or time.monotonic() > self._due:
            self.flush()

    def flush(self) -> None:
        """Write all events that wait.

        Raises:
            UserError: the disk is full; they are dropped.
        """
        self._due = time.monotonic() + FLUSHED
        content, self._waiting = self._waiting.getvalue(), BytesIO()
        if not content:
            return
        whole = self._file.tell()
        with told(self._path):
            try:
                while content:
                    content = content[self._file.write(content) :]
            except OSError:
                self._file.seek(whole)
                self._file.truncate()
                raise

    def close(self) -> None:
        """Write what waits and close the file."""
        if self._file.closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()

    _due = float("inf")


class Events(SummaryWriter):
    """PyTorch's writer of TensorBoard events, into `EventFile`s."""

    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None:
            made = FileWriter.__new__(FileWriter)  # its own `__init__` would start TensorBoard's thread
            made.event_writer = EventFile(str(self.log_dir), self.filename_suffix)
            self.file_writer, self.all_writers = made, {made.get_logdir(): made}  # type: ignore[assignment]
            if self.purge_step is not None:
                step, self.purge_step = self.purge_step, None
                made.add_event(Event(step=step, file_version="brain.Event:2"))
                made.add_event(Event(step=step, session_log=SessionLog(status=SessionLog.START)))
        return cast(FileWriter, self.file_writer)
