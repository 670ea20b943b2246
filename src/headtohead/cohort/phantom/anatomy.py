"""The made-up head: which tissue each voxel holds, and where the lesion lies.

Everything is written in head units: u to the side (1 is half the head's width), v from front to back (1 is half
its length), z upwards (0 is the middle of the brain, 1 the top of the head). Shapes are ellipsoids bent by noise.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort.phantom.noise import Field, Mask, smooth_noise


class Tissue(IntEnum):
    """Labels of the tissue map."""

    AIR = 0
    SCALP = 1
    SKULL = 2
    MARROW = 3
    CSF = 4
    GREY = 5
    WHITE = 6
    DEEP_GREY = 7
    MUSCLE = 8
    FAT = 9
    EYE = 10
    VESSEL = 11


Tissues = NDArray[np.uint8]
"""A map of them."""


@dataclass(frozen=True)
class Head:
    """One made-up head without its lesion; fields are [n, size, size], distances in head units."""

    u: Field  # to the side
    v: Field  # from front to back
    z: Field  # heights of the slices, [n]
    tissue: Tissues
    brain: Mask  # the inside of the skull above its base, ventricles and sulci included
    rho: Field  # from the middle of the head, 1 on the skin
    ventricle: Field  # from the ventricles, below 1 inside, in units of their own size
    length: float  # of the head over its width


def draw_head(rng: np.random.Generator, n_slices: int, size: int) -> Head:
    """Draw one head in so many slices, from the face upwards, of `size` x `size` pixels."""
    z = np.linspace(rng.uniform(-0.85, -0.65), rng.uniform(0.9, 1.03), n_slices, dtype=np.float32)
    u, v, length = _coordinates(rng, z, size)
    height = z[:, None, None]
    rho = _distance_from_middle(u, v, height)
    scalp, skull = rng.uniform(0.05, 0.11), rng.uniform(0.05, 0.08)
    inside = 1 - scalp - skull
    base = _skull_base(v, smooth_noise(rng, z, size, 0.3))
    brain = (rho < inside) & (height > base)

    tissue = np.zeros(rho.shape, np.uint8)
    tissue[rho < 1] = Tissue.SCALP
    tissue[rho < 1 - scalp] = Tissue.SKULL
    tissue[np.abs(rho - (1 - scalp - skull / 2)) < skull / 7] = Tissue.MARROW
    _draw_face(rng, tissue, u, v, z, (rho < 1 - scalp) & (height < base - 0.05), length)
    ventricle = _distance_from_ventricles(u, v, height, rng.uniform(0.75, 1.35))
    _draw_brain(rng, tissue, u, v, z, inside - rho, brain, ventricle)
    sinus = (np.abs(u) < 0.035) & (np.abs(rho - inside + 0.01) < 0.035) & ((v > 0.5) | (height > 0.6))
    tissue[sinus & (height > -0.2)] = Tissue.VESSEL
    return Head(u, v, z, tissue, brain, rho, ventricle, length)


def _coordinates(rng: np.random.Generator, z: Field, size: int) -> tuple[Field, Field, float]:
    """Place the head in the picture: half width and length, centre, turn in the slice, nod, and a smooth bend."""
    width = rng.uniform(0.28, 0.36)
    length = rng.uniform(1.16, 1.32)
    turn = radians(rng.normal(0, 5))
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x = axis[None, None, :] - np.float32(rng.uniform(-0.04, 0.04))
    y = axis[None, :, None] - np.float32(rng.uniform(-0.03, 0.03) + 0.02)
    y = y - np.float32(rng.uniform(-0.03, 0.03)) * z[:, None, None]
    u = (cos(turn) * x + sin(turn) * y) / width + 0.03 * smooth_noise(rng, z, size, 0.9)
    v = (cos(turn) * y - sin(turn) * x) / (width * length) + 0.03 * smooth_noise(rng, z, size, 0.9)
    return u, v, length


def _distance_from_middle(u: Field, v: Field, height: Field) -> Field:
    """Distance from the middle of the head, 1 on the skin: egg-shaped, a dome above, neck and nose below."""
    narrow_front = 1 + 0.10 * np.clip(-v, 0, 1)
    dome = np.clip(height, 0, None) ** 2.4
    neck = 1 - 0.35 * np.clip(-height - 0.45, 0, 0.5)
    nose = 0.14 * np.exp(-((u / 0.13) ** 2)) * (v < -0.6) * np.clip((-0.2 - height) * 6, 0, 1)
    return np.sqrt((u * narrow_front) ** 2 + v**2 + dome) / neck - nose


def _skull_base(v: Field, bend: Field) -> Field:
    """Height of the brain's floor: high above the eyes, low at the back for the cerebellum."""
    return -0.14 - 0.46 / (1 + np.exp(-(v + 0.2) / 0.13)) + 0.03 * bend


