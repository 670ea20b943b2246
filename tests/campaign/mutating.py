"""Damage done to files by chance: bytes, and the values of what is text."""

import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

Mutation = Callable[[bytes, random.Random], bytes]

ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**12, 0.5, float("nan"), float("inf"), "", "x" * 5000, "\x00\x1b[31m", "../../etc", "..nii",
    [], [None], [[]], {}, {"a": {"b": {}}}, "1e400", "TCGA", [1, "2", None], "\udcff",
)  # fmt: skip
ODD_CELLS = ("", "nan", "-1", "1e400", "x", "0x10", '"', "a,b,c", "\x00", "99999999999999999999", "2020-02-30")


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    """Flip a few bits; half of the time among the first 400 bytes, where headers are."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        if damaged:
            last = len(damaged) if rng.random() < 0.5 else min(400, len(damaged))
            damaged[rng.randrange(last)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Lose the end."""
    return data[: rng.randrange(len(data) + 1)]


def overwrite(data: bytes, rng: random.Random) -> bytes:
    """Write noise, zeros or ones over a part."""
    start, length = rng.randrange(len(data) + 1), rng.choice((1, 4, 8, 64, 1000))
    noise = rng.choice((rng.randbytes(length), bytes(length), b"\xff" * length))
    return data[:start] + noise + data[start + length :]


def insert(data: bytes, rng: random.Random) -> bytes:
    """Put noise, or a copy of a part, between two bytes."""
    start = rng.randrange(len(data) + 1)
    again = data[start : start + 200]
    return data[:start] + rng.choice((rng.randbytes(8), again, b"\x00" * 100)) + data[start:]


def replace_all(data: bytes, rng: random.Random) -> bytes:
    """Be something else altogether."""
    return rng.choice((b"", b"null", b"\x00" * 64, rng.randbytes(200), b"[" * 5000, b"<html>", b"\xff\xfe\x00"))


def inside_gzip(mutate: Mutation) -> Mutation:
    """Damage what a gzip holds, so that its checksum is right."""
    return lambda data, rng: gzip.compress(mutate(gzip.decompress(data), rng), 1)


def json_value(data: bytes, rng: random.Random) -> bytes:
    """Put an odd value, or none, in the place of one value of a JSON file, at any depth."""
    whole: Any = json.loads(data)
    holder: Any = whole
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return data
        key = rng.choice(keys)
        if isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.6:
            holder = holder[key]
            continue
        if rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = rng.choice(ODD_VALUES)
        return json.dumps(whole).encode("utf-8", "surrogatepass")


def line_of_text(data: bytes, rng: random.Random) -> bytes:
    """Change, drop or double a line of a table or of a YAML file, or one cell of it."""
    lines = data.decode("utf-8", "replace").splitlines()
    if not lines:
        return data
    place = rng.randrange(len(lines))
    kind = rng.choice(("drop", "double", "cell", "cell", "cell", "tail"))
    if kind == "drop":
        del lines[place]
    elif kind == "double":
        lines.insert(place, lines[place])
    elif kind == "tail":
        lines[place] += rng.choice((",", ": {", " &a [*a]", "\t", "'", ",,,,,"))
    else:
        mark = "," if "," in lines[place] else ": "
        cells = lines[place].split(mark)
        cells[rng.randrange(len(cells))] = rng.choice(ODD_CELLS)
        lines[place] = mark.join(cells)
    return ("\n".join(lines) + "\n").encode()


def line_of_json(data: bytes, rng: random.Random) -> bytes:
    """Put an odd value, or none, in the place of one in a line of JSON."""
    lines = data.splitlines()
    place = rng.randrange(len(lines))
    lines[place] = json_value(lines[place], rng)
    return b"\n".join(lines) + b"\n"


def part_of_hdf5(data: bytes, rng: random.Random) -> bytes:
    """Put something else, or nothing, in the place of an array, a group or an attribute; its checksums are right."""
    held = io.BytesIO(data)
    with h5py.File(held, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = rng.choice(names)
        kind = rng.choice(("gone", "huge", "text", "elsewhere", "round", "shape", "attribute", "attribute"))
        if kind == "attribute":
            holder = file[rng.choice(("/", *names))]
            for attribute in list(holder.attrs):
                holder.attrs[attribute] = rng.choice((0, "", b"\xff", [b"conv2d_1"] * 900, [1.5], [b""], ["../.."]))
            return _written(file, held)
        del file[name]
        if kind == "huge":
            file.create_dataset(name, (2**14, 2**14, 2**10), chunks=(64, 64, 1), compression="gzip")
        elif kind == "text":
            file[name] = ["x"] * 5
        elif kind == "elsewhere":
            file[name] = h5py.ExternalLink("/dev/zero", "/")
        elif kind == "round":
            file[name] = h5py.SoftLink("/" + name)
        elif kind == "shape":
            file[name] = rng.choice((1.0, [], [[1.0]], [float("nan")] * 9))
        return _written(file, held)


def _written(file: "h5py.File", held: io.BytesIO) -> bytes:
    file.flush()
    return held.getvalue()


BYTES: tuple[Mutation, ...] = (flip_bits, flip_bits, cut, overwrite, overwrite, insert, replace_all)
GZIP: tuple[Mutation, ...] = (*BYTES, *(inside_gzip(mutate) for mutate in (flip_bits, overwrite, cut, insert)))
JSON: tuple[Mutation, ...] = (json_value, json_value, json_value, *BYTES)
LINES: tuple[Mutation, ...] = (line_of_json, line_of_json, line_of_json, *BYTES)
HDF5: tuple[Mutation, ...] = (part_of_hdf5, part_of_hdf5, part_of_hdf5, *BYTES)
TEXT: tuple[Mutation, ...] = (line_of_text, line_of_text, line_of_text, *BYTES)


def damage(path: Path, mutations: tuple[Mutation, ...], rng: random.Random) -> str:
    """Damage a file in its place.

    Returns:
        What was done, to be repeated by hand.
    """
    mutate = rng.choice(mutations)
    path.write_bytes(mutate(path.read_bytes(), rng))
    return f"{path.name}: {getattr(mutate, '__name__', 'inside gzip')}"
