"""Head-to-Head: an honest comparison of segmentation models on brain MRI."""

from headtohead.telemetry import switch_off

__version__ = "0.1.0"

switch_off()  # before anything of ours imports a package that would send
