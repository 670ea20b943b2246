"""The protocol: what a number means beyond data, split and input recipe. Scores of other protocols do not mix."""

from typing import Any

from headtohead.preparing.steps.scale import CLIP
from headtohead.scoring.lesions import SMALLEST_ML, SMALLEST_PIXELS
from headtohead.scoring.surfaces import PERCENT, TOLERANCE

PROTOCOL = {
    "version": 4,  # raised whenever splitting, preprocessing or scoring changes what a number means
    "clip": CLIP,
    "hausdorff_percentile": PERCENT,
    "surface_tolerance": TOLERANCE,
    "smallest_lesion_ml": SMALLEST_ML,
    "smallest_lesion_pixels": SMALLEST_PIXELS,
}
"""Written into every run.json; `--compare` and `--report` refuse runs of another one, naming the entry.

Version 4: Dice and its like are of cases with a lesion only, where an empty prediction has the worst score; lesions
count from a least size on.
"""

SAME_PREDICTIONS_SINCE = 3  # from this version on, only what is made from the masks has changed


def same_predictions(protocol: Any) -> bool:
    """Whether masks that were predicted under another protocol would be predicted under ours, too.

    Their scores then need no model: they can be made again from the masks.
    """
    if not isinstance(protocol, dict):
        return False
    version = protocol.get("version")
    return isinstance(version, int) and version >= SAME_PREDICTIONS_SINCE and protocol.get("clip") == PROTOCOL["clip"]
