"""The made-up data set on disk: case folders, clinical table and the note that says it is made up."""

import csv
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.cohort.made_up import NOTE_FILE
from headtohead.cohort.phantom.anatomy import draw_head, grow_lesion
from headtohead.cohort.phantom.appearance import render
from headtohead.cohort.phantom.planning import Parameters, PlannedCase, draw_clinical_table, plan_cases
from headtohead.errors import UserError
from headtohead.records.json_reader import read_json
from headtohead.records.regular import UnreadableError
from headtohead.saving import temporary_folder, write_json, write_picture, write_text

CLINICAL_TABLE = "data.csv"
UNCOMPRESSED = cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_NONE
LARGEST = 1 << 20
"""Bytes of the note; that of the most patients has 100 KiB."""


def make_phantoms(
    dest: Path, n_cases: int = 80, seed: int = 0, size: int = 256, slices: tuple[int, int] = (6, 10)
) -> None:
    """Write made-up patients in the layout of the LGG data set, all uncompressed TIFF; see `make_data_set`.

    Args:
        dest: folder to make. It may exist if it is empty or holds the same phantoms, which are kept.
        n_cases: number of patients, 1 to 999.
        seed: the same seed draws the same bytes.
        size: height and width of a slice in pixels, at least 32.
        slices: fewest and most slices a case may have, at least 4.

    Raises:
        UserError: `dest` holds anything else or cannot be written, or a parameter is out of range.
    """
    parameters = Parameters(n_cases, seed, size, (slices[0], slices[1]))
    cases = plan_cases(parameters)

    def fill(folder: Path) -> list[dict[str, object]]:
        # Threads, as array code lets others run; few, as each case takes some 150 MB.
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            lesion_slices = list(pool.map(lambda case: _write_case(folder, case, size), cases))
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows(draw_clinical_table(cases, seed))
        write_text(folder / CLINICAL_TABLE, table.getvalue())
        return [
            {"case": case.name, "slices": case.slices, "lesion_slices": found, "missing": case.missing}
            for case, found in zip(cases, lesion_slices, strict=True)
        ]

    def lacks(folder: Path) -> str:
        for case in cases:  # as the parameters have it, not the note, which anybody may have edited
            if len(list((folder / case.name).glob(f"{case.name}_*.tif"))) != 2 * case.slices:
                return f"{folder / case.name}: files are missing or were added"
        return "" if (folder / CLINICAL_TABLE).is_file() else f"{folder / CLINICAL_TABLE}: is missing"

    make_data_set(dest, parameters.to_dict(), fill, lacks)


def make_data_set(
    dest: Path,
    parameters: dict[str, object],
    fill: Callable[[Path], list[dict[str, object]]],
    lacks: Callable[[Path], str],
) -> None:
    """Fill a folder with made-up patients, and write the note that says so; or keep it where it holds the same.

    Args:
        dest: folder to make; it is whole or absent.
        parameters: what decides every byte.
        fill: writes the patients into a folder and describes each for the note.
        lacks: says what a folder of these patients lacks, or where files were added; empty: it is whole.

    Raises:
        UserError: `dest` holds anything else or cannot be written.
    """
    dest = Path(dest).resolve()
    if dest.is_file():
        raise UserError(f"{dest}: is a file; name a folder for the made-up patients")
    if dest.is_dir() and any(dest.iterdir()):
        _check_same(dest, parameters, lacks)
        return
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{dest}: cannot be created ({error.strerror}); name a folder you may write to") from error
    note = "Made-up patients drawn by Head-to-Head. No person was scanned; of no use for medicine."
    with temporary_folder(dest.parent, becomes=dest, kind="making") as folder:
        write_json(folder / NOTE_FILE, {"note": note, "parameters": parameters, "cases": fill(folder)})
        if not (dest / NOTE_FILE).is_file():  # else another run has just finished the same
            try:
                folder.replace(dest)
            except OSError as error:
                raise UserError(f"{dest}: cannot be created ({error.strerror}); name a new folder") from error


def draw_case(case: PlannedCase, size: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw one case: [n, size, size, 3] (pre, FLAIR, post; a missing sequence repeats FLAIR), and its mask."""
    rng = np.random.default_rng(case.seed)
    head = draw_head(rng, case.slices, size)
    lesion = grow_lesion(rng, head)
    volume = render(rng, head, lesion, case.site)
    for channel, sequence in ((0, "pre"), (2, "post")):
        if sequence in case.missing:
            volume[..., channel] = volume[..., 1]
    return volume, lesion.mask


def _write_case(root: Path, case: PlannedCase, size: int) -> int:
    """Write the slices and masks of one case; return the number of slices with lesion."""
    volume, mask = draw_case(case, size)
    folder = root / case.name
    folder.mkdir()
    for k in range(case.slices):
        blue_green_red = np.ascontiguousarray(volume[k, ..., ::-1])
        write_picture(folder / f"{case.name}_{k + 1}.tif", blue_green_red, UNCOMPRESSED)
        write_picture(folder / f"{case.name}_{k + 1}_mask.tif", mask[k].astype(np.uint8) * 255, UNCOMPRESSED)
    return int(mask.any(axis=(1, 2)).sum())


def _check_same(dest: Path, parameters: dict[str, object], lacks: Callable[[Path], str]) -> None:
    """Pass if `dest` holds a whole data set of these parameters; else say what to do."""
    note = dest / NOTE_FILE
    try:
        found = read_json(note, LARGEST)
    except FileNotFoundError:
        raise UserError(f"{dest}: is not empty and holds no made-up patients; name a new or empty folder") from None
    except UnreadableError as fault:
        raise UserError(f"{note}: cannot be read ({fault}); delete the folder {dest} and run again") from fault
    if found.get("parameters") != parameters:
        raise UserError(f"{dest}: holds made-up patients with other parameters; delete it or name another folder")
    if place := lacks(dest):
        raise UserError(f"{place}; delete the folder {dest} and run again")
