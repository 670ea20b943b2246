"""Preparation of a volume as the published FLAIR abnormality U-Net wants it, and its inverse.

Buda, Saha, Mazurowski: Association of genomic subtypes of lower-grade gliomas with shape features automatically
extracted by a deep learning algorithm. Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002.
"""

import cv2
import numpy as np
from scipy import ndimage

from headtohead.trained.volume import in_bytes, three_sequences

SIZE = 256
DARK = 0.1
"""Share of the volume's brightest voxel below which a voxel is taken for nothing."""
WINDOW = (10, 99)
"""Percentiles of the prepared volume that intensities are cut off at."""
SPLINE = 2
"""Order of the splines that images are resized with."""


class BudaVolume:
    """A volume without its first and last slice, cropped to what is not dark, windowed, and scaled by channel."""

    def __init__(self, volume: np.ndarray, in_channels: int = 3, primary: int = 1) -> None:
        """Prepare a volume.

        Args:
            volume: uint8 or float32 [slices, H, W, C], finite. Of one or two slices none is dropped.
            in_channels: channels of the model; a single sequence stands for all of its three, and where it takes one,
                the primary sequence is picked out of three.
            primary: which of three sequences that is.
        """
        self.shape: tuple[int, int, int] = (len(volume), volume.shape[1], volume.shape[2])
        if in_channels == 1 and volume.shape[-1] == 3:
            volume = volume[..., primary : primary + 1]
        volume = in_bytes(volume)
        if in_channels == 3:
            volume = three_sequences(volume)
        first = 1 if len(volume) > 2 else 0
        kept = volume[first : len(volume) - first]
        kept = np.where(kept < DARK * float(kept.max()), 0, kept)
        self.box = lit_box(kept)
        cropped = kept[self.box]
        # From here on counted in the whole volume.
        self.box = (slice(self.box[0].start + first, self.box[0].stop + first), *self.box[1:])
        self.before = tuple((max(cropped.shape[1:3]) - side) // 2 for side in cropped.shape[1:3])
        self.scaled = scale(np.stack([enlarge(pad_to_square(image)) for image in cropped]))

    @property
    def n(self) -> int:
        """One input a slice within the box."""
        return len(self.scaled)

    def input(self, index: int) -> np.ndarray:
        """Give one slice: float32 [C, 256, 256]."""
        return np.ascontiguousarray(self.scaled[index].transpose(2, 0, 1))

    def restore(self, probability: np.ndarray) -> np.ndarray:
        """Bring probability float32 [n, 256, 256] onto the volume's grid [slices, H, W]; 0 outside the box."""
        rows, columns = self.box[1], self.box[2]
        height, width = rows.stop - rows.start, columns.stop - columns.start
        top, left = self.before
        side = max(height, width)
        whole = np.zeros(self.shape, np.float32)
        for place, one in enumerate(probability, start=self.box[0].start):
            square = cv2.resize(one, (side, side), interpolation=cv2.INTER_LINEAR)
            whole[place, rows, columns] = square[top : top + height, left : left + width]
        return whole


def lit_box(volume: np.ndarray) -> tuple[slice, slice, slice]:
    """Find the smallest box that holds every voxel above 0 in any channel; all of the volume where there is none.

    Args:
        volume: [slices, H, W, C].
    """
    lit = np.asarray(volume.any(axis=-1))
    if not lit.any():
        return slice(0, lit.shape[0]), slice(0, lit.shape[1]), slice(0, lit.shape[2])
    ends = [np.flatnonzero(lit.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    z, y, x = (slice(int(found[0]), int(found[-1]) + 1) for found in ends)
    return z, y, x


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """Pad [H, W, C] with zeros to a square, the image in its middle; an odd row or column to spare comes last."""
    side = max(image.shape[:2])
    spare = [side - extent for extent in image.shape[:2]]
    return np.pad(image, [*((total // 2, total - total // 2) for total in spare), (0, 0)])


def enlarge(image: np.ndarray) -> np.ndarray:
    """Resize a square [H, H, C] to float32 [256, 256, C] by splines, that overshoot no value of the image."""
    image = image.astype(np.float32)
    zoom = (SIZE / image.shape[0], SIZE / image.shape[1], 1)
    large = ndimage.zoom(image, zoom, order=SPLINE, mode="grid-constant", grid_mode=True)
    return np.clip(large, image.min(), image.max())


def scale(volume: np.ndarray) -> np.ndarray:
    """Cut [n, S, S, C] off at the volume's percentiles, then to mean 0 and deviation 1 by channel; constant: 0."""
    volume = np.clip(volume, *np.percentile(volume, WINDOW))
    centre, spread = volume.mean(axis=(0, 1, 2)), volume.std(axis=(0, 1, 2))
    return ((volume - centre) / np.where(spread > 0, spread, 1)).astype(np.float32)
