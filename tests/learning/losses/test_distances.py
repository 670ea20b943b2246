"""Distances are exact, on a processor and by tensor operations alone."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from headtohead.learning.losses.distances import nearest_by_opencv, nearest_on_device, signed_distance


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
@pytest.mark.parametrize("shape", [(33, 70), (70, 33), (1, 9), (9, 1)])
@pytest.mark.parametrize("nearest", [nearest_by_opencv, nearest_on_device])
def test_to_the_nearest_pixel(nearest, shape: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(0)
    there = rng.random((2, 2, *shape)) < share
    there[..., -1, -1] = True
    expected = [[distance_transform_edt(~one) for one in pair] for pair in there]
    np.testing.assert_allclose(nearest(torch.from_numpy(there)).numpy(), expected, rtol=1e-6)


def test_signed_by_hand() -> None:
    mask = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
    expected = torch.ones(5, 5)
    expected[1:4, 1:4] = 0  # the inner side of the outline
    expected[2, 2] = -1
    for corner in ((0, 0), (0, 4), (4, 0), (4, 4)):
        expected[corner] = 2**0.5
    torch.testing.assert_close(signed_distance(mask[None, None].float())[0, 0], expected)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_an_outline_there_is_no_distance(value: float) -> None:
    assert not signed_distance(torch.full((1, 2, 6, 6), value)).any()
