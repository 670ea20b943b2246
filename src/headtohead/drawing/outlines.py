"""Outlines of masks on images: every contour, holes too, thin, in colours that colour-blind readers tell apart."""

import cv2
import numpy as np

from headtohead.task import Targets

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), the part of it that shows on a dark image; RGB.
PALETTE: dict[str, tuple[int, int, int]] = {
    "orange": (230, 159, 0),
    "sky": (86, 180, 233),
    "green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "vermilion": (213, 94, 0),
    "purple": (204, 121, 167),
    "white": (255, 255, 255),
}
ON_PAPER = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""What of it reads well on white, for charts."""
TRUTH = "sky"
PREDICTION = "orange"

Colour = str | tuple[int, int, int]


def draw_outlines(image: np.ndarray, masks: dict[Colour, np.ndarray], scale: int = 1) -> np.ndarray:
    """Draw the outline of each mask on a copy of an image.

    An outline lies on the mask's own outermost pixels, so it never claims a pixel the mask does not have, and
    a lesion of one pixel is still seen. Where outlines coincide they alternate, so none hides another.

    Args:
        image: uint8 [H, W] grey or [H, W, 3] RGB.
        masks: colour (a name of `PALETTE` or RGB) -> mask [H, W], nonzero inside. Drawn in this order.
        scale: drawn pixels per image pixel, along each side. Lines stay thin: they do not grow with the pixels.

    Returns:
        uint8 RGB [H * scale, W * scale, 3].
    """
    drawn = enlarge(image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2), scale)
    if not masks:
        return drawn
    width = 1 if scale < 5 else 2
    rings = np.stack([outline(enlarge((mask != 0).astype(np.uint8), scale), width) for mask in masks.values()])
    # The n-th outline through a pixel wins where the pixel's diagonal stripe has number n.
    crowd = rings.sum(axis=0)
    rows, columns = np.indices(crowd.shape, sparse=True)
    turn = (rows + columns) // (2 * width + scale) % np.maximum(crowd, 1)
    for ring, order, colour in zip(rings, np.cumsum(rings, axis=0) - 1, masks, strict=True):
        drawn[ring & (order == turn)] = rgb(colour)
    return drawn


def by_colour(masks: np.ndarray, targets: Targets, single: Colour) -> dict[Colour, np.ndarray]:
    """Give the masks of targets, [K, H, W], their colours for `draw_outlines`: colour -> bool [H, W].

    Targets of one colour are drawn as one; a target that is the only one has the colour `single`.
    """
    if len(targets) == 1:
        return {single: masks[0] != 0}
    drawn: dict[Colour, np.ndarray] = {}
    for target, mask in zip(targets.all, masks, strict=True):
        drawn[target.colour] = (mask != 0) | drawn.get(target.colour, False)
    return drawn


def overlaid(truth: np.ndarray | None, prediction: np.ndarray, targets: Targets) -> dict[Colour, np.ndarray]:
    """Give the masks of a truth, if there is one, and of a prediction, [K, H, W] each, their colours as `by_colour`.

    Of several targets, the truth is lighter than the prediction.
    """
    predicted = by_colour(prediction, targets, PREDICTION)
    if truth is None:
        return predicted
    true = by_colour(truth, targets, TRUTH)
    return (true if len(targets) == 1 else {lighter(colour): mask for colour, mask in true.items()}) | predicted


def named_colours(targets: Targets, truth: bool = True) -> list[tuple[str, tuple[Colour, ...]]]:
    """Give the words of the legend of `overlaid` and their colours: of several targets, light for the truth."""
    lone: list[tuple[str, tuple[Colour, ...]]] = [("truth", (TRUTH,)), ("prediction", (PREDICTION,))]
    if len(targets) == 1:
        return lone if truth else lone[1:]
    each: list[tuple[str, tuple[Colour, ...]]] = [
        (target.name, (lighter(target.colour), target.colour) if truth else (target.colour,)) for target in targets.all
    ]
    return [*each, ("(light: truth)", ())] if truth else each


def outline(mask: np.ndarray, width: int = 1) -> np.ndarray:
    """The rims of all parts of a mask [H, W] and around all holes: bool; the image's edge counts as outside."""
    inside = (mask != 0).astype(np.uint8)
    core = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=width, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return (inside != 0) & (core == 0)


def enlarge(image: np.ndarray, scale: int) -> np.ndarray:
    """Repeat every pixel of [H, W] or [H, W, C] `scale` times along both sides, as a new array; nothing is smoothed."""
    return np.repeat(np.repeat(image, scale, axis=0), scale, axis=1)


def hexadecimal(colour: Colour) -> str:
    """Write a colour as pages do: `#d62728`."""
    return "#" + "".join(f"{part:02x}" for part in rgb(colour))


def lighter(colour: Colour) -> Colour:
    """Give a colour mixed with as much white: that of a target's truth beside its prediction."""
    red, green, blue = ((part + 255) // 2 for part in rgb(colour))
    return red, green, blue


def rgb(colour: Colour) -> tuple[int, int, int]:
    """The RGB of a palette name, or the RGB given."""
    return PALETTE[colour] if isinstance(colour, str) else colour
