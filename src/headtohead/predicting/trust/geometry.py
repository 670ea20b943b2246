"""What makes a scan doubtful before a model looks at it: what it lacks, and how its header says it lies in space."""

from collections.abc import Collection

from headtohead.predicting.scan import Scan
from headtohead.preparing.steps.level import is_tilted, tilt_of
from headtohead.readers.sequence_names import sequence_label
from headtohead.task import Task
from headtohead.task.slicing import COARSE


def doubts_of_scan(scan: Scan, task: Task, idle: Collection[str] = ()) -> list[str]:
    """Say in a line each what stands in for a sequence that is missing, and what the header leaves in doubt.

    Nothing is said of sequences that are `idle`: no model is shown them.
    """
    lines, affine = [], scan.grid.affine
    if missing := [one for one in scan.missing if one not in idle]:
        names, place = " or ".join(map(sequence_label, missing)), "its" if len(missing) == 1 else "their"
        used = list(dict.fromkeys(task.stand_ins.get(one, task.primary) for one in missing))
        verb = "was" if len(used) == 1 else "were"
        lines.append(f"no {names}; {' and '.join(map(sequence_label, used))} {verb} used in {place} place")
    if scan.source and not scan.source.oriented:
        lines.append(
            "no orientation in its header: left, right and up are unknown, and volumes in ml rely on its spacing alone"
        )
    # A single slice is levelled within its plane only; to be turned within its slices costs a volume little, too.
    elif affine is not None and scan.levelled and len(scan.volume) > 1 and is_tilted(affine, scan.view):
        tilted, _ = tilt_of(affine, scan.view)
        slices, *sides = scan.view.spacing
        blurred = f", which blurs slices {slices:.3g} mm apart" if slices > COARSE * min(sides) else ""
        lines.append(
            f"the scan is tilted by {tilted:.0f} degrees against the {scan.view.plane} plane and was levelled{blurred}"
            "; if the head is tilted with it, `plane=acquired` cuts along the scan's own axes"
        )
    return lines
