"""What the header of a NIfTI file makes doubtful: how it lies in space, where a model knows one way only."""

from headtohead.predicting.files.levelling import is_tilted, tilt_of
from headtohead.predicting.scan import Scan
from headtohead.task.slicing import COARSE, PLANES, slicing


def is_oriented(scan: Scan) -> bool:
    """Say whether a scan's file tells how it lies in the patient; a picture's never does."""
    return scan.source is not None and scan.source.oriented


def doubts_of_header(scan: Scan) -> list[str]:
    """Say what is doubtful about the place of a scan in space.

    Args:
        scan: as read; pictures have no header.

    Returns:
        A line for each doubt.
    """
    source = scan.source
    if source is None:
        return []
    if not source.oriented:
        return [
            "no orientation in its header: left, right and up are unknown, and volumes in ml rely on its spacing alone"
        ]
    if not scan.levelled or len(scan.volume) == 1:  # a single slice is levelled within its plane only
        return []
    views = (slicing(source.affine, source.spacing, plane) for plane in PLANES)
    view = next(view for view in views if view.slice_axis == scan.slice_axis)
    if not is_tilted(source.affine, view):  # turned within its slices, which costs little
        return []
    tilted, _ = tilt_of(source.affine, view)
    slices, *sides = view.spacing
    blurred = f", which blurs slices {slices:.3g} mm apart" if slices > COARSE * min(sides) else ""
    return [
        f"the scan is tilted by {tilted:.0f} degrees against the {view.plane} plane and was levelled{blurred}; "
        "if the head is tilted with it, --plane acquired cuts along the scan's own axes"
    ]
