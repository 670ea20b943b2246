"""Pack a data set once into memory-mapped files, and find the packed copy again on every later run.

Two keys: the fingerprint (names, sizes and times of the files) is cheap and tells whether anything was touched;
the content key (a hash of the bytes) names the packed copy and goes into every run folder.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from filelock import FileLock

from headtohead.cohort.cohort import DEPTHS, PIXELS, SPACING, Cohort
from headtohead.cohort.packed import is_whole, read_case_table
from headtohead.errors import UserError
from headtohead.preparing.chain import Chain
from headtohead.preparing.head import head_mask, inner_head, intensity_statistics
from headtohead.preparing.intensities import EIGHT, to_eight_bits
from headtohead.preparing.steps.reorient import Reorient
from headtohead.preparing.steps.square import Square
from headtohead.preparing.steps.window import Window
from headtohead.readers import lgg, nifti
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.patients import patients_by_pattern, print_patients, warn_of_shared_beginnings
from headtohead.readers.tasks import LGG, NIFTI
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError, opened
from headtohead.saving import temporary_folder, write_json
from headtohead.task import Case, Targets, Task

if TYPE_CHECKING:
    import pandas as pd


class Reader(Protocol):
    """What a module that reads a kind of data set has."""

    READING: str
    TASK: Task

    def list_cases(self, root: Path) -> list[CaseFiles]:
        """List the cases without reading a pixel."""

    def read_case(self, files: CaseFiles) -> Case:
        """Read the voxels of one case; a label map is there."""

    def read_clinical(self, root: Path) -> "pd.DataFrame":
        """Read what is known of the patients."""

    def further_files(self, root: Path) -> list[Path]:
        """List files besides images and masks from which the cohort is made."""


READERS: dict[str, Reader] = {LGG: lgg, NIFTI: nifti}
"""Who reads what `--data` names."""

KEY = re.compile("[0-9a-f]{32}")
COLUMNS = (
    "case", "patient", "site", "slices", "height", "width", "first", "lesion_voxels", "lesion_slices", "missing",
)  # fmt: skip
"""Of the case table, before the spacing and the clinical columns."""

ENDS = {depth: end for end, depth in DEPTHS.items()}
LAYOUT = "4"
"""Raised whenever what is packed, or how it is measured, changes: old copies are then made again."""


def open_cohort(root_dir: Path, cache_dir: Path, data: str = LGG, patient_pattern: str = "") -> Cohort:
    """Open a data set, packing it first if no current copy exists.

    Args:
        root_dir: folder of the data set in its original layout.
        cache_dir: where packed copies are kept. Two processes may pack at once: one does, the other waits.
        data: what lies in `root_dir`: a key of `READERS`.
        patient_pattern: finds the patient in the path of a volume; see `patients.patients_by_pattern`.

    Raises:
        UserError: the data set is missing or damaged, or the pattern does not fit it; nothing is left half-packed.
    """
    reader = READERS[data]
    cases = _list_cases(root_dir, data, patient_pattern)
    cache_dir.mkdir(parents=True, exist_ok=True)
    kind = "" if data == LGG else f"{data} "
    place = hashlib.blake2b(f"{kind}{root_dir.resolve()}{patient_pattern}".encode(), digest_size=8).hexdigest()
    note = cache_dir / f"{place}.json"
    with FileLock(cache_dir / f"{place}.lock"):
        fingerprint = _fingerprint(root_dir, reader, cases, patient_pattern)
        key = _known_key(note, fingerprint, cache_dir, len(reader.TASK.sequences))
        if key is None:
            key = _content_key(root_dir, reader, cases, patient_pattern)
            if not is_whole(_copy(cache_dir, key), len(reader.TASK.sequences)):
                shutil.rmtree(_copy(cache_dir, key), ignore_errors=True)
                _pack(root_dir, reader, cases, _copy(cache_dir, key))
            write_json(note, {"root": str(root_dir.resolve()), "fingerprint": fingerprint, "key": key})
    packed = _copy(cache_dir, key)
    return Cohort(root_dir, key, read_case_table(packed), packed, reader.TASK, data, patient_pattern)


def _list_cases(root: Path, data: str, patient_pattern: str) -> list[CaseFiles]:
    """List the cases, settle whose they are, and print how many patients there are where names decide it."""
    cases = READERS[data].list_cases(root)
    if data == LGG:
        if patient_pattern:  # the clinical table knows patients by their folders
            raise UserError(
                f"--patient_pattern {patient_pattern}: has no effect on LGG, whose folders name the patients; leave "
                "it out"
            )
        return cases
    if patient_pattern:
        cases = patients_by_pattern(cases, root, patient_pattern)
    print_patients(cases, root)
    if not patient_pattern:
        warn_of_shared_beginnings(cases, root)
    return cases


def content_key(root_dir: Path) -> str:
    """Hash everything an LGG data set is made of, wherever it lies: the `Cohort.key` it has, without packing it.

    Raises:
        UserError: the data set is missing or damaged.
    """
    reader = READERS[LGG]
    return _content_key(root_dir, reader, reader.list_cases(root_dir), patient_pattern="")


def _copy(cache_dir: Path, key: str) -> Path:
    return cache_dir / f"{key}-{LAYOUT}"


def _files(root: Path, reader: Reader, cases: list[CaseFiles]) -> Iterator[Path]:
    for case in cases:
        yield from case.images
        yield from case.masks
    yield from reader.further_files(root)


def _reading(reader: Reader, cases: list[CaseFiles], patient_pattern: str) -> bytes:
    """Say how the files are read: as what pixels, and, where a pattern says so, as whose."""
    # Without a pattern the names of the files decide, which are part of both keys.
    patients = "".join(f"\n{case.name} {case.patient}" for case in cases) if patient_pattern else ""
    return f"{reader.READING}{patients}".encode()


def _fingerprint(root: Path, reader: Reader, cases: list[CaseFiles], patient_pattern: str) -> str:
    # The change time cannot be set by a user, so an edit that restores size and modification time is seen too.
    digest = hashlib.blake2b(_reading(reader, cases, patient_pattern), digest_size=16)
    for path in _files(root, reader, cases):
        facts = path.stat()
        digest.update(f"{path.relative_to(root)} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}\n".encode())
    return digest.hexdigest()


def _known_key(note: Path, fingerprint: str, cache_dir: Path, channels: int) -> str | None:
    """Give the key that the note of an earlier command holds; None where it is of other files, or damaged."""
    try:
        known = read_json(note)
    except (FileNotFoundError, UnreadableError):
        return None
    key = known.get("key")
    if known.get("fingerprint") != fingerprint or not isinstance(key, str) or not KEY.fullmatch(key):
        return None
    return key if is_whole(_copy(cache_dir, key), channels) else None


def _content_key(root: Path, reader: Reader, cases: list[CaseFiles], patient_pattern: str) -> str:
    def name_and_hash(path: Path) -> str:
        try:
            with opened(path) as file:
                content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
        except (FileNotFoundError, UnreadableError) as fault:
            raise UserError(f"{path}: cannot be read ({fault}); restore the file, or remove it") from fault
        return f"{path.relative_to(root)} {content.hexdigest()}\n"

    digest = hashlib.blake2b(_reading(reader, cases, patient_pattern), digest_size=16)
    with ThreadPoolExecutor() as pool:
        for line in pool.map(name_and_hash, _files(root, reader, cases)):
            digest.update(line.encode())
    return digest.hexdigest()


def _pack(root: Path, reader: Reader, cases: list[CaseFiles], destination: Path) -> None:
    import pandas as pd

    clinical = reader.read_clinical(root)
    with temporary_folder(destination.parent, becomes=destination, kind="packing") as temporary:
        rows, first = [], 0
        statistics: dict[str, list[np.ndarray]] = {"zscore": [], "inner": []}
        depths = dict(zip(PIXELS, (EIGHT, _depth_of_labels(reader.TASK), EIGHT), strict=True))
        with ExitStack() as stack:
            pixels = {
                name: stack.enter_context((temporary / f"{name}{ENDS[depth]}").open("wb"))
                for name, depth in depths.items()
            }
            for files in cases:
                case = reader.read_case(files)
                _refuse_strays(files, case, reader.TASK.targets)
                images, labels, row = _in_slices(case, reader.TASK, depths)
                head = head_mask(to_eight_bits(images))
                inner = inner_head(head)
                for normalise, region in (("zscore", head), ("inner", inner)):
                    statistics[normalise].append(intensity_statistics(images, region, normalise))
                rows.append({"case": files.name, "patient": files.patient, "site": files.site, "first": first, **row})
                first += len(images)
                for name, array in zip(PIXELS, (images, labels, inner), strict=True):
                    pixels[name].write(array.tobytes())
        np.savez(
            temporary / "statistics.npz", zscore=np.stack(statistics["zscore"]), inner=np.stack(statistics["inner"])
        )
        table = pd.DataFrame(rows)[[*COLUMNS, *(name for name in SPACING if name in rows[0])]]
        table.merge(clinical, on="patient", how="left", validate="many_to_one").to_csv(
            temporary / "cases.csv", index=False
        )
        try:
            temporary.rename(destination)
        except OSError:
            # The same data under another path may have been packed meanwhile; its copy is as good.
            if not destination.is_dir():
                raise


def _depth_of_labels(task: Task) -> np.dtype:
    largest = max(*task.targets.labels, *task.targets.others, 0)
    return next(depth for depth in DEPTHS.values() if largest <= np.iinfo(depth).max)


def _refuse_strays(files: CaseFiles, case: Case, targets: Targets) -> None:
    assert case.labels is not None
    if strays := targets.strays(case.labels):
        known = ", ".join(map(str, sorted((*targets.labels, *targets.others))))
        held = ", ".join(map(str, strays[:4])) + (", ..." if len(strays) > 4 else "")
        raise UserError(
            f"{(*files.masks, *files.images)[0]}: holds {held}, which is no label of a target; they have "
            f"{known}; name every label (--labels), or correct the file"
        )


def _in_slices(case: Case, task: Task, depths: dict[str, np.dtype]) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    """Cut a case into slices of the depths in which it is stored, and say what the case table says of it."""
    chain = Chain((Reorient(task.plane), Square(), Window(str(depths["images"]))))
    case, _ = chain.fitted(case).apply(case)
    assert case.labels is not None
    images, labels = case.images, case.labels.astype(depths["labels"], copy=False)
    spacing: dict[str, object] = {}
    if case.grid.spacing:
        spacing = dict(zip(SPACING, (round(step, 6) for step in case.grid.spacing), strict=True))
    inside = np.asarray(task.targets.encode(labels).any(axis=0))
    about: dict[str, object] = {
        "slices": len(images),
        "height": images.shape[1],
        "width": images.shape[2],
        "lesion_voxels": int(inside.sum()),
        "lesion_slices": int(inside.any(axis=(1, 2)).sum()),
        "missing": " ".join(case.missing),
    }
    return np.ascontiguousarray(images), np.ascontiguousarray(labels), about | spacing
