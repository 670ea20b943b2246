"""Slices padded to a square around their middle and resized by splines, and the inverse."""

from dataclasses import dataclass

import cv2
import numpy as np

from headtohead.preparing.step import Made, SliceStep


@dataclass(frozen=True)
class Spline(SliceStep):
    """Pad to a square, the image in its middle, and resize by splines that overshoot no value of the image."""

    kind = "spline"
    size: int  # side in pixels of the square given to the model
    degree: int  # of the splines

    def over(self, slices: Made) -> Made:
        """The images become float32."""
        return Made(slices.number, lambda index: self.enlarge(slices.image(index)))

    def enlarge(self, image: np.ndarray) -> np.ndarray:
        """Resize [H, W, C] to float32 [size, size, C]."""
        from scipy import ndimage  # which other chains do without

        image = pad_to_square(image).astype(np.float32)
        zoom = self.size / len(image)
        # Channel by channel: SciPy would fit splines across the channels, too, which takes most of the time.
        planes = (np.ascontiguousarray(plane) for plane in np.moveaxis(image, 2, 0))
        large = [ndimage.zoom(one, zoom, order=self.degree, mode="grid-constant", grid_mode=True) for one in planes]
        return np.clip(np.stack(large, axis=-1), image.min(), image.max())

    def labelled(self, labels: np.ndarray) -> np.ndarray:
        """Each pixel gets the label of the nearest one."""
        from scipy import ndimage

        square = pad_to_square(labels[..., None])[..., 0]
        zoom = self.size / len(square)
        return ndimage.zoom(square, zoom, order=0, mode="grid-constant", grid_mode=True)

    def undone(self, values: np.ndarray, height: int, width: int) -> np.ndarray:
        """Bring float32 [size, size] onto the source grid: float32 [height, width]."""
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        square = cv2.resize(values, (side, side), interpolation=cv2.INTER_LINEAR)
        return square[top : top + height, left : left + width]


def pad_to_square(image: np.ndarray) -> np.ndarray:
    """Pad [H, W, C] with zeros to a square, the image in its middle; an odd row or column to spare comes last."""
    side = max(image.shape[:2])
    spare = [side - extent for extent in image.shape[:2]]
    return np.pad(image, [*((total // 2, total - total // 2) for total in spare), (0, 0)])
