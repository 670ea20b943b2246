"""The input recipe: how slices of a case become what a model sees, and a probability gets back onto the source grid.

It is saved with every model; prediction applies exactly what training did. Only numpy and OpenCV are needed.
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from headtohead.errors import UserError
from headtohead.options.input import InputOptions
from headtohead.preparing.head import head_mask, inner_head, intensity_statistics
from headtohead.preparing.intensities import BETWEEN
from headtohead.task import Task

UNIT = np.array([[0.0, 255.0]], np.float32)
FIXED_STATISTICS = {
    "unit": np.repeat(UNIT, 3, axis=0),
    # Mean and deviation of ImageNet's colours (torchvision's published constants), times 255.
    "imagenet": np.array([[123.675, 58.395], [116.28, 57.12], [103.53, 57.375]], np.float32),
    "slice": UNIT,
}
"""Normalisations with fixed numbers: (centre, scale) per channel."""

SLICE_CAP = 97
"""Percentile of a slice at which `slice` normalisation clips: bright fat would darken the rest."""

RGB, BGR = "rgb", "bgr"
"""Orders of three sequences; the middle one has the same place in both."""

CLIP = 8.0
"""Scaled values are kept within this many deviations: a far brighter scalp must not dominate a net."""


@dataclass(frozen=True)
class InputRecipe:
    """What a model sees of a case.

    Attributes:
        image_size: side in pixels of the square given to the model.
        normalise: `inner`, `zscore`, `unit` or `imagenet`; or `slice`: one channel, each slice scaled by itself as
            `scale_slice` does, which belongs to a model and cannot be asked for.
        neighbours: the number of slices before and after that add their primary sequence as channels; at the ends of a
            case the first or last slice stands in for what is not there. None with `slice`.
        channel_order: `rgb`: pre-contrast, FLAIR, post-contrast. `bgr` replays a historical fault: the three are
            reversed, their statistics are not.
        primary: channel of the primary sequence.
        sequences: channels that a slice has of its own. A volume of one channel is in all of them.

    Raises:
        ValueError: `slice` with neighbours.
    """

    image_size: int
    normalise: str
    neighbours: int
    channel_order: str = RGB
    primary: int = 1
    sequences: int = 3

    def __post_init__(self) -> None:
        if self.normalise == "slice" and self.neighbours:
            raise ValueError("a slice that is scaled by itself has no neighbours")

    @classmethod
    def of(cls, inputs: InputOptions, task: Task, tied: str = "") -> "InputRecipe":
        """Settle the recipe of a model.

        Args:
            inputs: what the user wants.
            task: whose sequences it sees.
            tied: the scaling that belongs to the model, which then decides; empty: there is none.

        Raises:
            UserError: ImageNet's three colours are asked for, but there are not three channels.
        """
        neighbours = 0 if tied else inputs.neighbours
        # A single sequence is in all three.
        primary, sequences = (1, 3) if len(task.sequences) == 1 else (task.primary_channel, len(task.sequences))
        if (tied or inputs.normalise) == "imagenet" and sequences != 3:
            raise UserError(f"--normalise imagenet: knows three channels, but {task.name} has {sequences} sequences")
        return cls(inputs.image_size, tied or inputs.normalise, neighbours, inputs.channel_order, primary, sequences)

    @property
    def channels(self) -> int:
        """Input channels of the model: the slice's own, then the primary sequence of the neighbours in order."""
        return 1 if self.normalise == "slice" else self.sequences + 2 * self.neighbours

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for a checkpoint or run.json; without what earlier versions left out, where it is as then."""
        facts = asdict(self)
        if self.channel_order == RGB:
            del facts["channel_order"]
        if self.primary == 1:
            del facts["primary"]
        if self.sequences == 3:
            del facts["sequences"]
        return facts

    def view(self, volume: np.ndarray, index: int) -> np.ndarray:
        """Show one slice of a volume as the model sees it, before scaling.

        Args:
            volume: uint8, uint16 or float32 [slices, H, W, sequences], or [slices, H, W, 1].
            index: which slice.

        Returns:
            [image_size, image_size, channels] of the volume's type (float32 in units of 8 bits for uint16), uint8 with
            `slice`; the image is padded to a square (zeros on the right and at the bottom) before resizing, so its
            aspect is kept.
        """
        if self.normalise == "slice":
            only = self.primary if volume.shape[-1] > self.primary else 0
            return self.fit(scale_slice(volume[index, :, :, only]))[:, :, None]
        if volume.shape[-1] == 1:
            volume = np.broadcast_to(volume, (*volume.shape[:-1], self.sequences))
        # One after the other: OpenCV's resizing by area takes four channels at most.
        planes = [self.fit(volume[place, :, :, self.primary]) for place in self.around(index, len(volume))]
        own = self.fit(volume[index])
        return np.dstack([own if self.channel_order == RGB else own[..., ::-1], *planes])

    def around(self, index: int, slices: int) -> list[int]:
        """List the slices whose primary sequence becomes a channel of a slice, in the order of the channels."""
        steps = (step for step in range(-self.neighbours, self.neighbours + 1) if step)
        return [min(max(index + step, 0), slices - 1) for step in steps]

    def fit(self, image: np.ndarray) -> np.ndarray:
        """Pad to a square and resize by area: [H, W] or [H, W, C] to [image_size, image_size(, C)].

        The type is kept, but 16 bits become float32 in units of 8 bits.
        """
        size = (self.image_size, self.image_size)
        if image.dtype == np.uint16:
            image = image.astype(np.float32) / BETWEEN
        return cv2.resize(_to_square(image), size, interpolation=cv2.INTER_AREA)

    def fit_mask(self, mask: np.ndarray) -> np.ndarray:
        """Bring a mask {0, 1} to the model's grid: uint8 [image_size, image_size], the majority of each area."""
        return (self.fit(mask * np.uint8(255)) > 127).astype(np.uint8)

    def back(self, probability: np.ndarray, height: int, width: int) -> np.ndarray:
        """Bring a model's probability back onto the source grid, undoing `fit`.

        Args:
            probability: float32 [image_size, image_size].
            height: of the source grid.
            width: of the source grid.

        Returns:
            float32 [height, width].
        """
        side = max(height, width)
        square = cv2.resize(probability, (side, side), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(square[:height, :width])

    def measure(self, volume: np.ndarray) -> np.ndarray:
        """Statistics of a volume that is in no cohort: float32 [sequences, 2] (centre, scale) in uint8 units.

        Args:
            volume: uint8 [slices, H, W, sequences], or [slices, H, W, 1]. With `slice`, whose slices need none, any
                volume, and the answer is [1, 2].
        """
        if (fixed := self.fixed_statistics()) is not None:
            return fixed
        head = head_mask(volume)
        return intensity_statistics(volume, inner_head(head) if self.normalise == "inner" else head, self.normalise)

    def fixed_statistics(self) -> np.ndarray | None:
        """Give statistics that are the same for every volume, as `measure` does; None where they are measured."""
        fixed = FIXED_STATISTICS.get(self.normalise)
        return np.repeat(UNIT, self.sequences, axis=0) if self.normalise == "unit" else fixed

    def channel_statistics(self, statistics: np.ndarray) -> np.ndarray:
        """Give each channel its statistics: float32 [sequences, 2], or [1, 2] of a single one, to [channels, 2]."""
        if self.normalise == "slice":
            return statistics
        if len(statistics) == 1:
            statistics = np.repeat(statistics, self.sequences, axis=0)
        return np.concatenate([statistics, np.repeat(statistics[self.primary, None], 2 * self.neighbours, axis=0)])

    def scale(self, view: np.ndarray, statistics: np.ndarray) -> np.ndarray:
        """Scale what `view` gave: uint8 [..., channels] with float32 [channels, 2] to float32 [..., channels]."""
        scaled = (view.astype(np.float32) - statistics[:, 0]) / statistics[:, 1]
        return np.clip(scaled, -CLIP, CLIP)


def scale_slice(image: np.ndarray) -> np.ndarray:
    """Scale one slice as the fetal brain masking system does: by its own percentile, to whole numbers.

    Args:
        image: [H, W] of any type, finite.

    Returns:
        uint8 [H, W], 255 where it reaches its 97th percentile; all 0 where that is not above 0.
    """
    positive = np.maximum(image.astype(np.float32), 0)
    capped = np.minimum(positive, np.percentile(positive, SLICE_CAP))
    brightest = capped.max()
    if brightest <= 0:
        return np.zeros(image.shape, np.uint8)
    return (capped / brightest * 255).round().astype(np.uint8)


def _to_square(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if height == width:
        return image
    side = max(height, width)
    padding = [(0, side - height), (0, side - width)] + [(0, 0)] * (image.ndim - 2)
    return np.pad(image, padding)
