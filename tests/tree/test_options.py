"""All options at once are for the command line and what a verb calls; what lies below says which groups it needs."""

import ast
from pathlib import Path

import pytest

from headtohead.cli import VERBS
from tests.tree.source import MODULES, PACKAGE, module_name

ENTRANCES = set(VERBS.values())
COMMAND_LINE = {"cli.py", "config_file.py", "overruled.py", "parsing.py"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_the_command_line_and_its_verbs_take_all_options(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() in COMMAND_LINE:
        return
    module = module_name(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    takers = {
        f"{module}:{node.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _names_options(node)
    }
    assert takers <= ENTRANCES


def _names_options(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Say whether an argument of a function, or a field of a class, is all options."""
    if isinstance(node, ast.ClassDef):
        kinds = [field.annotation for field in node.body if isinstance(field, ast.AnnAssign)]
    else:
        every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        kinds = [argument.annotation for argument in every if argument.annotation]
    return any(isinstance(name, ast.Name) and name.id == "Options" for kind in kinds for name in ast.walk(kind))
