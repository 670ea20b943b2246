"""Every command of the README, the tutorial and several other pages is run as printed, in printed order.

They run one after the other in a folder laid out like the checkout, so each finds what those before it left; the README
comes first. Four things differ from a reader's machine: there are fewer made-up patients, the download gives some of
these in place of the real ones, `resnext` is a small net, and trainings that would take long are made short by flags at
the end (`SHORT`). A command of a kind that is not known here fails.
"""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.pages.finding import ROOT, Command, all_commands, commands_of
from tests.pages.running import DEMO, check_pins, run, run_main, run_make, run_serve, run_tensorboard


@pytest.mark.no_cover  # it takes half as long again, and these lines are measured in their own tests
@pytest.mark.parametrize("command", all_commands(), ids=str)
def test_command(command: Command, reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = command.words
    program = words[0].removeprefix(".venv/bin/")
    if words[0] != program:
        assert ".venv" in run(["make", "--dry-run", "--always-make", "install"], reader)
    if program == "make" and len(words) == 2:
        run_make(words[1], reader, capsys)
    elif program == "python" and words[1] == "main.py":
        if shlex.join(words[2:]) == DEMO:
            assert (reader / "runs" / "demo" / "report.html").is_file()  # `make demo` has run the very same
        elif "--serve" in words:
            run_serve(words[2:], reader)
        else:
            run_main(words[2:], reader, capsys)
    elif program == "tensorboard":
        run_tensorboard(words[1:], reader)
    elif words[-3:] == ["install", "-r", "requirements.txt"]:
        check_pins(ROOT / "requirements.txt")
    elif words in (["source", ".venv/bin/activate"], ["python3", "-m", "venv", ".venv"]):
        assert "python3 -m venv .venv" in run(["make", "--dry-run", "--always-make", "install"], reader)
    else:
        pytest.fail(f"{command}: say in this test how such a command is run")


def test_the_program_starts_as_printed(place: Path) -> None:
    assert run([sys.executable, "main.py", "--version"], place).startswith("headtohead ")


def test_nothing_that_a_page_runs_is_left_to_install() -> None:
    """Whatever the pages run, `make demo` has installed: the page's server and the faster engine are no extras."""
    pinned = (ROOT / "requirements.txt").read_text()
    assert all(f"\n{name}==" in pinned for name in ("starlette", "uvicorn", "python-multipart", "openvino"))
    check_pins(ROOT / "requirements.txt")


def test_make_and_the_three_commands_do_the_same() -> None:
    assert [shlex.join(command.words) for command in all_commands()[:5]] == [
        "make demo",
        "make test",
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install -r requirements.txt",
        f".venv/bin/python main.py {DEMO}",
    ]


def test_commands_are_found() -> None:
    shell = "```bash\nmake demo  # minutes\n\nmake \\\n  test\n```\n"
    page = f"Give `make help` or `main.py`.\n{shell}```text\nmake lunch\n```\n"
    assert [(one.line, shlex.join(one.words)) for one in commands_of("x.md", page)] == [
        (1, "make help"),
        (3, "make demo"),
        (5, "make test"),
    ]


def test_the_pages_have_the_main_commands() -> None:
    found = {shlex.join(command.words) for command in all_commands()}
    assert {"make demo", "make test", "python main.py --train --model resnext"} <= found
    assert any("--compare --config configs/lgg.yaml" in one for one in found)
    assert any("--image_path" in one for one in found)


def test_make_help_lists_every_target() -> None:
    listed = run(["make", "help"], ROOT)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert sorted(re.findall(r"^  make (\S+)", listed, re.MULTILINE)) == sorted(phony[1].split())
