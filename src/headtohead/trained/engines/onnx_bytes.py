"""Read model.onnx for whatever engine: as bytes, and refused where it names other files.

External data would let a file of strangers read any other; what this program writes has none. An engine that got the
path would follow it.

Source: the format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding), and onnx.proto.
"""

from collections.abc import Iterator
from pathlib import Path

from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError, read_regular

UNREADABLE = "not a readable ONNX model; run `test` again, or export the bundle again"
LARGEST = 2 << 30
"""Bytes: Protocol Buffers take no more."""

DEEPEST = 32
"""Messages within messages; a graph within a node adds four."""

TENSOR = "tensor"
INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: TENSOR, 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: TENSOR, 6: "graph", 10: TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: TENSOR, 2: TENSOR},
    TENSOR: {},
}
"""Of each message, the fields that may hold a tensor somewhere within."""

EXTERNAL = (13, 14)
"""Fields of a tensor: where its external data lie, and that they do."""


def onnx_bytes(path: Path) -> bytes:
    """Read the bytes of a model.

    Raises:
        UserError: it is no file, no ONNX model, or names other files.
    """
    try:
        content = read_regular(path, LARGEST)
        if _is_external(memoryview(content), "model", 0):
            raise UserError(f"{path}: refused, since it reads other files (external data); export the bundle again")
    except (UnreadableError, ValueError, IndexError) as fault:
        raise UserError(f"{path}: {UNREADABLE}") from fault
    return content


def _is_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > DEEPEST:
        raise ValueError("nested too deep")
    for number, value in _fields(message):
        if kind == TENSOR and number in EXTERNAL and value not in (0, b""):
            return True
        inner = INSIDE[kind].get(number)
        if inner and isinstance(value, memoryview) and _is_external(value, inner, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Give number and value of each field: a whole number, or the bytes of a text, of numbers, or of a message."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        value: int | memoryview
        if kind == 0:
            value, place = _varint(message, place)
        else:
            if kind == 2:
                length, place = _varint(message, place)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise ValueError("no such kind of field")
            if place + length > len(message):
                raise ValueError("cut short")
            value, place = message[place : place + length], place + length
        yield key >> 3, value


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("a number is too long")
