"""Pages lead where they say, configs are accepted, and the command starts."""

import re
import sys
from pathlib import Path

import pytest

from headtohead import cli
from headtohead.parsing import parse
from tests.tree.source import PACKAGE, ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "data" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *ROOT.glob("results/*.md"),
]
# Files that a recipe lets its reader write.
TO_BE_WRITTEN = {
    "src/headtohead/learning/losses/log_cosh_dice.py",
    "src/headtohead/models/tiny.py",
    "src/headtohead/readers/archives.py",
}
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def anchor(heading: str) -> str:
    """Give the anchor that a heading of a Markdown page has."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists():
            broken.append(target)
        elif heading:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            if heading not in {anchor(one) for one in headings}:
                broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_program_are_where_a_page_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {path for path in re.findall(r"`([\w/]+\.py)`", text) if path not in TO_BE_WRITTEN}
    assert not {path for path in named if not (ROOT / path).is_file() and not (PACKAGE / path).is_file()}


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert not {page for page in pages if f"]({page})" not in index}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_config_is_accepted_and_says_its_command(config: Path) -> None:
    command = f"--compare --config configs/{config.name}"
    comment = [line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert any(line.startswith("#     python main.py") and line.endswith(command) for line in comment)
    options = parse(["--compare", "--config", str(config)])
    assert options.comparison.comparison == config.stem


def test_console_script_needs_no_argument(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["headtohead", "--version"])
    assert cli.main() == 0
    assert capsys.readouterr().out.startswith("headtohead ")
