"""Every case as a GIF that scrolls through its slices: the truth and all entrants in one small picture.

`animation.write_case_gif` sets the entrants side by side, which is worth its size for three cases, not for hundreds.

Drawing them takes longer than the rest of a report, so a report may leave an earlier one's where they lie. Each carries
a mark of what it was drawn from: those that show other masks are told from those that still hold, and from pictures
that somebody else put there.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from headtohead import machine
from headtohead.cohort import Cohort
from headtohead.drawing.animation import write_case_gif, write_gif
from headtohead.drawing.legend import LINE, PAPER
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import TRUTH, Colour, draw_outlines, rgb
from headtohead.drawing.plate import SegmentedCase
from headtohead.drawing.sizes import Size, resized, resized_mask, within
from headtohead.options.comparison import baselines
from headtohead.preparing.head import head_mask
from headtohead.quiet import quiet_pillow
from headtohead.records.regular import UnreadableError, opened
from headtohead.reporting.entrant_names import entrant_of, in_words
from headtohead.reporting.findings import Findings
from headtohead.reporting.masks import Masks, name_with_seed, segmented_case
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import Ledger

SIDE = 192  # pixels of the longer side
WIDTH = 260  # pixels of the picture, so that names have room
MARGIN = 8
COLOURS = ("orange", "green", "yellow", "vermilion", "purple", "white")  # of entrants; as many as can be told apart
SHADES = (12,)  # of grey
DARK = 20  # of 255: what is darker is noise of air, which would cost more bytes than the head
MARK = "Head-to-Head, a case, "  # begins the comment of a GIF; `mark_of` follows
FEW = 8  # cases for which starting processes is not worth its time


def mark_of(findings: Findings, ledger: Ledger) -> str:
    """Give 16 hexadecimal digits that change with any mask, truth or name that the GIFs of all cases show."""
    shown = _shown(findings)
    told = hashlib.sha256()
    for run in ledger.counted:
        if entrant_of(run) in shown:
            kept = RunFolder(run.folder).masks
            try:
                with opened(kept) as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
            except (FileNotFoundError, UnreadableError):
                content = ""
            told.update(f"{run.fact('data', 'key')} {run.name} {in_words(entrant_of(run))} {content}\n".encode())
    return told.hexdigest()[:16]


def remove_earlier_case_gifs(folder: Path, cases: Iterable[str], mark: str) -> int:
    """Remove the GIFs that an earlier report drew, but for those that carry a mark.

    Args:
        folder: where they lie; it goes too if nothing is left. What no report drew stays.
        cases: of the comparison; a file with the name of one is the report's, as the files of its tables are.
        mark: of what they would be drawn from now; empty: none stays.

    Returns:
        How many were removed.
    """
    if not folder.is_dir():
        return 0
    names, removed = {_file_name(case) for case in cases}, 0
    for path in folder.glob("*.gif"):
        found = _mark_in(path)
        if (found or path.name in names) and not (mark and found == mark):
            path.unlink()
            removed += 1
    if not any(folder.iterdir()):
        folder.rmdir()
    return removed


def _mark_in(path: Path) -> str:
    """Give the mark that a GIF carries; empty where it carries none, or is no GIF."""
    from PIL import Image

    if not path.is_file():  # opening a pipe would not end
        return ""
    try:
        with quiet_pillow(), Image.open(path, formats=("GIF",)) as picture:
            comment = picture.info.get("comment", b"").decode(errors="replace")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return comment.removeprefix(MARK) if comment.startswith(MARK) else ""


def _file_name(case: str) -> str:
    return f"{case.replace('/', '-')}.gif"


def _shown(findings: Findings) -> list[str]:
    """Name the entrants that are drawn, in the order of the table: all, or those that are best on average."""
    models = findings.matrix.drop(columns=baselines(findings.matrix))
    best = models.mean().sort_values(ascending=False, kind="stable").index[: len(COLOURS)]
    return [str(name) for name in models.columns if name in best]


def write_all_case_gifs(findings: Findings, folder: Path, cohort: Cohort, masks: Masks, mark: str = "") -> list[Path]:
    """Write `<case>.gif` of every case of which a prediction was kept, on all processor cores.

    Of more than six entrants, those that are best on average are drawn. The files carry the mark from `mark_of`.

    Returns:
        The files.

    Raises:
        UserError: a file of masks is damaged.
    """
    shown, cases = _shown(findings), [str(case) for case in findings.matrix.index]
    names = [{name: name_with_seed(findings, name, case) for name in shown} for case in cases]
    write_one = partial(_write, folder, cohort, masks, MARK + mark)
    workers = min(machine.usable_cores(), len(cases) // FEW)
    if workers < 2:
        found = list(map(write_one, cases, names))
    else:
        # Spawned, not forked: after a training PyTorch has threads, of which a fork would keep the locks. The processes
        # are the threads of OpenCV.
        with ProcessPoolExecutor(workers, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
            found = list(pool.map(write_one, cases, names, chunksize=4))
    return [path for path in found if path]


def _write(
    folder: Path, cohort: Cohort, masks: Masks, comment: str, case: str, entrants: dict[str, str]
) -> Path | None:
    """Write the GIF of a case, of each entrant with the name to show."""
    scans = {name: scan for name, said in entrants.items() if (scan := segmented_case(cohort, masks, name, case, said))}
    if not scans:
        return None
    path = folder / _file_name(case)
    if len(cohort.task.targets) > 1:  # colours are those of targets: each entrant has a tile
        return write_case_gif(list(scans.values()), path, case, SIDE, SHADES, comment)
    colours = dict(zip(entrants, COLOURS, strict=False))  # by entrant, the same in every case
    pictures = frames([(colours[name], scan) for name, scan in scans.items()], case)
    return write_gif(pictures, path, shades=SHADES, comment=comment)


def frames(scans: list[tuple[Colour, SegmentedCase]], title: str) -> Iterator[np.ndarray]:
    """Draw all slices of a case of one target, cut to the head: uint8 RGB [H, W, 3], all of one size.

    Args:
        scans: the case as each entrant segmented it, and the colour of its outline.
        title: the line above.
    """
    first = scans[0][1]
    rows, columns = head_box(first.images, [first.truth[0], *(scan.prediction[0] for _, scan in scans)])
    grey = first.grey[:, rows, columns]
    size = height, width = within(grey.shape[1:], SIDE)
    paper, top = _paper(scans, title, size)
    left = (paper.shape[1] - width) // 2
    for number in range(len(grey)):
        masks = {TRUTH: first.truth[0], **{colour: scan.prediction[0] for colour, scan in scans}}
        cut = {colour: resized_mask(mask[number, rows, columns], size) for colour, mask in masks.items()}
        picture = resized(grey[number], size)
        picture[picture < DARK] = 0
        canvas = paper.copy()
        canvas[top : top + height, left : left + width] = draw_outlines(picture, cut)
        write(canvas, f"slice {number + 1} of {len(grey)}", MARGIN, top + height + LINE - 3, 13, colour=FAINT)
        yield canvas


def head_box(images: np.ndarray, masks: list[np.ndarray]) -> tuple[slice, slice]:
    """Rows and columns that hold the head in any slice, and every mask; all where no head is found."""
    held = np.logical_or.reduce([head_mask(images), *masks])
    rows, columns = np.flatnonzero(held.any(axis=(0, 2))), np.flatnonzero(held.any(axis=(0, 1)))
    if not rows.size:
        return slice(None), slice(None)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _paper(scans: list[tuple[Colour, SegmentedCase]], title: str, size: Size) -> tuple[np.ndarray, int]:
    """Draw what is the same in all pictures of a case; give it, and the row in which the slice begins."""
    width = max(WIDTH, size[1] + 2 * MARGIN)
    lines: list[tuple[Colour, str, str]] = [(TRUTH, "truth", "Dice")]
    lines += [(colour, scan.caption, scan.score) for colour, scan in scans]
    top = MARGIN + LINE * (1 + len(lines)) + 4
    paper = np.full((top + size[0] + LINE + MARGIN // 2, width, 3), PAPER, np.uint8)
    write(paper, shorten(title, width - 2 * MARGIN, 14, bold=True), MARGIN, MARGIN + 12, 14, bold=True)
    for place, (colour, name, score) in enumerate(lines, start=1):
        base = MARGIN + 12 + place * LINE
        paper[base - 7 : base - 2, MARGIN : MARGIN + 18] = rgb(colour) if colour != "white" else FAINT
        write(paper, score, width - MARGIN - text_width(score, 13), base, 13)
        write(paper, shorten(name, width - 2 * MARGIN - 80, 13), MARGIN + 25, base, 13)
    return paper, top
