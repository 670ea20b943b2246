"""Only the command line, the page and what is printed or written for their readers say flags: errors name options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from headtohead.options.flags import as_flags
from headtohead.options.table import OPTIONS
from tests.tree.source import MODULES, PACKAGE, module_name

FLAG = re.compile(r"(?<![\w-])--(\w+)")
BACKQUOTED = re.compile(r"`([^`=]*)(?:=[^`]*)?`")
FILLED_IN = "{}"
"""Stands in an f-string for what is known only when it is written."""

FOR_THE_COMMAND_LINE = {"chris.py", "cli.py", "config_file.py", "effects.py", "help_page.py", "parsing.py"}
FOR_READERS = {
    "predicting/folder.py",
    "reporting/notes/seeds.py",
    "reporting/notes/warnings.py",
    "reporting/margin.py",
    "reporting/report.py",
    "reporting/rewriting.py",
    "serving/guard.py",
    "trained/card.py",
}
"""They hold text of files and of the page, and what is printed; an error raised there names options all the same."""

CODE_IN_BACKQUOTES = {"help_page.py", "options/flags.py", "trained/card.py"}
"""They hold Markdown, and the pattern that finds backquotes."""

SAID = {"print", "option"}
"""What prints, and what `--help` prints."""


def texts_of(node: ast.AST) -> Iterator[str]:
    """Give the texts in some code, but docstrings, what is printed and summaries in tables of `--help`."""
    for child in ast.iter_child_nodes(node):
        printed = isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id in SAID
        summary = isinstance(child, ast.keyword) and child.arg == "summary"
        docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif not (printed or summary or docstring):
            yield from texts_of(child)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_errors_name_options_and_no_flags(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    if place in FOR_THE_COMMAND_LINE:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Raise)] if place in FOR_READERS else [tree]
    flags = {flag for node in nodes for text in texts_of(node) for flag in FLAG.findall(text)}
    assert not flags & OPTIONS.keys()


def whole_texts_of(node: ast.AST) -> Iterator[str]:
    """Give the texts in some code, but docstrings; an f-string is one text."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in child.values)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from whole_texts_of(child)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_what_stands_in_backquotes_in_a_message_is_an_option_and_becomes_a_flag(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() in CODE_IN_BACKQUOTES:
        return
    texts = list(whole_texts_of(ast.parse(path.read_text(encoding="utf-8"))))
    named = {name for text in texts for name in BACKQUOTED.findall(text)}
    assert named <= {*OPTIONS, FILLED_IN}
    # What is filled in right behind an option begins with a mark: `run_name`{", though ..."}.
    said = [as_flags(text.replace(f"`{FILLED_IN}", "`, ")) for text in texts]
    assert not [text for text in said if set(BACKQUOTED.findall(text)) & OPTIONS.keys()]
