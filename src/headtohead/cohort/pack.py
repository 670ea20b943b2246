"""Pack a data set once into memory-mapped files, and find the packed copy again on every later run.

Two keys: the fingerprint (names, sizes and times of the files) is cheap and tells whether anything was touched;
the content key (a hash of the bytes) names the packed copy and goes into every run folder.
"""

import hashlib
import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock

from headtohead.cohort.cohort import DEPTHS, PIXELS, SPACING, STATISTICS, Cohort, packed_file, read_statistics
from headtohead.cohort.listing import DataFiles, list_data
from headtohead.errors import UserError
from headtohead.options.data import DEFAULT_DATA, DataOptions
from headtohead.preparing.chain import Chain
from headtohead.preparing.head import head_mask, inner_head, intensity_statistics
from headtohead.preparing.intensities import EIGHT, to_eight_bits
from headtohead.preparing.step import Step
from headtohead.preparing.steps.reorient import Reorient
from headtohead.preparing.steps.square import Square
from headtohead.preparing.steps.window import Window
from headtohead.readers.reader import AS_NAMED, COLUMNS, CaseFiles, Reading
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_table
from headtohead.saving import temporary_folder, write_json
from headtohead.task import Case, Targets, Task

if TYPE_CHECKING:
    import pandas as pd

KEY = re.compile("[0-9a-f]{32}")
ENDS = {depth: end for end, depth in DEPTHS.items()}
LAYOUT = "4"
"""Raised whenever what is packed, or how it is measured, changes: old copies are then made again."""


def open_data(options: DataOptions) -> Cohort:
    """Open the data set that the options name, as `open_cohort` does."""
    return open_cohort(Path(options.root_dir), Path(options.cache_dir), options.data, Reading.of(options))


def open_cohort(root_dir: Path, cache_dir: Path, data: str = DEFAULT_DATA, reading: Reading = AS_NAMED) -> Cohort:
    """Open a data set, packing it first if no current copy exists.

    Args:
        root_dir: folder of the data set in its original layout.
        cache_dir: where packed copies are kept. Two processes may pack at once: one does, the other waits.
        data: what lies in `root_dir`: a key of `DATA_SETS`.
        reading: how a user wants its files to be understood.

    Raises:
        UserError: the data set is missing or damaged, or `reading` does not fit it; nothing is left half-packed.
    """
    return open_listed(list_data(root_dir, data, reading), cache_dir, data)


def open_listed(files: DataFiles, cache_dir: Path, data: str) -> Cohort:
    """Open a data set as `open_cohort` does, whose files are listed already: case by case as in the cohort's table.

    Raises:
        UserError: a file is missing or damaged; nothing is left half-packed.
    """
    root_dir, reading = files.root, files.reading
    cache_dir.mkdir(parents=True, exist_ok=True)
    kind = "" if data == DEFAULT_DATA else f"{data} "
    wanted = "".join(reading.given().values())
    place = hashlib.blake2b(f"{kind}{root_dir.resolve()}{wanted}".encode(), digest_size=8).hexdigest()
    note = cache_dir / f"{place}.json"
    with FileLock(cache_dir / f"{place}.lock"):
        fingerprint, channels = files.fingerprint(), len(files.task.sequences)
        key = _known_key(note, fingerprint, cache_dir, channels)
        if key is None:
            key = files.content_key()
            if not is_whole(_copy(cache_dir, key), channels):
                shutil.rmtree(_copy(cache_dir, key), ignore_errors=True)
                _pack(files, _copy(cache_dir, key))
            write_json(note, {"root": str(root_dir.resolve()), "fingerprint": fingerprint, "key": key})
    packed = _copy(cache_dir, key)
    return Cohort(root_dir, key, read_case_table(packed), packed, files.task, data, reading)


def _copy(cache_dir: Path, key: str) -> Path:
    return cache_dir / f"{key}-{LAYOUT}"


def read_case_table(copy: Path) -> "pd.DataFrame":
    """Read the case table of a packed copy, as `Cohort.table` describes it."""
    names = dict.fromkeys(("case", "patient", "site", "missing"), str)  # a case may be called 001
    missing = {"age_at_initial_pathologic": ""}
    return read_table(copy / "cases.csv", keep_default_na=False, na_values=missing, dtype=names)


def is_whole(copy: Path, channels: int) -> bool:
    """Say whether the files of a packed copy of so many channels are there, and of the sizes that its table says."""
    try:
        table = read_case_table(copy)
        voxels = int(table[["slices", "height", "width"]].astype("int64").prod(axis=1).sum())
        first = table["slices"].cumsum() - table["slices"]
        for name in STATISTICS:
            read_statistics(copy, name, len(table), channels)
        for name in PIXELS:
            path, kind = packed_file(copy, name)
            if path.stat().st_size != voxels * kind.itemsize * (channels if name == "images" else 1):
                return False
        return len(table) > 0 and bool((table["first"] == first).all())
    except (OSError, UnreadableError, ValueError, LookupError, TypeError):
        return False


def find_packed(cache_dir: Path, key: str, task: Task) -> Cohort | None:
    """Open the packed copy of data that may lie nowhere any more, by their key; None where there is no whole one."""
    copy = _copy(cache_dir, key)
    if not KEY.fullmatch(key) or not is_whole(copy, len(task.sequences)):
        return None
    return Cohort(copy, key, read_case_table(copy), copy, task)


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


def _pack(listed: DataFiles, destination: Path) -> None:
    import pandas as pd

    reader, task = listed.reader, listed.task
    clinical = reader.read_clinical(listed.root)
    with temporary_folder(destination.parent, becomes=destination, kind="packing") as temporary:
        rows, first = [], 0
        statistics: dict[str, list[np.ndarray]] = {name: [] for name in STATISTICS}
        depths = dict(zip(PIXELS, (listed.depth, _depth_of_labels(task), EIGHT), strict=True))
        with ExitStack() as stack:
            pixels = {
                name: stack.enter_context((temporary / f"{name}{ENDS[depth]}").open("wb"))
                for name, depth in depths.items()
            }
            for files in listed.cases:
                case = reader.read_case(files, task)
                _refuse_strays(files, case, task.targets)
                images, labels, row = _in_slices(case, task, depths, reader.square)
                head = head_mask(to_eight_bits(images))
                inner = inner_head(head)
                for normalise, region in zip(STATISTICS, (head, inner), strict=True):
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
            f"{known}; name every label (`labels`), or correct the file"
        )


def cut_into_slices(task: Task, square: bool = True) -> tuple[Step, ...]:
    """Give the steps from the grid of a file to the slices that are packed, and scored; `Reader.square` says how."""
    return (Reorient(task.plane), Square()) if square else (Reorient(task.plane),)


def _in_slices(
    case: Case, task: Task, depths: dict[str, np.dtype], square: bool
) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    """Cut a case into slices of the depths in which it is stored, and say what the case table says of it."""
    case, _ = Chain((*cut_into_slices(task, square), Window(str(depths["images"])))).fitted(case).apply(case)
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
