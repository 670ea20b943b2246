"""Which values of a label map are which target: as `labels` says, and as a file holds them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError
from headtohead.task import Target, Targets
from headtohead.task.targets import CLASSES, COLOURS, LARGEST_LABEL, REGIONS

LESION = Targets((Target("lesion", (1,)),))
"""Where nobody says what masks outline."""

BACKGROUND = "background"
"""In place of a target's name: the values count as background."""

WHITE = (255, 65535)
"""What pictures of 8 and 16 bits write for a structure, whatever its label is."""

EXAMPLE = "'whole tumour=1,2,4;enhancing=4'"


def targets_of(text: str) -> Targets:
    """Make targets of `name=values;name=values`.

    Targets that share a value are regions, others classes; a single one is a region. Of regions the outer one comes
    first.

    Raises:
        UserError: it is no such text, or no targets can be made of it.
    """
    named: dict[str, tuple[int, ...]] = {}
    for part in filter(str.strip, text.split(";")):
        name, equals, values = part.partition("=")
        name = " ".join(name.split())
        if not equals or not name:
            raise UserError(f"`labels` {text}: {part.strip()} is not name=values; an example: {EXAMPLE}")
        if name in named:
            raise UserError(f"`labels` {text}: names {name} twice; give it all its values at once")
        try:
            if "_" in values:  # int() would take 1_2 for 12
                raise ValueError
            named[name] = tuple(sorted({int(value) for value in values.split(",")}))
        except ValueError:
            raise UserError(
                f"`labels` {text}: the values of {name} are not whole numbers; an example: {EXAMPLE}"
            ) from None
    return make_targets(named, f"`labels` {text}")


def targets_in_text(targets: Targets) -> str:
    """Write targets as `targets_of` reads them."""
    named = {one.name: one.labels for one in targets.all} | ({BACKGROUND: targets.others} if targets.others else {})
    return ";".join(f"{name}={','.join(map(str, values))}" for name, values in named.items())


def make_targets(named: dict[str, tuple[int, ...]], source: str, kind: str = "") -> Targets:
    """Make targets of names and values, those of `background` among them.

    Of several, no kind means regions where they share a value, else classes.

    Raises:
        UserError: begins with `source`, which is where they stand.
    """
    others = tuple(value for value in named.get(BACKGROUND, ()) if value)
    wanted = {name: values for name, values in named.items() if name != BACKGROUND}
    try:
        targets = tuple(
            Target(name, values, COLOURS[place % len(COLOURS)]) for place, (name, values) in enumerate(wanted.items())
        )
        values = [value for target in targets for value in target.labels]
        shared = len(set(values)) < len(values)
        kind = REGIONS if len(targets) == 1 else kind or (REGIONS if shared else CLASSES)
        return Targets(targets, kind, others)
    except ValueError as fault:
        raise UserError(f"{source}: {fault}") from fault


@dataclass
class Marks:
    """What marks the target in the masks of one folder that are scored, where there is one target.

    Attributes:
        named: somebody said what the labels are, so that another value is another structure.
        pictures: the masks are pictures, in which white stands for the target.
        first: where nobody named labels: the value of the masks that were read, and the file that had it first.
    """

    named: bool
    pictures: bool
    first: tuple[int, str] | None = None

    def only(self, name: str, value: int, targets: Targets) -> bool:
        """Say whether a mask's only value besides 0 is the target, where it need not be a label of it.

        Raises:
            UserError: nobody named labels, and another mask of the folder has another value.
        """
        if self.named:
            return self.pictures and value in WHITE and value not in (*targets.labels, *targets.others)
        first, file = self.first = self.first or (value, name)
        if value != first:
            raise UserError(
                f"{name}: its mask is {value}, but that of {file} is {first}; say with `labels` what the values "
                "mean, or write one value in all masks"
            )
        return True


def labels_of(
    name: str, values: np.ndarray, targets: Targets, united: bool = False, marks: Marks | None = None
) -> NDArray[np.unsignedinteger]:
    """Take the values of a mask file for labels.

    With one target that is label 1, 0 and one other value are a mask, whatever that value is. Else the values are
    whole numbers, each of them a label that the targets know.

    Args:
        name: of the file, for messages.
        values: finite.
        targets: of the task.
        marks: of the folder, for masks that are scored: decides in place of "whatever that value is".
        united: with one target, take every label for it: masks beside a scan to be predicted come from any program.

    Returns:
        uint8 of the same shape, or uint16 where a label needs it.

    Raises:
        UserError: it is no label map of these targets.
    """
    levels = np.unique(values)
    inside = levels[levels != 0]
    whole = bool(((inside > 0) & (inside <= LARGEST_LABEL) & (inside == np.rint(inside))).all())
    alone = len(targets) == 1
    if alone and (_is_mask(name, inside, targets, whole, marks) or (united and whole)):
        label = targets.labels[0]
        return (values != 0) * np.array(label, np.uint8 if label < 256 else np.uint16)
    strays: tuple[int, ...] = ()
    if whole:
        kind = np.uint8 if inside[-1:].max(initial=0) < 256 else np.uint16
        strays = targets.strays(inside.astype(kind))
        if not strays:
            return values.astype(kind)
        if marks:
            held = ", ".join(map(str, strays[:4])) + (", ..." if len(strays) > 4 else "")
            due = ", ".join(map(str, sorted({0, *targets.labels, *targets.others})))
            raise UserError(
                f"{name}: holds {held}, which is no label of the truth ({due}); convert the mask, or say with "
                "`labels` which values are which target"
            )
    some = ", ".join(f"{level:g}" for level in levels[:4]) + (", ..." if len(levels) > 4 else "")
    if alone and targets.labels == (1,) and not marks:
        raise UserError(
            f"{name}: a mask must hold 0 and one other value, but this one holds {some}; make it binary, or name its "
            "values with `labels`"
        )
    due = ", ".join(map(str, targets.labels))
    odd, mend = f"it holds {some}, but labels are whole numbers", "correct the map"
    if strays:
        named = ",".join(map(str, strays[:8])) + (",..." if len(strays) > 8 else "")
        odd = f"label {strays[0]} belongs to no target"
        mend += f", or train with `labels` that name it too: as background={named}, or as a target's"
    raise UserError(f"{name}: {odd}; the labels of this task are {due}; {mend}")


def _is_mask(name: str, inside: np.ndarray, targets: Targets, whole: bool, marks: Marks | None) -> bool:
    """Say whether the values of a file besides 0 are one that marks the only target, whatever its labels are."""
    if marks and len(inside) == 1 and whole:
        return marks.only(name, int(inside[0]), targets)
    if marks:
        return False
    return len(inside) <= 1 and targets.labels == (1,) and not set(inside.tolist()) & set(targets.others)
