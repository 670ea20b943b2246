"""The Dockerfile: its RUN lines are carried out in an empty environment, one after the other, without Docker.

What differs from a build: packages are not fetched. The new environment sees those that are installed here, and pip is
allowed no index; so it ends well only if every pin is met by what the tests run with.
"""

import json
import re
import site
import subprocess
from pathlib import Path

import pytest

from tests.pages.finding import ROOT, all_commands

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def runs() -> list[str]:
    """The commands that a build runs."""
    return re.findall(r"^RUN (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def arguments() -> dict[str, str]:
    return dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE))


def test_its_steps_are_those_of_the_readme() -> None:
    readme = [command.text for command in all_commands() if command.page == "README.md"]
    without = re.sub(r' --no-cache-dir| \$\{TORCH_INDEX:\+--extra-index-url "\$TORCH_INDEX"\}', "", "\n".join(runs()))
    assert [line for line in without.splitlines() if "chris" not in line] == [
        command for command in readme if command in ("python3 -m venv .venv", INSTALL)
    ]


INSTALL = ".venv/bin/python -m pip install -r requirements.txt"


def test_data_and_runs_stay_out_of_it() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {"data", "runs", ".git", ".venv"} <= set(ignored)
    assert not {"src", "main.py", "configs", "requirements.txt"} & set(ignored)


@pytest.mark.exhaustive
def test_it_runs_in_an_empty_environment(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes((ROOT / "requirements.txt").read_bytes())
    bare = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    bare |= {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}  # what a wheel asks for to build others is not here
    for command in runs():
        done = subprocess.run(
            ["sh", "-ec", command], cwd=tmp_path, env=bare | arguments(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        if command.endswith("-m venv .venv"):
            [packages] = (tmp_path / ".venv").glob("lib/python*/site-packages")
            (packages / "here.pth").write_text("\n".join(site.getsitepackages()))
    entry = re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)
    assert entry
    program, script, *_ = json.loads(entry[1])
    assert script == "/opt/headtohead/main.py"
    words = [str(tmp_path / ".venv" / "bin" / program), str(ROOT / "main.py"), "--help"]
    done = subprocess.run(words, cwd=tmp_path, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "--compare" in done.stdout, done.stderr
