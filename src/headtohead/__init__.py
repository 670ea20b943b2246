"""Head-to-Head: an honest comparison of segmentation models on brain MRI."""

__version__ = "0.1.0"
