"""Clean-up of masks in named steps, such as `largest,fill,min_size=0.1ml,close=2mm`: read, checked and carried out.

The steps are for every target, or for those that are named: `whole tumour:largest;enhancing:min_size=0.1ml`.

Masks are [slices, H, W]. Beyond its edges a volume is taken to go on as it ends, so that a lesion cut by the edge is
neither worn away nor stretched there, and a single slice is cleaned as a plane.
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headtohead.errors import UserError, did_you_mean
from headtohead.predicting.cleaning import shapes
from headtohead.predicting.cleaning.shapes import Element, Mask, Spacing
from headtohead.scoring.components import bounding_box, largest_component, without_small
from headtohead.task import Targets

Labels = NDArray[np.unsignedinteger]
"""A label map: uint8 or uint16 [slices, H, W]."""

LENGTHS = ("mm", "vox", "px")
VOLUMES = ("vox", "mm3", "ml")
UNITS = {
    "largest": (),
    "fill": (),
    "min_size": VOLUMES,
    "close": (*LENGTHS, "cube"),
    "open": (*LENGTHS, "cube"),
    "dilate": LENGTHS,
    "erode": LENGTHS,
}
"""The steps, and the units that the amount of each may have; () takes none. A cube moves what it only dilates."""

NONE = "none"
MM3 = {"mm3": 1.0, "ml": 1000.0}
SHAPES = {"close": shapes.close_gaps, "open": shapes.open_bridges, "dilate": shapes.dilate, "erode": shapes.erode}
WIDEST = 32
"""Voxels that a length may span. More means an odd spacing, and would take minutes."""

AMOUNT = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([a-z][a-z0-9]*)?")


@dataclass(frozen=True)
class CleaningStep:
    """One step of a clean-up: a key of `UNITS`, its amount above 0 and the unit, for those that take one."""

    name: str
    amount: float = 0.0
    unit: str = ""

    def __str__(self) -> str:
        """The step as it is given."""
        return f"{self.name}={self.amount:g}{self.unit}" if self.unit else self.name


@dataclass(frozen=True)
class CleanUp:
    """The steps of each target, by its name; those under the empty name are for all targets that are not named."""

    steps: tuple[tuple[str, tuple[CleaningStep, ...]], ...] = ()

    def of(self, target: str) -> tuple[CleaningStep, ...]:
        """Give the steps for a target."""
        named = dict(self.steps)
        return named.get(target, named.get("", ()))

    def __bool__(self) -> bool:
        """Whether there is any step."""
        return any(steps for _, steps in self.steps)

    def __str__(self) -> str:
        """As it is given; empty where there is no step."""
        texts = ((name, ",".join(map(str, steps))) for name, steps in self.steps)
        return ";".join(f"{name}:{text or NONE}" if name else text for name, text in texts if name or text)


NO_CLEAN_UP = CleanUp()


def parse_clean_up(text: str, targets: Targets, label: str = "`postprocessing`") -> CleanUp:
    """Read a clean-up, such as `largest`, or `whole tumour:largest;min_size=0.1ml`; messages name it by `label`.

    Raises:
        UserError: as `parse_steps`, or no target has the name, or two clean-ups are for one target.
    """
    found: dict[str, tuple[CleaningStep, ...]] = {}
    for part in text.split(";"):
        name, colon, steps = part.rpartition(":")
        name = name.strip()
        if colon and name not in targets.names:
            guess = did_you_mean(name, targets.names) or f"; its targets are {', '.join(targets.names)}"
            raise UserError(f"{label} {text.strip()}: {name or 'nothing'} is no target of the model{guess}")
        if name in found:
            raise UserError(f"{label} {text.strip()}: two clean-ups for {name or 'all targets'}; give each target one")
        found[name] = parse_steps(steps, label)
    return CleanUp(tuple(found.items()))


def parse_steps(text: str, label: str = "`postprocessing`") -> tuple[CleaningStep, ...]:
    """Read steps with commas between them; nothing, or `none`, is no step. `label` is as `parse_clean_up` takes it.

    Raises:
        UserError: a step is unknown, or its amount is missing, not a number above 0, or of a wrong unit.
    """
    words = [word.strip().lower() for word in text.split(",")]
    if words in ([""], [NONE]):
        return ()
    return tuple(_parse_step(word, f"{label} {text.strip()}") for word in words)


def _parse_step(word: str, label: str) -> CleaningStep:
    name, equals, given = (part.strip() for part in word.partition("="))
    if name == NONE:
        raise UserError(f"{label}: none takes no further steps; leave it out, or leave out the others")
    if not name:
        raise UserError(f"{label}: a step is missing next to a comma; remove the comma")
    if name not in UNITS:
        guess = did_you_mean(name, UNITS) or f"; the steps are {', '.join(UNITS)}"
        raise UserError(f"{label}: no such step{guess}")
    units = UNITS[name]
    if not units:
        if equals:
            raise UserError(f"{label}: {name} takes no amount; leave ={given} out")
        return CleaningStep(name)
    example = f"such as {name}=2{units[0]}"
    found = AMOUNT.fullmatch(given)
    if not found or not 0 < float(found[1]) < math.inf:
        raise UserError(f"{label}: {name} takes an amount above 0 and its unit, {example}")
    amount, unit = float(found[1]), found[2] or ""
    if unit not in units:
        wrong = f"the unit of {given} is missing" if not unit else f"{unit} is no unit of {name}"
        raise UserError(f"{label}: {wrong}; it takes {', '.join(units)}, {example}")
    if unit == "cube" and not amount.is_integer():
        raise UserError(f"{label}: {name}={given}: the side of a cube is a whole number of voxels")
    return CleaningStep(name, amount, unit)


def clean(mask: Mask, steps: tuple[CleaningStep, ...], spacing: Spacing | None) -> Mask:
    """Carry out the steps of a clean-up in their order; the mask itself is left as it is, an empty one stays empty.

    Raises:
        UserError: a step is in millimetres and the spacing unknown, or it reaches across more than `WIDEST` voxels.
    """
    spacing = spacing if spacing and all(math.isfinite(one) and one > 0 for one in spacing) else None
    for step in steps:
        least = _voxels(step, spacing) if step.name == "min_size" else 0
        element = _element(step, spacing) if step.name in SHAPES else np.ones((1, 1, 1), bool)
        box = bounding_box(mask)
        if box is None:
            continue
        # Where the mask is and as far around it as the step reaches; most of a volume is neither.
        near = tuple(
            slice(max(side.start - reach // 2, 0), min(side.stop + reach // 2, size))
            for side, reach, size in zip(box, element.shape, mask.shape, strict=True)
        )
        part, mask = mask[near], np.zeros_like(mask)
        if step.name == "largest":
            mask[near] = largest_component(part)
        elif step.name == "fill":
            mask[near] = shapes.fill_holes(part)
        elif step.name == "min_size":
            mask[near] = without_small(part, least)
        else:
            mask[near] = SHAPES[step.name](part, element)
    return mask


def clean_labels(labels: Labels, targets: Targets, clean_up: CleanUp, spacing: Spacing | None) -> Labels:
    """Clean a label map target by target, in their order.

    What is removed from a region is removed from those within it, too.

    Raises:
        UserError: as `clean`.
    """
    channels = targets.encode(labels)
    for place, target in enumerate(targets.all):
        cleaned = clean(channels[place], clean_up.of(target.name), spacing)
        for later, other in enumerate(targets.all[place + 1 :], place + 1):
            if set(other.labels) <= set(target.labels):
                channels[later] &= cleaned
        channels[place] = cleaned
    return targets.decode(channels)


def _voxels(step: CleaningStep, spacing: Spacing | None) -> float:
    if step.unit == "vox":
        return step.amount
    if spacing is None:
        raise UserError(f"{step}: the size of a voxel is unknown here; give the size in vox")
    # A hair less: 0.1 ml of voxels of 1 mm are 100, not the 101st.
    return step.amount * MM3[step.unit] / math.prod(spacing) * (1 - 1e-6)


def _element(step: CleaningStep, spacing: Spacing | None) -> Element:
    if step.unit == "mm" and spacing is None:
        raise UserError(f"{step}: the size of a voxel is unknown here; give the length in px (within a slice) or vox")
    radius = step.amount
    # A disk is an ellipsoid where the next slice is out of reach; a cube has its amount for a side.
    units = {"vox": (1.0, 1.0, 1.0), "px": (2 * radius + 1, 1.0, 1.0), "cube": (2.0, 2.0, 2.0)}
    sides = spacing if spacing and step.unit == "mm" else units[step.unit]
    reach = radius / min(sides)
    if reach > WIDEST:
        raise UserError(
            f"{step}: spans {reach:.0f} voxels here, at most {WIDEST} are allowed; use a smaller length, or px or vox"
        )
    if step.unit == "cube":
        size = int(radius) // 2 * 2 + 1
        element = np.zeros((size,) * 3, bool)
        element[(slice(size - int(radius), size),) * 3] = True
        return element
    halves = [math.floor(radius / side * (1 + 1e-5)) for side in sides]
    axes = np.ogrid[tuple(slice(-half, half + 1) for half in halves)]
    distance = sum((axis * side) ** 2 for axis, side in zip(axes, sides, strict=True))
    # Files keep spacings in 32 bits: 2 mm must reach the second voxel of 1.0000001 mm.
    return np.asarray(distance <= (radius * (1 + 1e-5)) ** 2)
