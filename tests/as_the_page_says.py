"""What a page on adding a model or a loss tells its readers to add, added for a test: a file, a row and a tester."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from headtohead.help_page import help_page


def python_blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def made_tester(page: Path, **known: Any) -> type:
    """Make the tester that is the third block of a page, in which some names are known."""
    before = {*known, "__builtins__"}
    exec(python_blocks(page)[2], known)
    [made] = known.keys() - before
    tester: type = known[made]
    return tester


class AsThePageSays:
    """The file and the row of a page, put through the tests that the page adds."""

    page: Path
    package: ModuleType
    table: ClassVar[dict[str, Any]]
    kind_of_row: type

    @pytest.fixture(autouse=True)
    def added(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """Add them; gives the name of the row, which is that of the file."""
        file, row, _ = python_blocks(self.page)
        made = eval(row, {self.kind_of_row.__name__: self.kind_of_row})
        folder = tmp_path_factory.mktemp("added")
        (folder / f"{made.name}.py").write_text(file, encoding="utf-8")
        monkeypatch.setattr(self.package, "__path__", [*self.package.__path__, str(folder)])
        monkeypatch.setitem(self.table, made.name, made)
        importlib.invalidate_caches()
        yield made.name
        sys.modules.pop(f"{self.package.__name__}.{made.name}", None)

    def test_is_in_the_help_page(self, added: str) -> None:
        assert self.table[added].summary in " ".join(help_page().split())
