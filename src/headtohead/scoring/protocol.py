"""The protocol: what a number means beyond data, split and input recipe. Scores of other protocols do not mix."""

from headtohead.batches.recipe import CLIP
from headtohead.scoring.surfaces import PERCENT, TOLERANCE

PROTOCOL = {
    "version": 3,  # raised whenever splitting, preprocessing or scoring changes what a number means
    "clip": CLIP,
    "hausdorff_percentile": PERCENT,
    "surface_tolerance": TOLERANCE,
}
"""Written into every run.json; `--compare` and `--report` refuse runs of another one, naming the entry."""
