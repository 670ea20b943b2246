"""Segmentation models: one registry row and one file each. Every model maps images to logits of the same size."""

from headtohead.models.registry import MODELS, ModelSpec, build_model, check_image_size, find_spec

__all__ = ["MODELS", "ModelSpec", "build_model", "check_image_size", "find_spec"]
