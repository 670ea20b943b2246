"""What makes a scan doubtful before a model looks at it: what it lacks, and how its header says it lies in space."""

from headtohead.predicting.scan import Scan
from headtohead.preparing.steps.level import is_tilted, tilt_of
from headtohead.task import Task
from headtohead.task.slicing import COARSE


def doubts_of_scan(scan: Scan, task: Task) -> list[str]:
    """Say in a line each what stands in for a sequence that is missing, and what the header leaves in doubt."""
    return [scan.substitution(task)] * bool(scan.missing) + doubts_of_header(scan)


def doubts_of_header(scan: Scan) -> list[str]:
    """Say in a line each what is doubtful about the place of a scan in space; pictures have none."""
    if scan.source is None or scan.grid.affine is None:
        return []
    if not scan.source.oriented:
        return [
            "no orientation in its header: left, right and up are unknown, and volumes in ml rely on its spacing alone"
        ]
    # A single slice is levelled within its plane only; to be turned within its slices costs a volume little, too.
    if not scan.levelled or len(scan.volume) == 1 or not is_tilted(scan.grid.affine, scan.view):
        return []
    tilted, _ = tilt_of(scan.grid.affine, scan.view)
    slices, *sides = scan.view.spacing
    blurred = f", which blurs slices {slices:.3g} mm apart" if slices > COARSE * min(sides) else ""
    return [
        f"the scan is tilted by {tilted:.0f} degrees against the {scan.view.plane} plane and was levelled{blurred}; "
        "if the head is tilted with it, `plane=acquired` cuts along the scan's own axes"
    ]
