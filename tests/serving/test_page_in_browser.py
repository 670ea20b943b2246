"""The page in a real browser: drop, scroll, switch, move the threshold, download; and silence elsewhere."""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

ORANGE, SKY = (230, 159, 0), (86, 180, 233)

# Files as a mouse brings them from a file manager: name and content.
DROP = """([target, files]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    data.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], name));
  }
  for (const type of ["dragenter", "dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Heard(list[str]):
    """What the browser complained of or asked of anybody else."""


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def open_page(browser: Any, server: Any, heard: Heard) -> Iterator[Callable[..., Any]]:
    """Open the page; at the end no complaint and no request to anybody else may have been heard."""
    pages = []

    def open_it(width: int = 1280, height: int = 900, **settings: Any) -> Any:
        page = browser.new_page(viewport={"width": width, "height": height}, **settings)
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda asked: heard.append(asked.url) if not ours(asked.url) else None)
        page.goto(server.address)
        pages.append(page)
        return page

    def ours(url: str) -> bool:
        return url.startswith((f"{server.address}/", "data:", f"blob:{server.address}/"))

    yield open_it
    for page in pages:
        page.close()
    assert heard == []


def until(page: Any, expression: str) -> None:
    """Wait until something holds. Playwright's own way evaluates text in the page, which the page's policy forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {expression}")


def choose(page: Any, *paths: Path) -> None:
    page.locator("#files").set_input_files([str(path) for path in paths])
    page.locator("#result").wait_for()
    until(page, "!document.body.classList.contains('working')")


def drop(page: Any, *paths: Path) -> None:
    files = [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in paths]
    page.evaluate(f"(files) => ({DROP})([document.getElementById('drop'), files])", files)
    until(page, "!document.body.classList.contains('working')")


def pixels(page: Any) -> np.ndarray:
    """Give what the canvas shows: uint8 RGB [H, W, 3]."""
    picture = page.evaluate("document.getElementById('canvas').toDataURL()").split(",")[1]
    return cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def shows(page: Any, colour: tuple[int, int, int]) -> int:
    """Count pixels of a colour."""
    return int((np.abs(pixels(page).astype(int) - colour).max(axis=2) < 12).sum())


def text(page: Any, where: str) -> str:
    return str(page.locator(f"#{where}").inner_text())


def test_a_volume_is_dropped_and_scrolled(open_page: Callable[..., Any], volume: Path, volume_mask: Path) -> None:
    page = open_page()
    assert not page.locator("#result").is_visible()
    drop(page, volume, volume_mask)
    assert text(page, "name") == "case7_flair"
    assert text(page, "volume") == "1.34 ml" and text(page, "voxels") == "168" and text(page, "lesions") == "1"
    assert text(page, "dice") == "1.000" and text(page, "slices") == "3 of 6"
    assert "no post: FLAIR is shown in its place" in text(page, "warnings")
    assert text(page, "position") == "slice 3 of 6"  # the first of the fullest
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
    assert "no volume in ml" in text(page, "about") and not page.locator("#volume-row").is_visible()
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


def test_what_is_wrong_is_said_and_the_last_result_stays(
    open_page: Callable[..., Any], volume: Path, tmp_path: Path, heard: Heard
) -> None:
    page = open_page()
    choose(page, volume)
    (tmp_path / "broken.nii.gz").write_bytes(b"<script>alert(1)</script>")
    drop(page, tmp_path / "broken.nii.gz")
    assert text(page, "problem").startswith("broken.nii.gz: ") and text(page, "doing") == ""
    assert text(page, "name") == "case7_flair" and page.locator("#result").is_visible()
    drop(page, volume)
    assert text(page, "problem") == ""
    # The browser notes the refusal by itself; nothing else may have been heard.
    assert [line for line in heard if "422" not in line] == []
    heard.clear()


def test_a_forgotten_result_is_said(open_page: Callable[..., Any], volume: Path, server: Any, heard: Heard) -> None:
    page = open_page()
    choose(page, volume)
    server.pages.kept.found.clear()
    page.locator("#download").click()
    until(page, "document.getElementById('problem').textContent !== ''")
    assert text(page, "problem") == "this result was dropped after a time; drop the file again"
    assert [line for line in heard if "404" not in line] == []
    heard.clear()


def test_busy_is_said_and_waited_for(open_page: Callable[..., Any], volume: Path, server: Any, heard: Heard) -> None:
    page = open_page()
    assert server.pages.busy.acquire(timeout=5)
    page.locator("#files").set_input_files(str(volume))
    until(page, "document.getElementById('doing').textContent.startsWith('busy with another image')")
    server.pages.busy.release()
    page.locator("#result").wait_for()
    assert text(page, "name") == "case7_flair"
    assert [line for line in heard if "503" not in line] == []
    heard.clear()


def test_a_large_upload_is_refused_in_words(browser: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    from headtohead.serving.limits import Limits

    (tmp_path / "large.nii").write_bytes(bytes(3 * 2**20))
    page = browser.new_page()
    page.goto(start(Limits(upload=2**20)).address)
    drop(page, tmp_path / "large.nii")
    assert text(page, "problem").startswith("more than 1 MiB, which this page does not take")
    page.close()


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_is_wider_than_the_window(
    open_page: Callable[..., Any], volume: Path, volume_mask: Path, width: int
) -> None:
    page = open_page(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    choose(page, volume, volume_mask)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beside = page.locator(".panel").bounding_box()["x"] > page.locator("#viewer").bounding_box()["x"] + 50
    assert beside == (width > 800)


def brightness(page: Any) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(float, colour.removeprefix("rgb(").removesuffix(")").split(",")[:3])) / 3


def test_dark_where_asked_for(open_page: Callable[..., Any]) -> None:
    assert brightness(open_page(color_scheme="light")) > 240
    assert brightness(open_page(color_scheme="dark")) < 40


def test_the_keyboard_reaches_everything_in_order(
    open_page: Callable[..., Any], volume: Path, volume_mask: Path
) -> None:
    page = open_page()
    choose(page, volume, volume_mask)
    page.locator("#files").focus()
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    order = ["canvas", "slice", "show-mask", "show-truth", "show-probability", "opacity", "threshold", "download"]
    assert [one for one in reached if one in order] == order


def test_the_policy_stops_what_is_not_ours(browser: Any, server: Any) -> None:
    page = browser.new_page()  # not by `open_page`: the browser is meant to complain
    page.goto(server.address)
    assert page.evaluate("fetch('https://example.org/').then(() => 'went out', () => 'stopped')") == "stopped"
    page.evaluate(
        "const one = document.createElement('script'); one.textContent = 'window.ran = true'; document.body.append(one)"
    )
    assert page.evaluate("window.ran") is None
    assert page.context.cookies() == []
    page.close()


def test_without_script_the_page_says_another_way(open_page: Callable[..., Any]) -> None:
    page = open_page(java_script_enabled=False)
    assert "python main.py --predict" in page.locator("noscript p").inner_text()
