"""A data set whose files are listed and not yet read, and its two keys."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headtohead.errors import UserError
from headtohead.readers.patients import patients_by_pattern, print_patients, warn_of_shared_beginnings
from headtohead.readers.reader import CaseFiles, Reader, Reading, find_reader
from headtohead.records.regular import UnreadableError, opened
from headtohead.task import Task


@dataclass(frozen=True)
class DataFiles:
    """A data set whose files are listed and not yet read; iterating gives all files that decide its pixels."""

    root: Path
    reader: Reader
    reading: Reading
    cases: list[CaseFiles]
    task: Task

    def __iter__(self) -> Iterator[Path]:
        for case in self.cases:
            yield from case.images
            yield from case.masks
        yield from self.reader.further_files(self.root)

    @property
    def depth(self) -> np.dtype:
        """In which grey levels are stored."""
        return np.dtype(f"uint{self.reading.bits}") if self.reading.bits else self.reader.depth

    @property
    def how(self) -> bytes:
        """How the files are read: as what pixels, and, where the user says so, as whose and as what."""
        # Without a pattern the names of the files decide, which are part of both keys.
        patients = "".join(f"\n{case.name} {case.patient}" for case in self.cases if self.reading.patient_pattern)
        targets = self.task.targets.to_dict()
        labels = f"\n{targets['labels']} {targets['others']}" if self.reading.labels else ""
        depth = "" if self.depth.itemsize == 1 else f"\n{self.depth}"
        return f"{self.reader.reading}{patients}{labels}{depth}".encode()

    def name(self, path: Path) -> str:
        """Name a file by its place below the folder."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def fingerprint(self) -> str:
        """Hash names, sizes and times: cheap, and it tells whether anything may have changed."""
        # The change time cannot be set by a user, so an edit that restores size and modification time is seen too.
        digest = hashlib.blake2b(self.how, digest_size=16)
        for path in self:
            facts = path.stat()
            digest.update(f"{self.name(path)} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}\n".encode())
        return digest.hexdigest()

    def content_key(self) -> str:
        """Hash the bytes: the same wherever the files lie.

        Raises:
            UserError: a file cannot be read.
        """
        digest = hashlib.blake2b(self.how, digest_size=16)
        with ThreadPoolExecutor() as pool:
            for line in pool.map(self._name_and_hash, self):
                digest.update(line.encode())
        return digest.hexdigest()

    def _name_and_hash(self, path: Path) -> str:
        try:
            with opened(path) as file:
                content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
        except (FileNotFoundError, UnreadableError) as fault:
            raise UserError(f"{path}: cannot be read ({fault}); restore the file, or remove it") from fault
        return f"{self.name(path)} {content.hexdigest()}\n"


def list_data(root: Path, data: str, reading: Reading) -> DataFiles:
    """List the files, settle whose they are, and print how many patients there are where names decide it."""
    reader = find_reader(data)
    for name, value in reading.given().items():
        if name not in reader.takes:
            own = ", whose folders name the patients" if name == "patient_pattern" else ""
            raise UserError(f"`{name}` {value}: has no effect on `data={data}`{own}; leave it out")
    cases = reader.list_cases(root, reading)
    task = reader.task(root, reading, cases)
    if "patient_pattern" in reader.takes:
        if reading.patient_pattern:
            cases = patients_by_pattern(cases, root, reading.patient_pattern)
        print_patients(cases, root, reader.files)
        if not reading.patient_pattern:
            warn_of_shared_beginnings(cases, root)
    return DataFiles(root, reader, reading, cases, task)
