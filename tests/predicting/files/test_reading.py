"""Reading one image: channel order, depth, neighbours, truth, and files that are refused."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.grouping import Job, slices_around
from headtohead.predicting.files.pictures import refuse_wrong_file, scan_pictures
from headtohead.predicting.scan import Scan
from headtohead.quiet import STDERR
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.pictures import read_pixels
from headtohead.trained.facts import ModelFacts

TEXTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    """Write pixels as OpenCV does: colours in BGR order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def read(path: Path) -> Scan:
    """Read an image as `--image_path` does."""
    refuse_wrong_file(path)
    job = Job(path.name, (path,), "picture", (), Path(path.name), context=tuple(slices_around(path)))
    recipe = {"image_size": 128, "normalise": "inner", "neighbours": 0}
    return scan_pictures(job, ModelFacts("m", "unet", 0, 3, recipe, task=LGG_TASK))


def image_of(path: Path) -> np.ndarray:
    [image] = read(path).volume[read(path).wanted]
    return image


def test_channels_are_rgb(tmp_path: Path) -> None:
    bgr = np.zeros((4, 5, 3), np.uint8)
    bgr[:] = (30, 20, 10)
    image = image_of(save(tmp_path / "a.tif", bgr))
    assert image.shape == (4, 5, 3)
    assert image[0, 0].tolist() == [10, 20, 30]


def test_grey_is_repeated(tmp_path: Path) -> None:
    image = image_of(save(tmp_path / "a.png", TEXTURE[:, :, 0]))
    assert all(np.array_equal(image[:, :, channel], TEXTURE[:, :, 0]) for channel in range(3))


def test_transparency_is_dropped(tmp_path: Path) -> None:
    image = image_of(save(tmp_path / "a.png", np.dstack([TEXTURE, TEXTURE[:, :, 0]])))
    assert np.array_equal(image, TEXTURE[:, :, ::-1])


@pytest.mark.parametrize(("dtype", "factor"), [(np.uint16, 16), (np.float32, 1 / 255), (np.int16, 4)])
def test_deep_images_keep_their_contrast(tmp_path: Path, dtype: type, factor: float) -> None:
    # Scanners use 12 of 16 bits: dividing by 257 would leave a nearly black image.
    path = save(tmp_path / "a.tif", (TEXTURE.astype(np.float32) * factor).astype(dtype))
    assert np.abs(image_of(path).astype(int) - TEXTURE[:, :, ::-1]).max() <= 1


def test_deep_image_of_nothing_and_of_no_numbers(tmp_path: Path) -> None:
    assert not image_of(save(tmp_path / "a.tif", np.zeros((3, 3), np.uint16))).any()
    strange = np.array([[np.nan, np.inf], [-5, 2]], np.float32)
    assert image_of(save(tmp_path / "b.tif", strange))[:, :, 0].tolist() == [[0, 0], [0, 255]]


def test_jpeg_is_read(tmp_path: Path) -> None:
    assert image_of(save(tmp_path / "A.JPG", TEXTURE)).shape == (20, 30, 3)


def test_slices_of_the_case_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    case = tmp_path / "TCGA_XX_1"
    for number in (1, 2, 9, 10, 11):
        save(case / f"TCGA_XX_1_{number}.tif", np.full((4, 4, 3), number, np.uint8))
        save(case / f"TCGA_XX_1_{number}_mask.tif", np.zeros((4, 4), np.uint8))
    scan = read(case / "TCGA_XX_1_10.tif")
    assert scan.volume[:, 0, 0, 0].tolist() == [1, 2, 9, 10, 11]
    assert (scan.wanted, scan.grid.shape) == (slice(3, 4), (1, 4, 4))
    assert scan.truth is not None and scan.truth.shape == (1, 4, 4)


def test_one_factor_for_a_whole_deep_volume(tmp_path: Path) -> None:
    case = tmp_path / "c"
    for number in (1, 2):
        save(case / f"c_{number}.png", np.full((40, 40), 1000 * number, np.uint16))
    assert read(case / "c_1.png").volume[:, 0, 0, 0].tolist() == [128, 255]


