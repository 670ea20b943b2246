"""The made-up lesion: an irregular growth in the white matter, coherent through the slices."""

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from headtohead.cohort.phantom.anatomy import Head, Tissue
from headtohead.cohort.phantom.noise import Field, smooth_noise


@dataclass(frozen=True)
class Lesion:
    """A lesion in a head.

    Attributes:
        mask: what an expert would outline, bool [n, size, size].
        distance: 0 in the middle, 1 on the outline of the growth, float32 [n, size, size].
    """

    mask: NDArray[np.bool_]
    distance: Field


def grow_lesion(rng: np.random.Generator, head: Head) -> Lesion:
    """Grow one lesion from a seed voxel in the white matter of the cerebrum.

    Args:
        rng: source of randomness.
        head: the head it grows in; it stays inside the brain and out of the ventricles.

    Returns:
        The lesion; its mask is never empty.
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
