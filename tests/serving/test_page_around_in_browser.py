"""The page in a real browser: faults in words, small screens, the dark, the keyboard, and silence elsewhere."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.browsing import Heard, choose, drop, text, until


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
    assert text(page, "problem") == "this result has expired; drop the file again"
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


def test_what_is_dropped_meanwhile_waits_and_what_it_replaces_is_said(
    open_page: Callable[..., Any], volume: Path, tmp_path: Path, engine: Any, heard: Heard
) -> None:
    other, third = tmp_path / "other_flair.nii.gz", tmp_path / "broken.nii.gz"
    other.write_bytes(volume.read_bytes())
    third.write_bytes(b"no volume")
    page = open_page()
    engine.wait = threading.Event()
    page.locator("#files").set_input_files(str(third))
    until(page, "document.getElementById('problem').textContent !== ''")
    page.locator("#files").set_input_files(str(volume))
    assert engine.began.wait(20)
    page.locator("#files").set_input_files(str(third))
    said = text(page, "waiting")
    assert said == "Next: broken.nii.gz. It starts when case7_flair.nii.gz is done."
    page.locator("#files").set_input_files(str(other))
    said = text(page, "waiting")
    assert said == "Next: other_flair.nii.gz, instead of broken.nii.gz. It starts when case7_flair.nii.gz is done."
    engine.wait.set()
    until(page, "document.getElementById('name').textContent === 'other_flair'")
    until(page, "!document.body.classList.contains('working')")
    assert text(page, "waiting") == "" and text(page, "problem") == ""
    assert [line for line in heard if "422" not in line] == []
    heard.clear()


def test_a_large_upload_is_refused_in_words(browser: Any, start: Callable[..., Any], tmp_path: Path) -> None:
    from headtohead.serving.limits import Limits

    (tmp_path / "large.nii").write_bytes(bytes(3 * 2**20))
    page = browser.new_page()
    page.goto(start(Limits(upload=2**20)).address)
    drop(page, tmp_path / "large.nii")
    assert text(page, "problem").startswith("more than 1 MiB, the limit of this page")
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
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    order = ["canvas", "slice", "to-mask", "to-truth", "show-mask", "show-truth", "show-probability", "opacity"]
    order += ["level", "width", "threshold", "download"]
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
