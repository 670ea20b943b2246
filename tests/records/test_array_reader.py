"""Arrays of forged and damaged archives are refused before they cost memory, and none runs code."""

import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from headtohead.records.array_reader import NoSuchArrayError, OtherShapeError, read_array, read_arrays
from headtohead.records.regular import UnreadableError
from tests.campaign.mutating import BYTES

SHAPE = (3, 5)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "some.npz"
    np.savez_compressed(path, first=np.arange(15, dtype=np.uint8).reshape(SHAPE), second=np.zeros(4, np.float32))
    return path


def described(kind: str, shape: str) -> bytes:
    """The head of an array that says what it likes."""
    text = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def holding(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.npy", content)
    return path


def test_what_numpy_wrote_comes_back(archive: Path) -> None:
    assert (read_array(archive, "first", np.uint8, SHAPE) == np.arange(15).reshape(SHAPE)).all()
    (second,) = read_arrays(archive, {"second": (4,)}, np.float32)
    assert second.dtype == np.float32 and second.flags.writeable
    np.savez(archive, empty=np.zeros((0, 3, 2), np.float32), single=np.float32(7))
    assert read_array(archive, "empty", np.float32, (0, 3, 2)).shape == (0, 3, 2)
    assert read_array(archive, "single", np.float32, ()) == 7


def test_what_is_not_as_asked_for_is_named(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSuchArrayError, match="no array third"):
        read_array(archive, "third", np.uint8, SHAPE)
    with pytest.raises(OtherShapeError, match=r"first has shape \(3, 5\), not \(5, 3\)"):
        read_array(archive, "first", np.uint8, (5, 3))
    with pytest.raises(UnreadableError, match=r"first is of type \|u1, not <f4"):
        read_array(archive, "first", np.float32, SHAPE)
    with pytest.raises(FileNotFoundError):
        read_array(tmp_path / "none.npz", "first", np.uint8, SHAPE)


class Planted:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("planted",)


def test_objects_are_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = described("'|O'", "(3, 5)") + pickle.dumps(Planted())
    with pytest.raises(UnreadableError, match=r"first is of type \|O"):
        read_array(holding(tmp_path / "a.npz", content), "first", np.uint8, SHAPE)
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize(
    "content",
    [
        described("'|u1'", "(100000000000,)"),
        described("'|u1'", "(3, 5)") + bytes(64 << 20),  # 64 KiB on the disk
        described("'|u1'", "(3, 5)") + bytes(14),
        described("'|u1'", "(" * 60 + "3" + ")" * 60),
        described("[('a', '|u1')]", "(3, 5)") + bytes(15),
        described("'|u1'", "(3, 5)").replace(b"False", b"True ") + bytes(15),
        b"\x93NUMPY\x01\x00" + b"\xff" * 70_000,
        b"\x93NUMPY\x02\x00" + b"\xff" * 200,
        b"",
    ],
)
def test_forged_arrays_are_refused_unread(content: bytes, tmp_path: Path) -> None:
    path = holding(tmp_path / "a.npz", content)
    tracemalloc.start()
    with pytest.raises(UnreadableError):
        read_array(path, "first", np.uint8, SHAPE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 << 20


@pytest.mark.parametrize("kind", ["pipe", "directory", "encrypted", "another compression"])
def test_odd_files_are_refused(kind: str, archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    archive.unlink()
    entry = content.index(b"PK\x01\x02")
    if kind == "pipe":
        os.mkfifo(archive)
    elif kind == "directory":
        archive.mkdir()
    else:
        content[entry + (8 if kind == "encrypted" else 10)] = 1 if kind == "encrypted" else zipfile.ZIP_LZMA
        archive.write_bytes(content)
    with pytest.raises(UnreadableError):
        read_array(archive, "first", np.uint8, SHAPE)


def test_damage_by_chance_is_refused_or_did_no_harm(archive: Path) -> None:
    whole, refused = archive.read_bytes(), 0
    for attempt in range(400):
        rng = random.Random(f"array {attempt}")
        archive.write_bytes(rng.choice(BYTES)(whole, rng))
        try:
            found = read_array(archive, "first", np.uint8, SHAPE)
        except UnreadableError:
            refused += 1
        else:
            assert (found == np.arange(15).reshape(SHAPE)).all()
    assert 200 < refused < 400
