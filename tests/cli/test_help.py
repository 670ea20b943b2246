"""What the program says about itself: --help, --version, and the reference page in docs/."""

from pathlib import Path

import pytest

from headtohead import __version__
from headtohead.cli import main
from headtohead.help_page import reference_page
from headtohead.models.registry import MODELS
from headtohead.options.table import OPTIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_option_and_model(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--train", flag]) == 0
    page = capsys.readouterr().out
    for name in OPTIONS:
        assert f"\n  --{name}" in page
    for name in MODELS:
        assert f"\n  {name} " in page
    assert "default 128" in page


@pytest.mark.parametrize(("terminal", "widest"), [("300", 100), ("100", 100), ("80", 80)])
def test_help_fits_the_terminal(
    terminal: str, widest: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", terminal)
    main(["--help"])
    lines = [line for line in capsys.readouterr().out.splitlines() if "python main.py" not in line]
    assert widest - 10 < max(map(len, lines)) <= widest


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"headtohead {__version__}\n"


def test_reference_page_is_in_step() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), (
        "write it again: python -c 'from headtohead.help_page import reference_page as p; print(p(), end=str())' "
        "> docs/reference/command-line.md"
    )
