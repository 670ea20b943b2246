"""From tissue to grey levels: contrast of the three sequences, scanner, artefacts and intensity window."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headtohead.cohort.phantom.anatomy import Head, Lesion, Tissue
from headtohead.cohort.phantom.noise import Field, Mask, smooth_noise

# Brightness relative to white matter: pre-contrast T1, FLAIR, post-contrast T1. Scalp, fat and marrow are
# multiplied by a factor of each case, because nothing differs more between scanners.
CONTRAST = {
    Tissue.AIR: (0.03, 0.03, 0.03),
    Tissue.SCALP: (1.0, 1.0, 1.0),
    Tissue.SKULL: (0.20, 0.22, 0.22),
    Tissue.MARROW: (0.45, 0.45, 0.40),
    Tissue.CSF: (0.40, 0.30, 0.42),
    Tissue.GREY: (0.76, 1.18, 0.82),
    Tissue.WHITE: (1.0, 1.0, 1.0),
    Tissue.DEEP_GREY: (0.88, 1.10, 0.92),
    Tissue.MUSCLE: (0.75, 0.75, 0.95),
    Tissue.FAT: (0.9, 0.9, 0.8),
    Tissue.EYE: (0.35, 0.25, 0.38),
    Tissue.VESSEL: (0.55, 0.35, 1.9),
}
FATTY = (Tissue.SCALP, Tissue.MARROW, Tissue.FAT)


@dataclass(frozen=True)
class Scanner:
    """How the scanners of one site see: ranges from which each case draws."""

    level: tuple[float, float]  # grey level (0 to 255) of white matter
    fat: tuple[float, float]  # brightness of the scalp over white matter
    shading: tuple[float, float]  # strength of the coil's bias field, standard deviation of its logarithm
    noise: tuple[float, float]  # its standard deviation over white matter
    blur: tuple[float, float]  # width of the point spread in pixels of a 256-pixel slice
    gamma: tuple[float, float]  # exponent of the intensity window


SCANNERS = {
    "CS": Scanner((60, 95), (1.8, 2.8), (0.08, 0.18), (0.03, 0.06), (0.6, 0.9), (0.9, 1.1)),
    "DU": Scanner((40, 75), (1.6, 3.6), (0.10, 0.24), (0.04, 0.09), (0.6, 1.2), (0.85, 1.15)),
    "EZ": Scanner((55, 80), (1.5, 2.2), (0.06, 0.14), (0.03, 0.05), (0.5, 0.8), (0.95, 1.05)),
    "FG": Scanner((70, 110), (1.4, 2.0), (0.08, 0.20), (0.03, 0.07), (0.7, 1.1), (0.9, 1.2)),
    "HT": Scanner((35, 60), (2.4, 4.2), (0.12, 0.26), (0.05, 0.10), (0.8, 1.3), (0.8, 1.1)),
}


def render(rng: np.random.Generator, head: Head, lesion: Lesion, site: str) -> NDArray[np.uint8]:
    """Image a head and its lesion with a scanner of a site, a key of `SCANNERS`.

    Returns:
        uint8 volume [n, size, size, 3]: pre-contrast, FLAIR, post-contrast.
    """
    scanner = SCANNERS[site]
    signal = _paint(rng, head, lesion, scanner)
    n, size = head.u.shape[:2]
    blur = rng.uniform(*scanner.blur) * size / 256
    noise = rng.uniform(*scanner.noise)
    shared_shading = smooth_noise(rng, head.z, size, 1.1)
    volume = np.empty((n, size, size, 3), np.uint8)
    for channel, picture in enumerate(signal):
        own = smooth_noise(rng, head.z, size, 1.1)
        shading = np.float32(rng.uniform(*scanner.shading)) * (0.8 * shared_shading + 0.6 * own)
        picture *= np.exp(shading, out=shading)
        if blur > 0.2:
            for k in range(n):
                picture[k] = cv2.GaussianBlur(picture[k], (0, 0), blur)
        _add_artefacts(rng, picture, noise)
        picture *= np.float32(rng.uniform(*scanner.level))
        volume[..., channel] = np.minimum(picture, 255, out=picture)
    _cut_ends(rng, volume, lesion.mask)
    return volume


def _paint(rng: np.random.Generator, head: Head, lesion: Lesion, scanner: Scanner) -> list[Field]:
    """Noise-free brightness of pre, FLAIR and post relative to white matter, each [n, size, size]."""
    size = head.u.shape[1]
    fat = rng.uniform(*scanner.fat)
    gamma = rng.uniform(*scanner.gamma)
    fat_of_sequence = (fat * rng.uniform(0.8, 1.1), fat, fat * rng.choice([0.45, 1.0]))
    texture = smooth_noise(rng, head.z, size, 0.035) * 0.5 + smooth_noise(rng, head.z, size, 0.22) * 0.8
    # Growth swells: it fills the sulci it reaches.
    tissue = np.where(lesion.mask & (head.tissue == Tissue.CSF), np.uint8(Tissue.GREY), head.tissue)
    signal = []
    for channel in range(3):
        table = np.array([CONTRAST[kind][channel] for kind in Tissue], np.float32)
        table[list(FATTY)] *= fat_of_sequence[channel]
        picture = (table**gamma)[tissue]
        picture *= 1 + np.float32(rng.uniform(0.04, 0.08)) * texture
        signal.append(picture)
    _paint_distractors(rng, head, signal[1], (tissue == Tissue.WHITE) | (tissue == Tissue.DEEP_GREY))
    _paint_lesion(rng, head, lesion, signal)
    return signal


def _paint_distractors(rng: np.random.Generator, head: Head, flair: Field, where: Mask) -> None:
    """Brighten on FLAIR what is no lesion: the rim and caps of the ventricles, small spots, hazy white matter."""
    rim = rng.uniform(0.1, 0.8) * np.exp(-(((head.ventricle - 1.1) / rng.uniform(0.12, 0.3)) ** 2))
    bright = rim.astype(np.float32)
    candidates = np.argwhere(where & (head.rho < 0.75))
    for at in rng.choice(candidates, rng.integers(0, 14)) if len(candidates) else ():
        at = tuple(at)
        k = at[0]  # spots are smaller than the slice distance
        radius = rng.uniform(0.02, 0.05)
        squared = (head.u[k] - head.u[at]) ** 2 + (head.length * (head.v[k] - head.v[at])) ** 2
        bright[k] += rng.uniform(0.3, 0.9) * np.exp(-squared / (2 * radius**2)).astype(np.float32)
    haze = np.clip(smooth_noise(rng, head.z, head.u.shape[1], 0.35) - 0.6, 0, 1.5)
    bright += np.float32(rng.uniform(0, 0.22)) * haze
    flair += np.where(where, bright, 0)


def _paint_lesion(rng: np.random.Generator, head: Head, lesion: Lesion, signal: list[Field]) -> None:
    """Lesion: bright on FLAIR, dark before contrast, with an enhancing ring around its core after contrast."""
    pre, flair, post = signal
    inside = head.brain & (head.ventricle >= 1)
    patchy = smooth_noise(rng, head.z, head.u.shape[1], 0.15)
    softness = rng.uniform(0.04, 0.10)
    body = inside / (1 + np.exp(np.clip((lesion.distance - 1) / softness, -30, 30)))
    core = rng.uniform(0.3, 0.6)
    within_core = inside / (1 + np.exp(np.clip((lesion.distance - core) / 0.04, -30, 30)))
    ring = inside * np.exp(-(((lesion.distance - core) / rng.uniform(0.05, 0.09)) ** 2))

    brightness = rng.uniform(0.45, 1.0) * (1 + 0.22 * patchy)
    cyst = rng.uniform(0.3, 0.9) * (rng.random() < 0.5)  # a fluid core is dark on FLAIR
    flair += (body * brightness * (1 - cyst * within_core)).astype(np.float32)
    darkening = body * rng.uniform(0.15, 0.4) + within_core * rng.uniform(0.05, 0.2)
    pre *= (1 - darkening).astype(np.float32)
    post *= (1 - darkening).astype(np.float32)
    post += (ring * rng.uniform(0.25, 1.3) * (1 + 0.3 * patchy)).astype(np.float32)


def _add_artefacts(rng: np.random.Generator, picture: Field, noise: float) -> None:
    """Add, in place, a faint displaced ghost of the head (in some cases) and noise that is never below 0."""
    if rng.random() < 0.35:
        shift = round(picture.shape[1] * rng.uniform(0.2, 0.45))
        picture += np.float32(rng.uniform(0.02, 0.07)) * np.roll(picture, shift, axis=1)
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    grain *= np.float32(noise)
    picture += grain
    np.abs(picture, out=picture)


def _cut_ends(rng: np.random.Generator, volume: NDArray[np.uint8], mask: Mask) -> None:
    """Blacken a wedge of the first or last FLAIR slice, where the registered sequences do not overlap."""
    size = volume.shape[1]
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    for end in (0, -1):
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.6)
        wedge = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None] > offset
        if rng.random() < 0.4 and not mask[end].any():
            volume[end, ..., 1][wedge] = 0
