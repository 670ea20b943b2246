"""The commands of a page: lines of its bash blocks, and code within its sentences."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ("cross-validate", "predict-volumes", "train-a-masker", "fine-tune", "serve")
PAGES = ("README.md", "docs/tutorial.md", *(f"docs/how-to/{page}.md" for page in HOW_TO), "data/README.md")
FENCES = {"bash", "text"}  # `text` is for listings, which nobody runs
PROGRAMS = ("python", "python3", "make", "tensorboard", "pip", "source")


@dataclass(frozen=True)
class Command:
    """One command and where it stands."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"

    @property
    def words(self) -> list[str]:
        """The words a shell would see."""
        return shlex.split(self.text, comments=True)


def commands_of(page: str, text: str) -> Iterator[Command]:
    """Find the commands of a page: lines of ```bash blocks, and code within a sentence that starts with a program."""
    language, pending, start = None, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            language = line[3:].strip() if language is None else None
            assert language is None or language in FENCES, f"{page}:{number}: block of unknown kind {line}"
        elif language == "bash":
            start = start or number
            pending += line.removesuffix("\\")
            if not line.endswith("\\") and shlex.split(pending, comments=True):
                yield Command(page, start, pending.strip())
            if not line.endswith("\\"):
                pending, start = "", 0
        elif language is None:
            for code in re.findall(r"`([^`]+)`", line):
                words = code.split()
                if len(words) > 1 and Path(words[0]).name in PROGRAMS:
                    yield Command(page, number, code)


def all_commands() -> list[Command]:
    """List the commands of all pages; one that stands on several is run once, where it stands first."""
    first: dict[str, Command] = {}
    for page in PAGES:
        for command in commands_of(page, (ROOT / page).read_text(encoding="utf-8")):
            first.setdefault(shlex.join(command.words), command)
    return list(first.values())
