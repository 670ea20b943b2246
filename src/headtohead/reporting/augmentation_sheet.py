"""`--view_aug`: a sheet of training slices, each as it is and as a model would meet it in the first epochs."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headtohead.batches.augmentation import OTHERS_TOO, describe_policy, refuse_by_task
from headtohead.batches.datamodule import SliceDataset, view_in_bytes
from headtohead.batches.splits import Split, make_split
from headtohead.cohort import Cohort, open_data
from headtohead.drawing.legend import legend as drawn_legend
from headtohead.drawing.lettering import FAINT, shorten, text_width, write
from headtohead.drawing.outlines import TRUTH, Colour, by_colour, draw_outlines
from headtohead.errors import UserError
from headtohead.models.registry import find_spec
from headtohead.options.table import Options
from headtohead.options.training import TrainingOptions
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.sequence_names import sequence_title
from headtohead.reporting.sheet_folder import sheet_folder
from headtohead.saving import write_picture
from headtohead.task import Targets, Task

PATIENTS, EPOCHS = 5, 5
SIDE = 256  # small views are enlarged up to this many pixels
LARGE_LESION = 0.5  # a shown slice has at least this share of the lesion of its case's fullest slice
MARGIN, GAP, HEADER, ROW_TITLE, COLUMN_TITLE, LINE = 24, 8, 70, 24, 26, 22
PAPER = (255, 255, 255)


class Example(NamedTuple):
    """One training slice: its name, and (image uint8 RGB [S, S, 3], masks by colour [S, S]) as it is and augmented."""

    title: str
    views: list[tuple[np.ndarray, dict[Colour, np.ndarray]]]


def view_augmentation(options: Options) -> Path:
    """Carry out `--view_aug`: draw what `--train` with the same options would show a model.

    Returns:
        The picture's path.

    Raises:
        UserError: the data set is missing or damaged, or no training slice has a lesion.
    """
    training, inputs, comparison, data = options.training, options.input, options.comparison, options.data
    cohort = open_data(data)
    refuse_by_task(options, cohort.task)
    split = make_split(cohort, options.data.split, options.data.split_seed)
    recipe = InputRecipe.of(inputs, cohort.task, find_spec(options.model.architecture).normalise)
    several = recipe.channels > 1 and len(cohort.task.sequences) > 1
    rows, steps = make_rows(cohort, split, recipe, training), policy_lines(training, cohort.task if several else None)
    shown = legend_of(cohort.task) if several else "the image"
    sheet = draw_augmentation(rows, steps, training.seed, shown, cohort.task.targets)

    folder = sheet_folder(options.prediction.output, comparison.home)
    path = folder / f"augmentation-{training.augmentation}-s{training.seed}.png"
    write_picture(path, sheet[:, :, ::-1])
    return path


def make_rows(cohort: Cohort, split: Split, recipe: InputRecipe, training: TrainingOptions) -> list[Example]:
    """Collect slices of different training patients, by way of the very dataset that `--train` reads."""
    plain = SliceDataset(cohort, recipe)
    augmented = SliceDataset(cohort, recipe, training.augmentation, training.sequence_dropout, training.seed)
    rows = []
    split = replace(split, train=plain.cases.shown(split.train))
    for number in examples_to_show(cohort, split, np.random.default_rng(training.seed)):
        case, index = cohort.case_of(number)
        items = [plain[(0, number)]] + [augmented[(epoch, number)] for epoch in range(EPOCHS)]
        masks = [by_colour(np.moveaxis(item["mask"], 2, 0), cohort.task.targets, TRUTH) for item in items]
        views = [
            (shown_channels(view_in_bytes(item["image"]), cohort.task), own)
            for item, own in zip(items, masks, strict=True)
        ]
        rows.append(Example(f"{cohort.table['case'].iloc[case]}, slice {index + 1}", views))
    return rows


def in_colour(task: Task) -> bool:
    """Whether the sequences are shown as red, green and blue; the outlines of several targets would be lost in that."""
    return len(task.sequences) == 3 and len(task.targets) == 1


def shown_channels(view: np.ndarray, task: Task) -> np.ndarray:
    """Show a view, uint8 [S, S, C], as RGB [S, S, 3]: its own sequences in colour, or the primary one in grey."""
    if view.shape[-1] > 1 and in_colour(task):
        return np.ascontiguousarray(view[:, :, :3])
    channel = task.primary_channel if view.shape[-1] > 1 else 0
    return np.repeat(view[:, :, [channel]], 3, axis=-1)


def examples_to_show(cohort: Cohort, split: Split, rng: np.random.Generator) -> list[int]:
    """Draw training slices with much lesion, each of another patient: global slice numbers, ascending.

    Raises:
        UserError: there are none.
    """
    patients: dict[str, list[int]] = {}
    for case in split.cases(cohort, "train"):
        own = np.intersect1d(cohort.slices_of(int(case)), split.train)
        areas = cohort.masks(int(case)).sum(axis=(1, 2))[own - cohort.slices_of(int(case))[0]]
        large = own[(areas > 0) & (areas >= LARGE_LESION * areas.max())]
        patients.setdefault(str(cohort.table["patient"].iloc[case]), []).extend(large.tolist())
    candidates = [slices for slices in patients.values() if slices]
    if not candidates:
        raise UserError(
            f"`root_dir` {cohort.root}: no training slice has a lesion, so there is none to show; add cases"
        )
    chosen = rng.permutation(len(candidates))[:PATIENTS]
    return sorted(int(rng.choice(candidates[place])) for place in chosen)


def legend_of(task: Task) -> str:
    """Say what is shown of a slice of several sequences."""
    if not in_colour(task):
        return sequence_title(task.primary)
    return f"{', '.join(map(sequence_title, task.sequences))} as red, green, blue"


def policy_lines(training: TrainingOptions, task: Task | None) -> list[str]:
    """Name what is done to training slices in its order; of a task whose sequences may be dropped, that as well."""
    steps = []
    if training.sequence_dropout > 0 and task and task.stand_ins:
        (first, stand_in), *others = task.stand_ins.items()
        too = f", {' and '.join(sequence_title(one) for one, _ in others)} as well in {OTHERS_TOO:.0%} of these"
        steps.append(
            f"sequence dropout p={training.sequence_dropout:g} ({sequence_title(first)} replaced by "
            f"{sequence_title(stand_in)}{too if others else ''})"
        )
    steps += describe_policy(training.augmentation)
    return steps or ["none: training slices are used unchanged"]


def draw_augmentation(rows: list[Example], steps: list[str], seed: int, legend: str, targets: Targets) -> np.ndarray:
    """Lay the rows out, with titles and the transforms below: uint8 RGB.

    Args:
        rows: what to show; all with the same number of views of one size.
        steps: what was done to the augmented ones.
        seed: the seed they were drawn from.
        legend: what the colours of an image are.
        targets: whose outlines are drawn; of several, their names stand at the bottom.
    """
    columns, size = len(rows[0].views), rows[0].views[0][0].shape[0]
    scale = max(1, SIDE // size)
    side = size * scale
    width = 2 * MARGIN + columns * side + (columns - 1) * GAP
    lines = wrap(steps, width - 2 * MARGIN)
    height = HEADER + COLUMN_TITLE + len(rows) * (ROW_TITLE + side + GAP) + 18 + len(lines) * LINE + MARGIN
    canvas = np.full((height, width, 3), PAPER, np.uint8)
    write(canvas, "Training slices and their augmentation", MARGIN, 38, 22, bold=True)
    about = f"{legend}; outline: {'targets' if len(targets) > 1 else 'mask'}; {size}x{size} pixels; seed {seed}"
    write(canvas, shorten(about, width - 2 * MARGIN), MARGIN, 62, colour=FAINT)
    for column in range(columns):
        title = "original" if column == 0 else f"epoch {column}"
        write(canvas, title, MARGIN + column * (side + GAP), HEADER + COLUMN_TITLE - 6, 16, bold=True)
    top = HEADER + COLUMN_TITLE
    for row in rows:
        write(canvas, shorten(row.title, width - 2 * MARGIN, 14), MARGIN, top + ROW_TITLE - 7, 14, colour=FAINT)
        top += ROW_TITLE
        for column, (image, masks) in enumerate(row.views):
            left = MARGIN + column * (side + GAP)
            canvas[top : top + side, left : left + side] = draw_outlines(image, masks, scale)
        top += side + GAP
    for line in lines:
        top += LINE
        write(canvas, line, MARGIN, top + 8)
    if len(targets) == 1:
        return canvas
    return np.concatenate([canvas, drawn_legend([(one.name, (one.colour,)) for one in targets.all], width)])


def wrap(steps: list[str], room: int) -> list[str]:
    """Set the steps in lines of at most `room` pixels, where a single step fits."""
    lines = [steps[0]]
    for step in steps[1:]:
        longer = f"{lines[-1]}  ›  {step}"
        if text_width(longer) <= room:
            lines[-1] = longer
        else:
            lines[-1] += "  ›"
            lines.append(step)
    return [shorten(line, room) for line in lines]