def _ellipsoid(u: Field, v: Field, height: Field, centre: tuple[float, ...], radii: tuple[float, ...]) -> Field:
    """Distance from a centre in units of the radii along u, v and z: 1 on the surface."""
    total = ((u - centre[0]) / radii[0]) ** 2
    total += ((v - centre[1]) / radii[1]) ** 2
    total += ((height - centre[2]) / radii[2]) ** 2
    return np.sqrt(total, out=total)


def _distance_from_ventricles(u: Field, v: Field, height: Field, scale: float) -> Field:
    """Nearest of the parts of the lateral ventricles (front horn, body, back horn) and of the third ventricle."""
    side = np.abs(u)
    parts = [
        ((0.11, -0.22, 0.18), (0.075, 0.17, 0.15)),
        ((0.14, 0.05, 0.29), (0.075, 0.27, 0.11)),
        ((0.22, 0.32, 0.14), (0.07, 0.17, 0.11)),
        ((0.0, 0.02, 0.02), (0.028, 0.13, 0.11)),
    ]
    distances = [
        _ellipsoid(side, v, height, centre, (radii[0] * scale, radii[1] * scale**0.5, radii[2]))
        for centre, radii in parts
    ]
    return reduce(np.minimum, distances)


def _draw_face(
    rng: np.random.Generator, tissue: Tissues, u: Field, v: Field, z: Field, where: Mask, length: float
) -> None:
    """Fill what lies below the brain: muscle, fat and air in patches, and the eyes in their fat."""
    size = u.shape[1]
    patches, streaks = smooth_noise(rng, z, size, 0.16), smooth_noise(rng, z, size, 0.12)
    tissue[where] = Tissue.MUSCLE
    tissue[where & (patches > 0.55)] = Tissue.FAT
    tissue[where & (np.abs(streaks) < 0.15)] = Tissue.SKULL
    tissue[where & (patches + 1.6 * np.exp(-((u / 0.25) ** 2)) * (v < 0) > 1.9)] = Tissue.AIR
    height = z[:, None, None]
    eyes = (rng.uniform(0.36, 0.44), rng.uniform(-0.74, -0.66), rng.uniform(-0.36, -0.28))
    behind = (eyes[0] - 0.04, eyes[1] + 0.14, eyes[2])
    orbit = _ellipsoid(np.abs(u), v, height, behind, (0.23, 0.32, 0.21)) < 1
    tissue[orbit & (tissue != Tissue.AIR)] = Tissue.FAT
    nerve = orbit & (np.abs(np.abs(u) - behind[0] + 0.25 * (v - behind[1])) < 0.03) & (v > eyes[1])
    tissue[nerve] = Tissue.MUSCLE
    tissue[_ellipsoid(np.abs(u), v, height, eyes, (0.17, 0.17 / length, 0.16)) < 1] = Tissue.EYE


