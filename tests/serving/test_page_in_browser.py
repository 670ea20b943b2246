"""The page in a real browser: drop, scroll, switch, move the threshold, download."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from tests.serving.browsing import ORANGE, SKY, choose, drop, pixels, shows, text, until


def test_a_volume_is_dropped_and_scrolled(open_page: Callable[..., Any], volume: Path, volume_mask: Path) -> None:
    page = open_page()
    assert not page.locator("#result").is_visible()
    drop(page, volume, volume_mask)
    assert text(page, "name") == "case7_flair"
    assert text(page, "volume") == "1.34 ml" and text(page, "voxels") == "168" and text(page, "lesions") == "1"
    assert text(page, "dice") == "1.000" and text(page, "slices") == "3 of 6"
    assert "no T1 or T1+contrast; FLAIR was used in their place" in text(page, "warnings")
    assert text(page, "position") == "slice 3 of 6"  # the first of the fullest
    assert "20 × 24 × 6 voxels, 1.0 × 2.0 × 4.0 mm (columns × rows × slices)" in text(page, "about")
    assert [page.locator(f".side.{side}").inner_text() for side in ("left", "right", "top", "bottom")] == list("RLAP")
    assert text(page, "sides") == "patient's right on the left"
    assert shows(page, ORANGE) > 50 and shows(page, SKY) > 50
    slider = page.locator("#slice")
    slider.focus()
    page.keyboard.press("Home")
    assert text(page, "position") == "slice 1 of 6" and shows(page, ORANGE) == 0
    assert slider.get_attribute("aria-valuetext") == "slice 1 of 6"
    page.locator("#canvas").focus()
    for key, number in (
        ("ArrowRight", 2),
        ("ArrowUp", 3),
        ("ArrowLeft", 2),
        ("End", 6),
        ("PageDown", 1),
        ("ArrowDown", 1),
    ):
        page.keyboard.press(key)
        assert text(page, "position") == f"slice {number} of 6"
    page.locator("#canvas").hover()
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, 100)
    until(page, "document.getElementById('position').textContent === 'slice 3 of 6'")
    assert page.evaluate("scrollY") == before
    assert shows(page, ORANGE) > 50


def test_pixels_have_the_shape_of_their_millimetres(open_page: Callable[..., Any], volume: Path) -> None:
    page = open_page()
    choose(page, volume)
    box = page.locator("#canvas").bounding_box()
    assert box["height"] / box["width"] == pytest.approx(24 * 2 / 20, rel=0.02)


def test_it_opens_where_the_truth_is_and_leads_to_the_mask(
    open_page: Callable[..., Any], volume: Path, tmp_path: Path
) -> None:
    elsewhere = np.zeros((24, 20, 6), np.uint8)
    elsewhere[2:4, 2:4, 0] = 1
    elsewhere[6:9, 5:9, 5] = 1
    nibabel.save(nibabel.Nifti1Image(elsewhere, nibabel.load(volume).affine), tmp_path / "other_mask.nii")
    page = open_page()
    choose(page, volume, tmp_path / "other_mask.nii")
    assert text(page, "position") == "slice 6 of 6" and shows(page, ORANGE) == 0
    page.locator("#to-mask").click()
    assert text(page, "position") == "slice 3 of 6" and shows(page, ORANGE) > 50
    page.locator("#to-truth").click()
    assert text(page, "position") == "slice 6 of 6"


def test_the_window_changes_the_greys_alone(open_page: Callable[..., Any], volume: Path) -> None:
    page = open_page()
    choose(page, volume)
    page.locator("#show-mask").uncheck()
    before = pixels(page)
    assert text(page, "level-said") == "50 %" and page.locator("#full-window").is_disabled()
    page.locator("#level").focus()
    for _ in range(38):
        page.keyboard.press("ArrowLeft")
    page.locator("#width").fill("10")
    assert text(page, "level-said") == "12 %" and text(page, "width-said") == "10 %"
    narrow = pixels(page)
    noise = before < 60  # all but the box and its edge
    assert narrow[noise].std() > 4 * before[noise].std(), "what is near the level is spread"
    assert text(page, "voxels") == "168", "the mask does not change"
    page.locator("#full-window").click()
    assert np.array_equal(pixels(page), before)


def test_switches_show_and_hide(open_page: Callable[..., Any], volume: Path, volume_mask: Path) -> None:
    page = open_page()
    choose(page, volume, volume_mask)
    page.locator("#show-mask").focus()
    page.keyboard.press("Space")
    assert shows(page, ORANGE) == 0 and shows(page, SKY) > 50
    page.locator("#show-truth").uncheck()
    plain = pixels(page)
    assert shows(page, SKY) == 0 and np.ptp(plain, axis=2).max() == 0  # grey
    page.locator("#show-probability").check()
    weak = pixels(page)
    assert np.ptp(weak, axis=2).max() > 40
    page.locator("#opacity").fill("100")
    assert np.ptp(pixels(page), axis=2).max() > np.ptp(weak, axis=2).max()


def test_without_a_lesion_in_the_truth_it_is_left_alone_or_not(open_page: Callable[..., Any], tmp_path: Path) -> None:
    for name, grey in (("dim.png", 100), ("dim_mask.png", 0)):
        cv2.imwrite(str(tmp_path / name), np.full((32, 32), grey, np.uint8))
    page = open_page()
    choose(page, tmp_path / "dim.png", tmp_path / "dim_mask.png")
    assert text(page, "dice") == "no lesion in the truth: left alone"
    page.locator("#threshold").evaluate("(slider) => { slider.value = 0.1; slider.dispatchEvent(new Event('input')); }")
    assert "moving" in page.locator("#measures").get_attribute("class")
    assert text(page, "dice") == "no lesion in the truth: false alarm"
    until(page, "!document.getElementById('measures').classList.contains('moving')")
    assert text(page, "dice") == "no lesion in the truth: false alarm"


def test_the_threshold_moves_everything_and_comes_back(
    open_page: Callable[..., Any], volume: Path, volume_mask: Path
) -> None:
    page = open_page()
    choose(page, volume, volume_mask)
    assert text(page, "threshold-said") == "0.5" and page.locator("#reset").is_disabled()
    # While the slider moves the page reckons for itself; the answer of the program may not change what it says.
    page.locator("#threshold").evaluate(
        "(slider) => { slider.value = 0.02; slider.dispatchEvent(new Event('input')); }"
    )
    assert "moving" in page.locator("#measures").get_attribute("class")
    live = [text(page, one) for one in ("volume", "voxels", "dice", "slices")]
    until(page, "!document.getElementById('measures').classList.contains('moving')")
    settled = [text(page, one) for one in ("volume", "voxels", "dice", "slices")]
    assert int(settled[1].replace(",", "")) > 168 and float(settled[2]) < 1
    assert abs(int(live[1].replace(",", "")) - int(settled[1].replace(",", ""))) <= 5 and live[3] == settled[3]
    page.locator("#reset").click()
    until(page, "!document.getElementById('measures').classList.contains('moving')")
    assert text(page, "voxels") == "168" and text(page, "threshold-said") == "0.5"


def test_the_mask_is_downloaded_on_the_grid_of_the_source(
    open_page: Callable[..., Any], volume: Path, tmp_path: Path
) -> None:
    page = open_page()
    choose(page, volume)
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == "case7_flair_mask.nii.gz"
    waiting.value.save_as(tmp_path / "saved.nii.gz")
    mask, source = nibabel.load(tmp_path / "saved.nii.gz"), nibabel.load(volume)
    assert mask.shape == source.shape and np.array_equal(mask.affine, source.affine)
    assert np.array_equal(np.asarray(mask.dataobj) != 0, np.asarray(source.dataobj) > 500)
    page.locator("#threshold").fill("0.02")
    with page.expect_download() as waiting:
        page.locator("#download").click()
    waiting.value.save_as(tmp_path / "wide.nii.gz")
    assert np.asarray(nibabel.load(tmp_path / "wide.nii.gz").dataobj).sum() > np.asarray(mask.dataobj).sum()


def test_an_image_then_a_case_of_slices(open_page: Callable[..., Any], phantom_root: Path, server: Any) -> None:
    case = sorted(path for path in phantom_root.iterdir() if path.is_dir())[0]
    image = case / f"{case.name}_3.tif"
    page = open_page()
    drop(page, image, image.with_name(f"{image.stem}_mask.tif"))
    assert text(page, "name") == image.stem and text(page, "position") == "one slice"
    assert "64 × 64 pixels · no spacing, so no volume in ml" in text(page, "about")
    assert text(page, "sides") == "left/right unknown" and page.locator(".side.left").inner_text() == ""
    assert not page.locator("#jumps").is_visible() and not page.locator("#volume-row").is_visible()
    assert not page.locator("#through").is_visible()
    assert page.locator("#sequence").is_visible()
    before = pixels(page)
    page.locator("#sequence").select_option("post")
    until(page, "document.getElementById('sequence').value === 'post'")
    page.wait_for_timeout(200)
    assert not np.array_equal(before, pixels(page))
    with page.expect_download() as waiting:
        page.locator("#download").click()
    assert waiting.value.suggested_filename == f"{image.stem}_mask.tif"
    mask = cv2.imread(str(waiting.value.path()), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (64, 64) and set(np.unique(mask)) <= {0, 255}

    choose(page, *sorted(case.glob("*.tif")))
    assert text(page, "name") == case.name and page.locator("#through").is_visible()
    assert len(server.pages.kept.found) == 1  # the image before it was forgotten


def test_a_folder_can_be_dropped(open_page: Callable[..., Any], volume: Path) -> None:
    page = open_page()
    # A browser lets no script make a folder; so the way through one is walked with a stand-in of the same face.
    entry = """async () => {
      const file = (name) => ({ isFile: true, name, file: (done) => done(new File(["x"], name)) });
      const folder = (...inside) => {
        let left = [inside.slice(0, 1), inside.slice(1)];
        return { isFile: false, name: "f", createReader: () => ({ readEntries: (done) => done(left.shift() ?? []) }) };
      };
      const found = await filesOf(folder(file("a.tif"), file(".DS_Store"), folder(file("b.tif"))));
      return found.map((one) => one.name);
    }"""
    assert page.evaluate(entry) == ["a.tif", "b.tif"]
