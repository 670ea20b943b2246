"""The run folder: where each file of one experiment is, and its record run.json."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.records.regular import UnreadableError
from headtohead.records.yaml_reader import read_yaml
from headtohead.runs.holding import held
from headtohead.runs.record import FILE, read_record
from headtohead.saving import write_json, write_text

EXTERNAL = "external"
"""The folder in a run folder of its tests on other cohorts: one a cohort, each with files as a run folder has."""

POPULATION = "population.csv"
"""In such a folder: one row a case of the external and of the internal test, what is known of it."""


class DamagedRecordError(UserError):
    """A file of the run folder cannot be read."""


class _Below:
    """A path below that of a run folder."""

    def __init__(self, *parts: str) -> None:
        self.parts = parts

    def __get__(self, folder: "RunFolder", _: type) -> Path:
        return folder.path.joinpath(*self.parts)


@dataclass(frozen=True)
class RunFolder:
    """`runs/<comparison>/<run name>`; nothing is made or read until it is asked for."""

    path: Path

    best = _Below("checkpoints", "best.ckpt")
    """Checkpoint of the epoch with the best validation Dice."""
    last = _Below("checkpoints", "last.ckpt")
    """Checkpoint of the last whole epoch: from which an interrupted run resumes."""
    config = _Below("config.yaml")
    """The options it was made with, as a file for `--config`."""
    metrics = _Below("metrics.csv")
    """One row an epoch."""
    cases = _Below("cases.csv")
    """One row a test case."""
    slices = _Below("slices.csv")
    """One row a test slice: its counts, from which other scoring conventions follow."""
    masks = _Below("masks.npz")
    """The predicted masks of the test cases, packed."""
    probabilities = _Below("probabilities.npz")
    """Histograms of the predicted probabilities of the test cases."""
    split = _Below("split.csv")
    """Which slice was in which part."""
    figures = _Below("figures")
    """Pictures made from it."""

    def record(self) -> dict[str, Any]:
        """Read run.json; empty where there is none.

        Raises:
            DamagedRecordError: it cannot be read, or does not describe a run.
        """
        try:
            return read_record(self.path)
        except FileNotFoundError:
            return {}
        except UnreadableError as fault:
            raise self._damaged(FILE, f" ({fault})") from fault

    def record_if_sound(self) -> dict[str, Any]:
        """Read run.json of what is made again where it is damaged, such as a baseline; remove it then."""
        try:
            return self.record()
        except DamagedRecordError:
            if (self.path / FILE).is_dir():  # not ours to remove
                raise
            (self.path / FILE).unlink()
            return {}

    def write_record(self, facts: dict[str, Any]) -> None:
        """Write run.json anew."""
        write_json(self.path / FILE, facts)

    def note(self, **facts: Any) -> None:
        """Add facts to run.json."""
        write_json(self.path / FILE, self.record() | facts)

    def note_failure(self, **facts: Any) -> None:
        """Add facts on a failure to run.json; where that cannot be written either, say so and go on."""
        try:
            self.note(**facts)
        except (UserError, OSError) as fault:
            print(f"{self.path.name}: its failure is not recorded: {as_flags(fault)}")

    def write_config(self, values: dict[str, Any]) -> None:
        """Write the options as YAML."""
        write_text(self.config, yaml.safe_dump(values, sort_keys=False))

    def read_config(self) -> dict[str, Any]:
        """Read the options back; empty where there are none.

        Raises:
            DamagedRecordError: the file cannot be read.
        """
        try:
            options = read_yaml(self.config)
        except FileNotFoundError:
            return {}
        except UnreadableError as fault:
            raise self._damaged(self.config.name, f" ({fault})") from fault
        options = {} if options is None else options
        if not isinstance(options, dict):
            raise self._damaged(self.config.name)
        return options

    def _damaged(self, file: str, why: str = "") -> DamagedRecordError:
        mend = f"restore it, or delete the folder {self.path.name} to train it again"
        return DamagedRecordError(f"{self.path / file}: damaged{why}; {mend}")

    @contextmanager
    def held(self, wait: bool) -> Iterator[bool]:
        """Keep other processes from training in the folder; give False where one does and we do not `wait`."""
        with held(self.path, wait) as free:
            yield free

    def made(self) -> tuple[Any, ...]:
        """Tell one making of the run from another: when it began, was trained and was tested; empty where damaged."""
        try:
            record = self.record()
        except DamagedRecordError:
            return ()
        return tuple(record.get(name) for name in ("started", "ended", "tested"))
