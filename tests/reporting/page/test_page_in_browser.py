"""The page in a real browser, opened from disk: sorting, slider, switches, width, theme, and silence on the network."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.cohort import Cohort
from headtohead.reporting.findings import Findings
from headtohead.reporting.page.writing import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def address(phantom_cohort: Cohort, make: Callable[..., Findings], tmp_path_factory: pytest.TempPathFactory) -> str:
    names = [str(name) for name in phantom_cohort.table["case"]]

    def masks_of(entrant: str, case: str) -> np.ndarray:
        return np.roll(phantom_cohort.truth(names.index(case)), len(entrant) % 4, axis=3)

    path = tmp_path_factory.mktemp("page") / "report.html"
    return write_report(make(names), path, phantom_cohort, masks_of).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open the page in a window; at the end, no complaint and no request may have been heard."""
    heard: list[str] = []
    pages, asked_for = [], []

    def open_it(width: int = 1280, address: str = address, **settings: Any) -> Any:
        page = browser.new_page(viewport={"width": width, "height": 800}, **settings)
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda asked: heard.append(asked.url) if not asked.url.startswith("data:") else None)
        page.goto(address)
        pages.append(page)
        asked_for.append(address)
        return page

    yield open_it
    for page in pages:
        page.close()
    assert heard == asked_for


def column(page: Any, section: str, place: int) -> list[str]:
    return page.locator(f"#{section} table").first.locator(f"tbody tr > :nth-child({place})").all_inner_texts()


def test_a_table_is_sorted_by_its_buttons_with_the_keyboard(open_page: Callable[..., Any]) -> None:
    page = open_page()
    before = column(page, "entrants", 2)
    button = page.locator("#entrants thead button").nth(1)
    head = page.locator("#entrants thead th").nth(1)
    assert head.get_attribute("aria-sort") is None
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, "entrants", 2) == sorted(before, reverse=True) != before
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, "entrants", 2) == sorted(before)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") is None
    assert column(page, "entrants", 2) == before


def test_missing_values_stand_last_either_way(open_page: Callable[..., Any]) -> None:
    page = open_page()
    button = page.locator("#entrants thead button", has_text="parameters")
    for _ in range(2):
        button.click()
        assert column(page, "entrants", 8)[-1] == "–"


