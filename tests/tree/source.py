"""The files of the program, and what each imports."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "headtohead"
MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(module: str) -> str:
    """Name the part of the package that a module is in: `headtohead.models.unet` is in `models`."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def module_name(path: Path) -> str:
    """Name the module of a file."""
    names = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


@cache
def modules() -> frozenset[str]:
    """Name all modules of the package."""
    return frozenset(module_name(path) for path in MODULES)


def imported(tree: ast.AST) -> set[str]:
    """Name what a file imports anywhere, also within functions or for types; `from headtohead import machine` is the
    module. A text such as `headtohead.serving.app:serve` names what is imported when it is needed.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            source = str(node.module)
            inner = {f"{source}.{alias.name}" for alias in node.names} & modules()
            names |= inner or {source}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"headtohead(\.\w+)+:\w+", str(node.value)):
            names.add(str(node.value).partition(":")[0])
    return names


def imports_of(path: Path) -> set[str]:
    """Name what the file at a path imports."""
    return imported(ast.parse(path.read_text(encoding="utf-8")))
