"""What does not fit into memory is refused by its header before a cohort is packed."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from headtohead import memory
from headtohead.errors import UserError
from headtohead.readers import lgg
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.readers.reader import CaseFiles
from headtohead.readers.volumes import read_volumes
from tests.predicting.test_large_files import claiming, tiff_claiming

REFUSED = r"need about [\d.]+ GB, 300 MB are free; crop or resample it, {}or use a machine with more memory$"


@pytest.mark.parametrize("reader", ["lgg", "nifti"])
def test_by_the_header(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 300_000_000)
    read: Callable[[CaseFiles], object]
    if reader == "lgg":
        image, mask, read = tmp_path / "a_1.tif", tmp_path / "a_1_mask.tif", lgg.read_case
        assert cv2.imwrite(str(image), np.zeros((8, 8, 3), np.uint8))
        mask.write_bytes(tiff_claiming(20_000, 20_000))
        refused = REFUSED.format("restore it if its header is damaged, ")
        what = f"{mask}: 2 pictures of up to 20000x20000 pixels"
    else:
        image, mask, read = (
            tmp_path / "a.nii.gz",
            tmp_path / "a_mask.nii.gz",
            lambda files: read_volumes(files, NIFTI_TASK),
        )
        claiming(image, (512, 512, 500))
        claiming(mask, (512, 512, 500))
        refused = REFUSED.format("")
        what = f"{image}: 512x512x500 voxels"
    with pytest.raises(UserError, match=re.escape(what) + " " + refused):
        read(CaseFiles("a", "a", "", (image,), (mask,)))


def test_a_header_that_claims_more_than_its_file_holds(tmp_path: Path) -> None:
    image = claiming(tmp_path / "a.nii.gz", (2000, 2000, 2000))
    with pytest.raises(UserError, match="cut short or damaged"):
        read_volumes(CaseFiles("a", "a", "", (image,), (image,)), NIFTI_TASK)
