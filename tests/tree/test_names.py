"""One name means one thing: no two modules define a public function or class of the same name."""

import ast
from collections import defaultdict

from tests.tree.source import MODULES, PACKAGE

READERS = {"list_cases", "read_case", "recognises", "task"}
"""The functions of a row of `readers`, which each reader has."""


API = "api.py"
"""Calls each thing to do by the name of its flag, which is that of the function behind it."""


def test_no_two_modules_define_one_name() -> None:
    defined = defaultdict(list)
    for path in (path for path in MODULES if path != PACKAGE / API):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                defined[node.name].append(path.relative_to(PACKAGE).as_posix())
    assert len(defined) > 800
    assert {name: paths for name, paths in defined.items() if len(paths) > 1 and name not in READERS} == {}
