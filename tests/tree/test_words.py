"""The data set that came first is a data set like any other: no code but its own asks for it by name."""

import ast
import io
import keyword
import tokenize
from pathlib import Path

import pytest

from tests.tree.source import MODULES, PACKAGE, module_name

NAMES = {"FLAIR", "CHANNELS", "lgg"}
TEXTS = {"lgg"}

OWN = ("readers/lgg.py", "cohort/phantom/")
ROWS = {"options/data.py", "options/verbs.py", "readers/download.py"}
"""Tables of the kinds of data, one row of which it is."""


def words_in_code(path: Path) -> tuple[set[str], set[str]]:
    """Give the names and the texts of a file's code, without imports."""
    names, texts, in_import = set(), set(), False
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in (tokenize.NEWLINE, tokenize.NL):
            in_import = False
        elif token.string in ("import", "from") and keyword.iskeyword(token.string) and not token.line.startswith(" "):
            in_import = True
        elif token.type == tokenize.NAME and not in_import:
            names.add(token.string)
        elif token.type == tokenize.STRING:
            texts.add(token.string.strip("\"'"))
    return names, texts


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_its_own_code_names_the_first_data_set(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    if place.startswith(OWN) or place in ROWS:
        return
    names, texts = words_in_code(path)
    assert not (NAMES & names) | (TEXTS & texts)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_message_names_its_primary_sequence(path: Path) -> None:
    """A message names the primary sequence of the task at hand; documentation may take this one for an example."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told]
    if not path.relative_to(PACKAGE).as_posix().startswith(OWN):
        assert not [text for text in texts if isinstance(text, str) and "FLAIR" in text]
