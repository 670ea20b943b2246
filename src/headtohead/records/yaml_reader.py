"""Read YAML within bounds: of its size, its depth, the values that its aliases come to, and the digits of a number."""

import codecs
from pathlib import Path
from typing import Any

import yaml

from headtohead.records.regular import UnreadableError, read_regular

LARGEST = 256 << 10
"""Bytes. The longest file of options that the program writes has 8 KiB."""

DEEPEST = 20
TOO_DEEP = f"nested more than {DEEPEST} deep"
MOST_VALUES = 10_000
"""With every alias counted as what it stands for: nine lines of nine aliases come to 400 million values."""

MOST_DIGITS = 40
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}
"""Some shells write UTF-16 when the output of a command is redirected into a file."""

NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def read_yaml(path: Path) -> Any:
    """Read a YAML file of plain data.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, beyond a bound, not text, not YAML, or holds a value that is not of its kind.
            The line is named where one is to blame.
    """
    text = _decoded(read_regular(path, LARGEST))
    try:
        loader = _Loader(text)
        try:
            _refuse_deep(text)
            node = loader.get_single_node()
            if node is None:
                return None
            _measure(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as fault:
        line = f"line {_line_at(text, fault.position)}: "
        raise UnreadableError(f"{line}not valid YAML: a character that is no text") from fault
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise UnreadableError(f"{line}not valid YAML: {_problem(fault)}") from fault


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _decoded(content: bytes) -> str:
    encoding = next((name for bom, name in BOMS.items() if content.startswith(bom)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise UnreadableError(f"line {line}: not UTF-8") from fault


def _problem(fault: yaml.YAMLError) -> str:
    if isinstance(fault, yaml.MarkedYAMLError):
        return str(fault.context or fault.problem).splitlines()[0]
    return str(fault).splitlines()[0]


def _refuse_deep(text: str) -> None:
    """Events come one after the other; only composing them into values is recursive."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _UnfitError(event, TOO_DEEP)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _measure(node: yaml.Node, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Count the values of a node, each alias as often as it is used, and the levels that they are nested in."""
    if id(node) in known:
        if not known[id(node)][0]:
            raise _UnfitError(node, "contains itself through an alias")
        return known[id(node)]
    known[id(node)] = 0, 0
    count, levels = 1, 0
    if isinstance(node, yaml.CollectionNode):
        inside = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        for part in inside:
            more, below = _measure(part, known)
            count, levels = count + more, max(levels, below)
            if count > MOST_VALUES:
                raise _UnfitError(part, f"more than {MOST_VALUES} values")
        levels += 1
        if levels > DEEPEST:
            raise _UnfitError(node, TOO_DEEP)
    known[id(node)] = count, levels
    return known[id(node)]


class _UnfitError(UnreadableError):
    def __init__(self, place: yaml.Node | yaml.Event, problem: str) -> None:
        line = f"line {place.start_mark.line + 1}: " if place.start_mark else ""
        super().__init__(f"{line}{problem}")


class _Loader(yaml.SafeLoader):
    """Plain data only; a value that is not of its kind is an error of YAML, with its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag in NUMBERS and len(str(node.value)) > MOST_DIGITS:
            raise _UnfitError(node, f"a number of more than {MOST_DIGITS} digits")
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as fault:
            kind = node.tag.rpartition(":")[2]
            problem = f"this is no {kind}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from fault
