"""What the header of a NIfTI file makes doubtful: how it lies in space, where a model knows one way only."""

import math

import numpy as np

from headtohead.cohort.orientation import PLANES, WORLD, Slicing, slicing
from headtohead.predicting.files.naming import is_volume
from headtohead.predicting.files.nifti import open_nifti
from headtohead.predicting.scan import Scan

TILTED = 15.0
"""Degrees off the axes of the world from which a scan is warned of: masks of copies turned by 10 degrees agreed with
those of the case itself at a Dice of .97, turned by 20 degrees at .90, by 30 degrees at .71."""


def doubts_of_header(scan: Scan, plane: str) -> list[str]:
    """Say what is doubtful about the place of a scan in space.

    Args:
        scan: as read; pictures have no header.
        plane: that of the model's slices, or of --plane; `acquired` follows the scan, however it lies.

    Returns:
        A line for each doubt.
    """
    if not is_volume(scan.files[0]):
        return []
    source = open_nifti(scan.files[0])
    if not source.header["sform_code"] and not source.header["qform_code"]:
        return ["no orientation in its header: which way is up, and its millilitres, rest on the spacing alone"]
    if plane == "acquired":
        return []
    views = (slicing(source.affine, source.spacing, plane) for plane in PLANES)
    view = next(view for view in views if view.slice_axis == scan.slice_axis)
    tilted, turned = tilt_of(source.affine, view)
    ending = "slices are cut along its own axes"
    if tilted > TILTED:
        return [f"the scan is tilted by {tilted:.0f} degrees against the {view.plane} plane; {ending}"]
    if turned > TILTED:
        return [f"the scan is turned by {turned:.0f} degrees within the {view.plane} plane; {ending}"]
    return []


def tilt_of(affine: np.ndarray, view: Slicing) -> tuple[float, float]:
    """Measure how far a grid lies off the axes of the world.

    Args:
        affine: float64 [4, 4], from voxel to millimetres.
        view: how the grid is cut into slices.

    Returns:
        Degrees between its slices and the plane they are taken for, and degrees that rows and columns are off at most.
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    rows, columns = view.axes[1:]
    normal = np.cross(directions[:, rows], directions[:, columns])
    worlds = [next(axis for axis, ways in enumerate(WORLD) if code in ways) for code in view.codes]
    tilted = _degrees(abs(normal[worlds[0]]) / np.linalg.norm(normal))
    turned = max(_degrees(abs(directions[worlds[place], view.axes[place]])) for place in (1, 2))
    return tilted, turned


def _degrees(cosine: float) -> float:
    return math.degrees(math.acos(min(float(cosine), 1.0)))
