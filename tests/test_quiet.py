"""Libraries are quiet while we call them, and only then; our own line says what is wrong."""

import logging
import struct
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.quiet import quiet_loggers
from headtohead.readers import lgg
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.readers.nifti_file import open_volume
from headtohead.readers.reader import CaseFiles
from headtohead.readers.volumes import read_volumes
from headtohead.reporting.case_gifs import remove_earlier_case_gifs


def test_loggers_are_quiet_for_the_call_and_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("a library")
    with quiet_loggers("a library", "another"), quiet_loggers("a library"):
        logger.warning("chatter")
        other = threading.Thread(target=logger.warning, args=("of another thread",))
        other.start()
        other.join()
    logger.warning("afterwards")
    assert caplog.messages == ["of another thread", "afterwards"]


@pytest.mark.parametrize("reader", ["of predictions", "of a data set"])
def test_nibabel_speaks_again_after_our_call(tmp_path: Path, caplog: pytest.LogCaptureFixture, reader: str) -> None:
    path, mask = tmp_path / "a.nii", tmp_path / "a_mask.nii"
    content = bytearray(nibabel.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)).to_bytes())
    content[80:92] = struct.pack("<3f", -1, -1, -1)  # sizes of a voxel, which nibabel mends and tells
    for file in (path, mask):
        file.write_bytes(content)
    if reader == "of predictions":
        open_volume(path)
    else:
        read_volumes(CaseFiles("a", "a", "", (path,), (mask,)), NIFTI_TASK)
    assert caplog.messages == []
    nibabel.load(path).header  # noqa: B018 reads it
    assert caplog.messages


def test_opencv_is_quiet_about_a_damaged_slice_of_the_data_set(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(content)
    with suppress(UserError):
        lgg._read((path,), cv2.IMREAD_UNCHANGED)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("side", [10_000, 65_535])
def test_a_stray_gif_of_any_size_stays(tmp_path: Path, side: int) -> None:
    frame = b",\0\0\0\0" + struct.pack("<HH", 9, 9) + b"\0\2\1\0\0;"
    (tmp_path / "mine.gif").write_bytes(b"GIF89a" + struct.pack("<HH", side, side) + b"\0\0\0" + frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert remove_earlier_case_gifs(tmp_path, ["a"], "") == 0
    assert (tmp_path / "mine.gif").is_file()
