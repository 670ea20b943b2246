"""A data set in pieces that travel one by one: slices as lossless WebP, unpacked to the same files byte for byte.

An uncompressed TIFF is a head, its pixels and a tail; heads and tails are the same in thousands of files, so the pixels
are packed and the few heads and tails are kept once, in pieces.json. What is no such file is packed as it is.

With a `side` the images (not the masks) are reduced by area before they are packed, and unpacked by repeating each
pixel. A net that sees images of that side is then shown the very pixels it would be shown of the originals, and is
scored on the grid of the originals against the untouched masks; only intensity statistics and the baseline, which are
measured on the whole grid, see less. It is another data set, with a content key of its own, and pieces.json says so.
"""

import hashlib
import json
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np

from headtohead.cohort.listing import list_data
from headtohead.errors import UserError
from headtohead.options.data import DEFAULT_DATA
from headtohead.readers.reader import AS_NAMED
from headtohead.saving import write_json, write_text

MANIFEST = "pieces.json"
WHOLE = "whole"  # what is packed as it is, where others name their frame
LOSSLESS = [cv2.IMWRITE_WEBP_QUALITY, 101]  # OpenCV: above 100 is lossless
ONE_BIT = [cv2.IMWRITE_PNG_BILEVEL, 1, cv2.IMWRITE_PNG_COMPRESSION, 9]