def test_the_slider_moves_through_the_slices_by_arrow_keys(open_page: Callable[..., Any]) -> None:
    page = open_page()
    card = page.locator(".card").first
    slider, picture = card.locator("input[type=range]"), card.locator("image")
    last = int(str(slider.get_attribute("max")))
    slider.focus()
    page.keyboard.press("Home")
    assert card.locator(".position output").inner_text() == "1"
    seen = {picture.get_attribute("href")}
    for number in range(2, last + 1):
        page.keyboard.press("ArrowRight")
        assert card.locator(".position output").inner_text() == str(number)
        assert slider.get_attribute("aria-valuetext") == f"slice {number} of {last}"
        seen.add(picture.get_attribute("href"))
    assert len(seen) == last
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_outlines_follow_the_slice_and_can_be_switched_off(open_page: Callable[..., Any]) -> None:
    page = open_page()
    card = page.locator(".card").first
    truth, first = (card.locator(f'path[data-outline="{key}"]') for key in ("truth", "0"))
    start = truth.get_attribute("d")
    assert start and truth.is_visible() and first.is_visible()
    baseline, box = card.locator('path[data-outline="4"]'), page.locator('.switches input[data-outline="4"]')
    assert baseline.get_attribute("d") and not baseline.is_visible(), "the threshold is off at first"
    box.check()
    assert baseline.is_visible()
    page.locator('.switches input[data-outline="truth"]').focus()
    page.keyboard.press("Space")
    assert not truth.is_visible() and first.is_visible()
    page.keyboard.press("Space")
    assert truth.is_visible()
    card.locator("input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    assert truth.get_attribute("d") != start


def test_a_chosen_case_stands_out_and_is_said_in_words(open_page: Callable[..., Any]) -> None:
    page = open_page()
    name = page.locator("#case-choice option").nth(2).inner_text()
    page.locator("#case-choice").select_option(name)
    assert page.locator("#case-said").inner_text().startswith(f"{name}: unet, no schedule 0.")
    assert page.locator(".wide .case.chosen").get_attribute("data-case") == name
    page.locator("#case-choice").select_option("")
    assert page.locator(".case.chosen").count() == 0
    dot = page.locator(".wide .case .marker").nth(20)
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()  # aimed at by place: the dot of another case may lie on top of it
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.locator(".wide .case.chosen").count() == 1


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_is_wider_than_the_window(open_page: Callable[..., Any], width: int) -> None:
    page = open_page(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for table in page.locator(".scroll:visible").all():  # what is cut off says so, and can be reached by keyboard
        wide = table.evaluate("(box) => box.scrollWidth > box.clientWidth + 1")
        assert table.evaluate("(box) => box.previousElementSibling.checkVisibility()") == wide
        assert table.get_attribute("tabindex") == "0"
    assert page.locator(".dot-plot").nth(0 if width > 640 else 1).is_visible()
    assert not page.locator(".dot-plot").nth(1 if width > 640 else 0).is_visible()


def test_back_to_the_top_and_the_first_column_stays(open_page: Callable[..., Any]) -> None:
    page = open_page(375, reduced_motion="reduce")
    up, table = page.locator(".up"), page.locator("#scores .scroll")
    assert not up.is_visible()
    table.scroll_into_view_if_needed()
    first = table.locator("tbody th").first
    before = first.bounding_box()["x"]
    table.evaluate("(box) => { box.scrollLeft = 120; }")
    assert first.bounding_box()["x"] == before
    up.wait_for()
    up.click()
    up.wait_for(state="hidden")
    assert page.locator("h1").bounding_box()["y"] > 0


def brightness(page: Any) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(float, colour.removeprefix("rgb(").removesuffix(")").split(",")[:3])) / 3


def test_dark_where_asked_for_and_light_on_paper(open_page: Callable[..., Any]) -> None:
    assert brightness(open_page(color_scheme="light")) > 240
    page = open_page(color_scheme="dark")
    assert brightness(page) < 40
    page.emulate_media(media="print", color_scheme="dark")
    assert brightness(page) > 240


def test_paper_shows_what_is_folded(open_page: Callable[..., Any]) -> None:
    page = open_page()
    folded = page.locator("#cases details table")
    assert not folded.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folded.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()


def test_without_script_the_page_still_reads(open_page: Callable[..., Any], findings: Findings) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator("#verdict").inner_text() == findings.verdict
    assert page.locator(".card .picture").first.is_visible()
    assert not page.locator(".card input").first.is_visible()
    assert page.locator("noscript p").is_visible()


def test_the_policy_stops_what_is_not_ours(browser: Any, address: str) -> None:
    page = browser.new_page()  # not by `open_page`: the browser is meant to complain
    page.goto(address)
    assert page.evaluate("fetch('https://example.org/').then(() => 'went out', () => 'stopped')") == "stopped"
    ran = (
        "const one = document.createElement('script'); one.textContent = 'window.ran = true'; document.body.append(one)"
    )
    page.evaluate(ran)
    assert page.evaluate("window.ran") is None
    page.close()


def test_of_several_targets_each_outline_has_two_switches(open_page: Callable[..., Any], pictured: Path) -> None:
    """That of its target and that of whoever drew it; the slider brings other outlines, and keeps what is off."""
    page = open_page(address=(pictured / "report.html").as_uri())
    card = page.locator(".card").first
    seen = lambda: {path.get_attribute("data-outline") for path in card.locator(".picture path:not([hidden])").all()}  # noqa: E731
    assert seen() == {"truth.0", "truth.1", "0.0", "0.1", "1.0", "1.1"}, "the threshold is off at first"
    page.locator('.switches [data-target="1"]').uncheck()
    assert seen() == {"truth.0", "0.0", "1.0"}
    page.locator('.switches [data-who="truth"]').uncheck()
    card.locator("input[type=range]").fill("1")
    assert seen() == {"0.0", "1.0"}
    page.locator('.switches [data-target="1"]').check()
    assert seen() == {"0.0", "0.1", "1.0", "1.1"}
    page.locator("#case-choice").select_option(index=1)
    said = page.locator("#case-said").inner_text()
    assert " · whole tumour of " in said, "the chosen case is said with the Dice of each target"
