"""The whole page: one file, safe against what it is given, small, and never without a needed word."""

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.reporting.findings import Findings
from headtohead.reporting.page.gallery import BUDGET
from headtohead.reporting.page.writing import _hash, write_report

EVIL = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"


class Page(HTMLParser):
    """Collects elements, their attributes and the texts of some of them; fails where tags are not closed in order."""

    VOID = frozenset({"meta", "link", "input", "br", "wbr", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


@pytest.fixture(scope="module")
def html(findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(findings, tmp_path_factory.mktemp("page") / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def ids(page: Page) -> list[str]:
    return [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]


def test_every_section_is_there_and_linked_once(page: Page) -> None:
    sections = ["entrants", "cases", "differences", "costs", "curves", "scores", "conventions", "subgroups"]
    sections += ["gallery", "provenance"]
    assert set(sections) <= set(ids(page))
    assert len(ids(page)) == len(set(ids(page)))
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert links == ["#main", *(f"#{name}" for name in sections), "#top"]


def test_warnings_come_first_then_the_verdict(html: str, findings: Findings) -> None:
    body = html.index("<body")
    places = [html.index(text.replace("'", "&#39;"), body) for text in (*findings.warnings, findings.verdict)]
    assert places == sorted(places)
    assert places[-1] < html.index("<main")


def test_no_entrant_is_called_none(html: str) -> None:
    assert "unet, no schedule" in html and "resnext, no schedule" in html
    assert "unet none" not in html and "resnext none" not in html


def test_nothing_leads_out_of_the_file(page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "poster", "data"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:")), (tag, target)
        assert "style" not in attributes and not [name for name in attributes if name.startswith("on")]
    assert "url(" not in "".join(page.texts["style"]) and "@import" not in "".join(page.texts["style"])


def test_the_policy_names_style_and_script_by_their_text(page: Page) -> None:
    policy = next(str(one["content"]) for _, one in page.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert f"style-src {_hash(''.join(page.texts['style']))};" in policy
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert [one for one in scripts if "type" not in one] == [{}]
    assert f"script-src {_hash(page.texts['script'][-1])};" in policy


def test_what_comes_from_outside_stays_text(findings: Findings, make: Callable[..., Findings], tmp_path: Path) -> None:
    evil = make([EVIL, *map(str, findings.matrix.index[:11])])
    runs = [{"name": EVIL, "status": "failed", "error": EVIL}, {"name": "b", "error": "no", "versions": {EVIL: EVIL}}]
    evil = dataclasses.replace(
        evil,
        title=EVIL,
        verdict=EVIL,
        warnings=[EVIL],
        footnotes=[EVIL],
        provenance=runs,
        matrix=evil.matrix.rename(columns={"unet none": EVIL}),
        means=evil.means.rename(index={"unet none": EVIL}),
        pairs=evil.pairs.replace("unet none", EVIL),
        secondary=evil.secondary.replace("unet none", EVIL),
        healthy_pairs=evil.healthy_pairs.replace("unet none", EVIL),
        without_lesion=evil.without_lesion.replace("unet none", EVIL),
        ranks=evil.ranks.rename(index={"unet none": EVIL}),
        curves=evil.curves.replace("unet none", EVIL),
        scores=evil.scores.replace({"unet none": EVIL}),
        subgroup_pairs=evil.subgroup_pairs.replace({"unet none": EVIL, "CS": EVIL}),
        subgroups=evil.subgroups.replace({"unet none": EVIL, "CS": EVIL}),
        conventions=evil.conventions.replace({"unet none": EVIL, "per case, 3-D": EVIL}),
    )
    images, masks = np.zeros((2, 8, 8, 3), np.uint8), np.ones((2, 8, 8), np.uint8)
    cohort = SimpleNamespace(
        table=pd.DataFrame({"case": evil.matrix.index}),
        root="",
        task=LGG_TASK,
        primary=lambda _: images[..., 1],
        truth=lambda _: masks[None] != 0,
    )
    path = write_report(evil, tmp_path / "report.html", cohort, lambda entrant, case: masks[None] != 0)  # type: ignore[arg-type]
    html = path.read_text(encoding="utf-8")
    assert "alert(1)</script>" not in html
    assert "<script>alert" not in html
    assert "{{ 7 * 7 }}" in html  # shown, not computed
    page = Page(html)
    assert len([tag for tag, one in page.elements if tag == "script" and "type" not in one]) == 1
    assert EVIL in [one.get("data-case") for _, one in page.elements]


def test_without_pictures_the_page_says_so(html: str) -> None:
    assert "There are no pictures: the data set was not available" in html
    assert 'class="card"' not in html


def test_the_same_findings_give_the_same_bytes(findings: Findings, html: str, tmp_path: Path) -> None:
    assert write_report(findings, tmp_path / "again.html").read_text(encoding="utf-8") == html


def test_of_one_target_nothing_on_the_page_speaks_of_several(make: Callable[..., Findings], tmp_path: Path) -> None:
    html = write_report(make(), tmp_path / "report.html").read_text()
    assert not re.search(r"[Tt]arget|sayEach|over the targets", html.replace("event.target", ""))


def test_a_comparison_of_one_entrant_has_only_the_sections_it_can_fill(findings: Findings, tmp_path: Path) -> None:
    alone = ["unet none"]
    bare = dataclasses.replace(
        findings,
        matrix=findings.matrix[alone],
        means=findings.means.loc[alone],
        pairs=findings.pairs.head(0),
        ranks=findings.ranks.loc[alone, [1]],
        scores=findings.scores.head(0),
        subgroups=findings.subgroups.head(0),
        subgroup_pairs=findings.subgroup_pairs.head(0),
        conventions=findings.conventions.head(0),
        costs=findings.costs.head(0),
        curves=findings.curves.head(0),
        warnings=[],
        footnotes=[],
        provenance=[],
    )
    html = write_report(bare, tmp_path / "report.html").read_text(encoding="utf-8")
    sections = re.findall(r'<section id="(\w+)"', html)
    assert sections == ["entrants", "cases", "gallery", "provenance"]
    assert re.findall(r'<li><a href="#(\w+)"', html) == sections
    assert "Read this first" not in html


def test_every_table_can_be_sorted_and_every_region_has_a_name(page: Page) -> None:
    regions = [attributes for _, attributes in page.elements if attributes.get("role") == "region"]
    assert len(regions) == len([tag for tag, _ in page.elements if tag == "table"]) == 13
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)
    cells = [one for tag, one in page.elements if tag == "td" or (tag == "th" and one.get("scope") == "row")]
    assert cells and all("data-order" in one for one in cells)


def test_the_grey_band_says_what_it_holds(findings: Findings, make: Callable[..., Findings], tmp_path: Path) -> None:
    seeded = dataclasses.replace(findings, pairs=findings.pairs.assign(test="Wilcoxon and two-level t"))
    write_report(seeded, tmp_path / "report.html", None, None)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "with so many cases and seeds and after the correction for all pairs" in text
    assert "single test" not in text and "power is lower" not in text


def test_subgroups_are_labelled_exploration(html: str) -> None:
    section = html[html.index('<section id="subgroups"') : html.index('<section id="gallery"')]
    assert '<span class="label">exploration</span>' in section


def test_four_models_on_110_cases_stay_below_15_megabytes(html: str) -> None:
    # A tenth is for what JSON puts around pictures and outlines, and for the slices that are shown first.
    assert len(html.encode()) + 1.1 * BUDGET < 15e6
    assert len(html.encode()) < 1.5e6