def _draw_brain(
    rng: np.random.Generator, tissue: Tissues, u: Field, v: Field, z: Field, depth: Field, brain: Mask, ventricle: Field
) -> None:
    """Fill the skull: white matter, folded cortex, deep grey, sulci, falx, cisterns and ventricles."""
    size, height, side = u.shape[1], z[:, None, None], np.abs(u)
    folds = np.abs(smooth_noise(rng, z, size, 0.11))
    shrinkage = rng.uniform(0.15, 0.42)  # wide sulci in an old brain, narrow in a young one
    tissue[brain] = Tissue.WHITE
    tissue[brain & ((folds < 0.55 * (1 - depth / 0.30)) | (depth < 0.05))] = Tissue.GREY
    deep = np.minimum(
        _ellipsoid(side, v, height, (0.14, 0.10, 0.08), (0.10, 0.15, 0.13)),
        _ellipsoid(side, v, height, (0.30, -0.10, 0.10), (0.09, 0.22, 0.15)),
    )
    tissue[brain & (deep < 1)] = Tissue.DEEP_GREY
    cerebellum = brain & (height < -0.25) & (v > 0.12)
    tissue[cerebellum] = np.where(folds[cerebellum] < 0.6, Tissue.GREY, Tissue.WHITE)
    falx = (side < 0.014) & ((np.abs(v) > 0.42) | (height > 0.5)) & (height > 0)
    cistern = _ellipsoid(side, v, height, (0.0, -0.12, -0.16), (0.17, 0.10, 0.09)) < 1
    sulci = (folds < shrinkage * (1 - depth / 0.20)) | (depth < 0.02) | (cistern & (folds < 0.7)) | falx
    tissue[brain & sulci] = Tissue.CSF
    tissue[brain & sulci & (smooth_noise(rng, z, size, 0.05) > 1.7)] = Tissue.VESSEL
    tissue[brain & (ventricle < 1)] = Tissue.CSF


@dataclass(frozen=True)
class Lesion:
    """A lesion in a head, [n, size, size]: what an expert would outline; 0 in its middle, 1 on the growth's outline."""

    mask: Mask
    distance: Field


def grow_lesion(rng: np.random.Generator, head: Head) -> Lesion:
    """Grow one lesion from a seed voxel in the white matter of the cerebrum; its mask is never empty.

    It stays inside the brain and out of the ventricles.
    """
    size = head.u.shape[1]
    height = np.broadcast_to(head.z[:, None, None], head.u.shape)
    seeds = (head.tissue == Tissue.WHITE) & (head.rho < 0.72) & (height > -0.12) & (height < 0.62)
    if not seeds.any():  # very few or very small slices
        seeds = head.brain & (head.tissue != Tissue.CSF)
    at = tuple(rng.choice(np.argwhere(seeds)))

    radius = rng.uniform(0.19, 0.42)
    stretch = rng.uniform(0.75, 1.3)
    lean = rng.uniform(0, pi)
    du, dv = head.u - head.u[at], (head.v - head.v[at]) * np.float32(head.length)
    along = (cos(lean) * du + sin(lean) * dv) / (radius * stretch)
    across = (cos(lean) * dv - sin(lean) * du) / (radius / stretch)
    up = (height - height[at]) / (radius * rng.uniform(0.6, 0.9) + 0.05)
    bumps = smooth_noise(rng, head.z, size, 0.28) + 0.6 * smooth_noise(rng, head.z, size, 0.13)
    bumps = np.clip(bumps - bumps[at], -1.4, 2.0)
    distance = np.sqrt(along**2 + across**2 + up**2) + 0.24 * bumps
    # Growth follows one hemisphere: the falx holds it back.
    crossing = np.clip(-np.sign(head.u[at]) * head.u, 0, None)
    distance = (distance + 6 * crossing).astype(np.float32)
    mask = (distance < 1) & head.brain & (head.ventricle >= 1)
    mask[at] = True
    return Lesion(mask, distance)
