"""Exact Euclidean distances in images."""

import cv2
import numpy as np
import torch


def signed_distance(mask: torch.Tensor) -> torch.Tensor:
    """Give the distance of each pixel to the outline of a mask {0, 1} [B, K, H, W], in pixels: negative within.

    Outside, to the nearest pixel of the mask; within, to the nearest one that is not of it, less 1, so that the pixels
    on the inner side of the outline have 0, as Kervadec et al. have it. A mask that is empty or full has no outline: 0.
    """
    within = mask > 0
    nearest = nearest_by_opencv if mask.device.type == "cpu" else nearest_on_device
    distance = torch.where(within, 1 - nearest(~within), nearest(within))
    has_outline = within.any(dim=-1).any(dim=-1) & ~within.all(dim=-1).all(dim=-1)
    return torch.where(has_outline[..., None, None], distance, 0.0).to(mask.dtype)


def nearest_by_opencv(there: torch.Tensor) -> torch.Tensor:
    """Give the distance of each pixel to the nearest True one of bool [B, K, H, W], float32: for a processor."""
    images = (~there).numpy().astype(np.uint8).reshape(-1, *there.shape[-2:])
    found = [cv2.distanceTransform(image, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for image in images]
    return torch.from_numpy(np.stack(found)).reshape(there.shape)


def nearest_on_device(there: torch.Tensor) -> torch.Tensor:
    """Give the same by tensor operations alone: a GPU is never waited for.

    First along rows, then the least over columns, as Felzenszwalb and Huttenlocher, Theory of Computing 8:415-428,
    2012, doi 10.4086/toc.2012.v008a019; their second pass is for one pixel after the other, ours for all at once.
    """
    height, width = there.shape[-2:]
    far = float(height + width)
    column = torch.arange(width, device=there.device, dtype=torch.float32)
    last = torch.where(there, column, -far).cummax(dim=-1).values
    coming = torch.where(there, -column, -far - width).flip(-1).cummax(dim=-1).values.flip(-1)
    along = torch.minimum(column - last, -coming - column) ** 2
    nearest = along.clone()
    for step in range(1, height):
        upper, lower = along[..., :-step, :] + step**2, along[..., step:, :] + step**2
        nearest[..., step:, :] = torch.minimum(nearest[..., step:, :], upper)
        nearest[..., :-step, :] = torch.minimum(nearest[..., :-step, :], lower)
    return nearest.sqrt()
