"""The data set that came first is a data set like any other: no code but its own asks for it by name."""

import io
import keyword
import tokenize
from pathlib import Path

import pytest

from headtohead.options.declaring import describe
from headtohead.options.table import OPTIONS
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


def test_no_option_is_explained_by_its_sequences() -> None:
    told = {name: describe(declared).help for name, declared in OPTIONS.items()}
    assert not [name for name, words in told.items() if "FLAIR" in words]