@dataclass(frozen=True)
class Manifest:
    """What pieces.json says.

    Attributes:
        name: of the data set's folder.
        key: content key of what is unpacked.
        original: content key of what was packed; the same, unless the images were reduced.
        side: the images were reduced to this side in pixels; 0: they were not.
        factor: how often a packed pixel is repeated along each axis.
        frames: head and tail of the TIFF files, in hexadecimal.
        pieces: hash of each piece, by its name.
    """

    name: str
    key: str
    original: str
    side: int = 0
    factor: int = 1
    frames: list[list[str]] = field(default_factory=list)
    pieces: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read pieces.json.

        Raises:
            UserError: it is not there or damaged.
        """
        try:
            return cls(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise UserError(f"{folder / MANIFEST}: missing; copy it with every piece") from None
        except (ValueError, TypeError) as fault:
            raise UserError(f"{folder / MANIFEST}: damaged ({fault}); copy it again") from None


def content_key(root: Path) -> str:
    """Give the key of a data set, wherever it lies, without packing it."""
    return list_data(root, DEFAULT_DATA, AS_NAMED).content_key()


def pack(root: Path, destination: Path, piece_bytes: int, side: int = 0) -> Manifest:
    """Pack a data set in the layout of LGG into pieces, and unpack them once to see that nothing was lost.

    Args:
        root: folder of the data set.
        destination: folder for the pieces; older pieces in it are removed.
        piece_bytes: about the most a piece may have.
        side: reduce the images to this side in pixels; 0: keep them.

    Raises:
        UserError: an image cannot be reduced to `side`.
    """
    destination.mkdir(parents=True, exist_ok=True)
    for old in [*destination.glob("piece-*.zip"), destination / MANIFEST]:
        old.unlink(missing_ok=True)
    frames: list[list[str]] = []
    factors: set[int] = set()
    pieces: list[Path] = []
    archive, size = None, 0
    files = sorted(path for path in root.rglob("*") if path.is_file())
    with ThreadPoolExecutor() as pool:
        for path, (frame, payload, factor) in zip(
            files, pool.map(lambda path: _packed(path, side), files), strict=True
        ):
            factors |= {factor} - {0}
            if frame and frame not in frames:
                frames.append(frame)
            if archive is None or size + len(payload) > piece_bytes:
                if archive is not None:
                    archive.close()
                pieces.append(destination / f"piece-{len(pieces) + 1}.zip")
                archive, size = zipfile.ZipFile(pieces[-1], "w", zipfile.ZIP_STORED), 0
            place = str(frames.index(frame)) if frame else WHOLE
            archive.writestr(zipfile.ZipInfo(f"{place}/{path.relative_to(root).as_posix()}"), payload)
            size += len(payload) + 200  # its entries in the archive
    if archive is None:
        raise UserError(f"{root}: no files in it")
    archive.close()
    if len(factors) > 1:
        raise UserError(f"{root}: images of several sizes cannot all be reduced to {side}; leave --side out")
    hashes = {piece.name: _hash(piece) for piece in pieces}
    original = content_key(root)
    draft = Manifest(root.name, original, original, side, factors.pop() if factors else 1, frames, hashes)
    with tempfile.TemporaryDirectory(dir=destination) as folder:
        for piece in pieces:
            _unpack_piece(piece, draft, Path(folder))
        manifest = Manifest(**asdict(draft) | {"key": content_key(Path(folder))})
    if not side and manifest.key != original:
        raise UserError(f"{root}: unpacked pieces differ from it; a file changed while it was packed")
    write_json(destination / MANIFEST, asdict(manifest))
    return manifest


def unpack(source: Path, destination: Path) -> list[str]:
    """Unpack the pieces that are at hand and not yet unpacked; when all are, check the whole by its content key.

    Args:
        source: folder of pieces.json and some of the pieces.
        destination: folder for the data set; beside it `<name>.unpacked` remembers which pieces are in it.

    Returns:
        Names of the pieces that are still missing.

    Raises:
        UserError: a piece is damaged, or the whole is not what was packed.
    """
    manifest = Manifest.read(source)
    done = _done(destination)
    done.mkdir(parents=True, exist_ok=True)
    for name in missing(manifest, destination):
        piece, due = source / name, manifest.pieces[name]
        if piece.is_file():
            if _hash(piece) != due:
                raise UserError(f"{piece}: not the piece that {MANIFEST} names; copy it again")
            _unpack_piece(piece, manifest, destination)
            write_text(done / due, name)
    lacking = missing(manifest, destination)
    if not lacking and content_key(destination) != manifest.key:
        raise UserError(f"{destination}: not what was packed; remove it and {done}, then unpack all pieces again")
    return lacking


def missing(manifest: Manifest, destination: Path) -> list[str]:
    """List the pieces that are not yet unpacked into a folder."""
    return [name for name, due in manifest.pieces.items() if not (_done(destination) / due).is_file()]


def _done(destination: Path) -> Path:
    return destination.with_name(f"{destination.name}.unpacked")


def _packed(path: Path, side: int) -> tuple[list[str] | None, bytes, int]:
    """Give frame, payload and factor of a file; no frame where it is packed as it is, factor 0 where it is no image."""
    blob = path.read_bytes()
    pixels = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_UNCHANGED) if path.suffix == ".tif" else None
    if pixels is None or pixels.dtype != np.uint8 or (pixels.ndim == 3 and pixels.shape[2] != 3):
        return None, blob, 0
    plain = _plain(pixels)
    at = blob.find(plain)
    colour, factor = pixels.ndim == 3, 0
    if colour and side:
        if at < 0 or pixels.shape[0] != pixels.shape[1] or pixels.shape[0] % side:
            raise UserError(f"{path}: cannot be reduced to {side}; only squares of a multiple of it, uncompressed, can")
        factor = pixels.shape[0] // side
        pixels = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
    elif colour:
        factor = 1
    _, coded = cv2.imencode(*((".webp", pixels, LOSSLESS) if colour else (".png", pixels, ONE_BIT)))
    same = np.array_equal(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), pixels)
    if at < 0 or not same:
        return None, blob, factor
    return [blob[:at].hex(), blob[at + len(plain) :].hex()], coded.tobytes(), factor


def _unpack_piece(piece: Path, manifest: Manifest, destination: Path) -> None:
    frames = [(bytes.fromhex(head), bytes.fromhex(tail)) for head, tail in manifest.frames]

    def write(name: str) -> None:
        place, _, relative = name.partition("/")
        path = destination / relative
        if not path.resolve().is_relative_to(destination.resolve()):
            raise UserError(f"{piece}: {relative} is outside the data set; copy the piece again")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_restored(archive.read(name), None if place == WHOLE else frames[int(place)], manifest.factor))

    with zipfile.ZipFile(piece) as archive, ThreadPoolExecutor() as pool:
        for _ in pool.map(write, archive.namelist()):
            pass


def _restored(payload: bytes, frame: tuple[bytes, bytes] | None, factor: int) -> bytes:
    if frame is None:
        return payload
    pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3 and factor > 1:
        pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    return frame[0] + _plain(pixels) + frame[1]


def _plain(pixels: np.ndarray) -> bytes:
    """Pixels as they lie in a TIFF: OpenCV's blue comes last there."""
    return (pixels[..., ::-1] if pixels.ndim == 3 else pixels).tobytes()


def _hash(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
