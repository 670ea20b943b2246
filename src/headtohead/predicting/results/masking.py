"""The image times its mask, in the image's own values and type: brain extraction, and dimming of all but the lesion."""

from pathlib import Path
from typing import Any

import numpy as np

from headtohead.errors import UserError
from headtohead.readers.file_names import is_volume
from headtohead.readers.pictures import read_pixels
from headtohead.saving import atomic_path, write_picture


def write_masked(source: Path, mask: np.ndarray, multiplier: float, path: Path) -> None:
    """Write an image whose values outside a mask are multiplied; those inside are the source's to the last bit.

    The mask is bool on the source's grid, three axes; (1, H, W) of a picture. A fourth axis of the source, such as time
    or channels, is masked throughout. The multiplier is from 0 to 1.

    Raises:
        UserError: the source's type of pixels does not fit the kind of file asked for.
    """
    write = _write_volume if is_volume(source) else _write_picture
    write(source, mask, multiplier, path)


def dim(values: np.ndarray, inside: np.ndarray, multiplier: float, zero: float = 0.0) -> np.ndarray:
    """Multiply stored values, of any shape and real type, outside a mask that fits; `zero` is stored for 0.

    Returns:
        The same shape and type, integers rounded. Where the stored value that is due does not fit the type, as an
        unsigned integer cannot stand for 0 once an offset is added, a wider integer type.
    """
    inside = np.broadcast_to(inside, values.shape)
    if multiplier == 1 or inside.all():
        return values.copy()
    # Plane by plane: all at once takes four volumes of float64.
    planes = [(..., number) for number in range(values.shape[-1])] if values.ndim > 2 else [(...,)]

    def changed(plane: Any) -> np.ndarray:
        outside = values[plane][~inside[plane]]
        if multiplier == 0:  # not by multiplication: NaN times 0 is NaN, and the background is to be 0
            found = np.full(outside.size, zero)
        else:
            found = outside * np.float64(multiplier) + (1 - multiplier) * zero
        return np.rint(found) if np.issubdtype(values.dtype, np.integer) else found

    dtype = values.dtype
    if np.issubdtype(dtype, np.integer):
        holds = np.iinfo(dtype)
        if any(((found < holds.min) | (found > holds.max)).any() for found in map(changed, planes)):
            dtype = np.dtype(np.int32 if dtype.itemsize < 4 else np.int64)
    result = values.astype(dtype)
    for plane in planes:
        result[plane][~inside[plane]] = changed(plane).astype(dtype)
    return result


def _write_volume(source: Path, mask: np.ndarray, multiplier: float, path: Path) -> None:
    import nibabel

    from headtohead.readers.nifti_file import open_volume

    image: Any = open_volume(source).image
    stored = np.asanyarray(image.dataobj.get_unscaled())
    slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
    inside = mask.reshape(stored.shape[:3] + (1,) * (stored.ndim - 3))
    header = image.header.copy()
    result = dim(stored, inside, multiplier, zero=-intercept / slope)
    header.set_data_dtype(result.dtype)
    masked = image.__class__(result, image.affine, header)
    # Only afterwards, because a new image forgets them; with them nibabel stores the array as it is.
    if isinstance(image, nibabel.Nifti1Image):  # MGH has none
        masked.header.set_slope_inter(slope, intercept)
    with atomic_path(path) as temporary:
        nibabel.save(masked, temporary)


def _write_picture(source: Path, mask: np.ndarray, multiplier: float, path: Path) -> None:
    pixels = read_pixels(source)
    if path.suffix == ".png" and pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f"{source}: PNG cannot hold pixels of type {pixels.dtype}; end the name in `outputs` in .tif")
    inside = mask[0]
    if pixels.ndim == 3:
        inside = np.repeat(inside[:, :, None], pixels.shape[2], axis=2)
        if pixels.shape[2] in (2, 4):
            inside[:, :, -1] = True  # transparency is no intensity
    write_picture(path, dim(pixels, inside, multiplier))
