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
KINDS = {"int": "whole number", "float": "number", "bool": "truth value", "timestamp": "date"}
FAULTS = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What PyYAML raises for values that it does not check."""


def read_yaml(path: Path) -> Any:
    """Read a YAML file of plain data.

    Raises:
        FileNotFoundError: there is none.
        UnreadableError: it is no file, beyond a bound, not text, not YAML, or holds a value that is not of its kind.
            The line is named where one is to blame.
    """
    return _parsed(_decoded(read_regular(path, LARGEST)))


def plain_value(text: str) -> Any:
    """Read one value as YAML has it: `4` is a number, `[1, 2]` a list, `none` a word.

    Raises:
        UnreadableError: as `read_yaml`.
    """
    if len(text) > LARGEST:
        raise UnreadableError("too long")
    return _parsed(text)


def _parsed(text: str) -> Any:
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as fault:
        number = text.count("\n", 0, fault.position) + 1
        raise UnreadableError(f"line {number}: not valid YAML: a character that is no text") from fault
    try:
        return loader.get_single_data()
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise UnreadableError(f"{line}not valid YAML: {_problem(fault)}") from fault
    except (yaml.YAMLError, *FAULTS) as fault:  # PyYAML converts the numbers of directives and escapes unchecked
        raise UnreadableError(f"line {loader.line + 1}: not valid YAML") from fault
    finally:
        loader.dispose()


def _decoded(content: bytes) -> str:
    encoding = next((name for bom, name in BOMS.items() if content.startswith(bom)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise UnreadableError(f"line {line}: not UTF-8") from fault


def _problem(fault: yaml.MarkedYAMLError) -> str:
    context = fault.context or ""
    words = fault.problem if context.startswith("while") or not context else context
    return str(words).splitlines()[0]


class _UnfitError(UnreadableError):
    def __init__(self, place: yaml.Node | yaml.Event, problem: str) -> None:
        line = f"line {place.start_mark.line + 1}: " if place.start_mark else ""
        super().__init__(f"{line}{problem}")


class _Loader(yaml.SafeLoader):
    """Plain data only, refused beyond a bound while it is composed, before any value is made of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.sizes: dict[yaml.Node, tuple[int, int]] = {}
        """Of each whole node: its values, each alias as often as it is used, and the levels they are nested in."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        opens = isinstance(event, yaml.CollectionStartEvent)
        self.depth += opens
        if self.depth > DEEPEST:
            raise _UnfitError(event, TOO_DEEP)
        node = super().compose_node(parent, index)
        self.depth -= opens
        if isinstance(event, yaml.AliasEvent):
            if node not in self.sizes:
                raise _UnfitError(event, "contains itself through an alias")
        elif node is not None:
            self.sizes[node] = self._size(node)
        return node

    def _size(self, node: yaml.Node) -> tuple[int, int]:
        if not isinstance(node, yaml.CollectionNode):
            return 1, 0
        count, levels = 1, 0
        inside = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        for part in inside:
            more, below = self.sizes[part]
            count, levels = count + more, max(levels, below)
            if count > MOST_VALUES:
                raise _UnfitError(part, f"more than {MOST_VALUES} values")
        if levels == DEEPEST:
            raise _UnfitError(node, TOO_DEEP)
        return count, levels + 1

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.tag in NUMBERS and len(node.value) > MOST_DIGITS:
            raise _UnfitError(node, f"a number of more than {MOST_DIGITS} digits")
        try:
            return super().construct_object(node, deep)
        except FAULTS as fault:
            kind = node.tag.rpartition(":")[2]
            raise _UnfitError(node, f"not a valid {KINDS.get(kind, kind)}") from fault
