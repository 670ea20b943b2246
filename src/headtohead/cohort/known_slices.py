"""Slices that are recognised again in another cohort: copies of one scan, under any name and however it was scaled."""

import zlib

import cv2
import numpy as np

from headtohead.cohort.cohort import Cohort

SIDE = 64  # pixels of the small picture that is hashed
HASH_SIDE = 8  # lowest frequencies of the cosine transform along each side
NEAR = 4  # bits of the hash in which a copy may differ: of 99 % that are scaled otherwise, no more do
PACKED = 0.1
"""Of its bytes: what is packed further than that says too little to be one person's."""

BLUR = 3.0
"""Standard deviation in pixels: what is coarser is anatomy that all heads share."""

SAME = 0.9
"""Correlation of the fine detail of two slices that are one. On LGG, where the greys of one are scaled and cut off
otherwise, it is .97 at least; between different patients whose hashes agree, .05 at most."""


def same_pixels(cohort: Cohort, other: Cohort) -> dict[str, str]:
    """Find the cases of a cohort that share a slice of the primary sequence with a case of another: its name there.

    One is enough: a copy may lack slices, and its greys, which are scaled case by case, then differ a little. What
    different patients may share does not count, as `is_of_one_person` says.
    """
    sizes = {size for _, size in _sizes(cohort)} & {size for _, size in _sizes(other)}
    places, hashes = [], []
    for case, size in _sizes(other):
        for number, image in enumerate(other.primary(case) if size in sizes else ()):
            places.append((case, number))
            hashes.append(perceptual_hash(shrink(image)))
    known, found = np.array(hashes, np.uint64), {}
    for case, size in _sizes(cohort):
        for image in cohort.primary(case) if size in sizes else ():
            bits = np.bitwise_count(known ^ np.uint64(perceptual_hash(shrink(image))))
            alike = [places[place] for place in np.flatnonzero(bits <= NEAR)]
            if alike and is_of_one_person(image):
                copies = (one for one, number in alike if _are_one(image, other.primary(one)[number]))
                if (copy := next(copies, None)) is not None:
                    found[str(cohort.table["case"].iloc[case])] = str(other.table["case"].iloc[copy])
                    break
    return found


def is_of_one_person(image: np.ndarray) -> bool:
    """Say whether the pixels of a slice can be those of one patient alone, by how far zlib (RFC 1950) packs them.

    Noise cannot be packed, and no two scans have the same; a blank slice, a side marker, text in all four corners or a
    ramp of grey levels can. These are packed to 4 % at most; of the slices of LGG (FLAIR), 95 % are above 30 %, and
    the few below 10 % are blank, or hold the tip of a head.
    """
    return len(zlib.compress(image.tobytes(), level=1)) > PACKED * image.nbytes


def shrink(image: np.ndarray) -> np.ndarray:
    """Average a slice, uint8 [H, W], down to float32 [SIDE, SIDE]."""
    return cv2.resize(np.ascontiguousarray(image), (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def perceptual_hash(small: np.ndarray) -> int:
    """Hash the coarse look of a slice, float32 [SIDE, SIDE], in 63 bits: which low frequencies are above their median.

    The mean grey level, which is brightness, has no bit. Source: Zauner 2010, Implementation and benchmarking of
    perceptual image hash functions, section 3.2 (the DCT-based hash).
    """
    frequencies = cv2.dct(small)[:HASH_SIDE, :HASH_SIDE].ravel()[1:]
    bits = frequencies > np.median(frequencies)
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _sizes(cohort: Cohort) -> list[tuple[int, tuple[int, ...]]]:
    return list(enumerate(map(tuple, cohort.table[["height", "width"]].to_numpy().tolist())))


def _are_one(image: np.ndarray, other: np.ndarray) -> bool:
    """Say whether two slices are one but for the scale of their greys: by their noise, since anatomy is alike."""
    if image.shape != other.shape:
        return False
    one, two = (_noise(np.asarray(each, np.float32)) for each in (image, other))
    return bool(one @ two > SAME * np.linalg.norm(one) * np.linalg.norm(two))


def _noise(image: np.ndarray) -> np.ndarray:
    noise = (image - cv2.GaussianBlur(image, (0, 0), BLUR)).ravel()
    return np.asarray(noise - noise.mean())
