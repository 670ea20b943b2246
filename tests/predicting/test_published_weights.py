"""The published net of Buda et al. at work: any scan of anybody, no mask beside it, masks on the grid of the scan."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from headtohead.cli import main
from headtohead.models.registry import build_model

INSIDE = (slice(8, 34), slice(6, 40), slice(1, 5))
SHAPE = (40, 52, 6)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A head in the dark, in a folder of its own."""
    volume = np.zeros(SHAPE, np.float32)
    volume[INSIDE] = np.random.default_rng(0).integers(300, 400, volume[INSIDE].shape)
    (tmp_path / "scans").mkdir()
    affine = np.array([[-0.9, 0, 0, 20], [0, 0.9, 0, -30], [0, 0, 5, 4], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "scans" / "p1_flair.nii.gz")
    return tmp_path / "scans" / "p1_flair.nii.gz"


@pytest.mark.parametrize(("says", "share"), [(20.0, 1), (-20.0, 0)], ids=["all", "nothing"])
def test_a_mask_of_a_scan_without_one_lies_on_its_grid(scan: Path, tmp_path: Path, says: float, share: int) -> None:
    """The original predicted its own validation patients alone, asked for masks, wrote what it had cropped, and ended
    in an exception where it found nothing."""
    net = build_model("buda", 1, width=1)
    torch.nn.init.constant_(net.conv.bias, says)
    torch.save(net.state_dict(), tmp_path / "unet.pt")
    words = ["--predict", str(scan.parent), "--model", "buda", "--model_path", str(tmp_path / "unet.pt")]
    assert main([*words, "--output", str(tmp_path / "masks"), "--gpus", "cpu"]) == 0
    [written] = (tmp_path / "masks").rglob("*.nii*")
    mask, image = nibabel.load(written), nibabel.load(scan)
    assert mask.shape == SHAPE and np.allclose(mask.affine, image.affine)
    found = np.asarray(mask.dataobj) > 0
    head = np.zeros(SHAPE, bool)
    head[INSIDE] = True
    head[:, :, [0, -1]] = False
    assert (found & head).sum() == pytest.approx(share * head.sum(), rel=0.05)
    padded = np.zeros(SHAPE, bool)  # to a square, which is a part of the input
    padded[:, INSIDE[1], INSIDE[2]] = True
    assert not (found & ~padded).any()
