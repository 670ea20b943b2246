"""What the header of a NIfTI file makes doubtful: how it lies in space, where a model knows one way only."""

from headtohead.predicting.scan import Scan
from headtohead.preparing.steps.level import is_tilted, tilt_of
from headtohead.task.slicing import COARSE


def doubts_of_header(scan: Scan) -> list[str]:
    """Say what is doubtful about the place of a scan in space; pictures have none.

    Args:
        scan: as read.

    Returns:
        A line for each doubt.
    """
    if scan.source is None or scan.grid.affine is None:
        return []
    if not scan.source.oriented:
        return [
            "no orientation in its header: left, right and up are unknown, and volumes in ml rely on its spacing alone"
        ]
    if not scan.levelled or len(scan.volume) == 1:  # a single slice is levelled within its plane only
        return []
    if not is_tilted(scan.grid.affine, scan.view):  # turned within its slices, which costs little
        return []
    tilted, _ = tilt_of(scan.grid.affine, scan.view)
    slices, *sides = scan.view.spacing
    blurred = f", which blurs slices {slices:.3g} mm apart" if slices > COARSE * min(sides) else ""
    return [
        f"the scan is tilted by {tilted:.0f} degrees against the {scan.view.plane} plane and was levelled{blurred}; "
        "if the head is tilted with it, --plane acquired cuts along the scan's own axes"
    ]