def test_other_images_in_the_folder_are_not_its_case(tmp_path: Path) -> None:
    for name in ("scan_1.png", "scan_2.png"):
        save(tmp_path / name, TEXTURE)
    assert len(read(tmp_path / "scan_1.png").volume) == 1


def test_case_is_found_from_inside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        save(tmp_path / "c" / f"c_{number}.tif", TEXTURE)
    monkeypatch.chdir(tmp_path / "c")
    assert len(read(Path("c_2.tif")).volume) == 3


@pytest.mark.parametrize("value", [1, 255])
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_truth_beside_it(tmp_path: Path, suffix: str, value: int) -> None:
    path = save(tmp_path / "a.jpg", TEXTURE)
    assert read(path).truth is None
    mask = np.zeros((20, 30), np.uint8)
    mask[3:5, 6:9] = value
    save(tmp_path / f"a_mask{suffix}", mask)
    truth = read(path).truth
    assert truth is not None and truth.dtype == np.uint8
    assert np.array_equal(truth[0], mask > 0)


def refused(path: Path, message: str) -> None:
    """Check that the file is refused in one line that names it."""
    with pytest.raises(UserError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


def test_what_is_no_image(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.txt").write_text("words")
    refused(tmp_path / "x.txt", "not an image this program reads; name one 2-D slice as TIFF, PNG or JPEG")
    refused(tmp_path / "gone.png", "no such file")
    refused(tmp_path, "a folder")
    (tmp_path / "words.png").write_text("words")
    refused(tmp_path / "words.png", "not a readable image")
    (tmp_path / "empty.tif").touch()
    refused(tmp_path / "empty.tif", "an empty file")
    refused(save(tmp_path / "a_mask.png", TEXTURE), r"a mask; name its image, a\.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_cut_short(tmp_path: Path, suffix: str, share: float, capfd: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / f"a{suffix}", TEXTURE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path, "cut short")
    assert capfd.readouterr().err == ""


def test_several_pages(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    cv2.imwritemulti(str(path), [TEXTURE, TEXTURE])
    refused(path, "holds 2 pages")


def test_masks_that_cannot_be_the_truth(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", TEXTURE)
    mask = save(tmp_path / "a_mask.png", np.zeros((20, 31), np.uint8))
    with pytest.raises(UserError, match=r"a_mask\.png: 31x20 pixels, but its image is 30x20"):
        read(path)
    save(mask, TEXTURE)
    with pytest.raises(UserError, match="0 and one other value"):
        read(path)


def test_slice_of_another_size_in_the_case(tmp_path: Path) -> None:
    path = save(tmp_path / "c" / "c_1.tif", TEXTURE)
    save(tmp_path / "c" / "c_2.tif", TEXTURE[:, :9])
    with pytest.raises(UserError, match=r"c_2\.tif: 9x20 pixels of uint8, but c_1\.tif .* is 30x20"):
        read(path)


def test_two_threads_leave_stderr_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", TEXTURE)
    really, seen = cv2.imdecode, os.fstat(2)
    inside, both, one_is_done = threading.Event(), threading.Event(), threading.Event()

    def decode(*arguments: Any) -> Any:
        if threading.current_thread().name == "first":
            inside.set()
            both.wait(0.3)  # for the second to begin, which it must not
        else:
            both.set()
            one_is_done.wait(5)
        return really(*arguments)

    def first() -> None:
        read_pixels(path)
        one_is_done.set()

    monkeypatch.setattr(cv2, "imdecode", decode)
    threads = [threading.Thread(target=first, name="first"), threading.Thread(target=read_pixels, args=(path,))]
    threads[0].start()
    assert inside.wait(5)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert os.path.samestat(os.fstat(2), seen)


def test_no_line_is_lost_while_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "a.png", TEXTURE)
    really, inside = cv2.imdecode, threading.Event()

    def decode(*arguments: Any) -> Any:
        inside.set()
        os.write(2, b"noise of the library")
        time.sleep(0.2)
        return really(*arguments)

    monkeypatch.setattr(cv2, "imdecode", decode)
    reader = threading.Thread(target=read_pixels, args=(path,))
    reader.start()
    assert inside.wait(5)
    with STDERR:
        os.write(2, b"a line of ours")  # sys.stderr is pytest's own, which does not end in this
    reader.join()
    assert capfd.readouterr().err == "a line of ours"
