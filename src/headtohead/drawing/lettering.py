"""Text on images, in OpenCV's built-in outline fonts: crisp at small sizes, and nothing heavy to import."""

import cv2
import numpy as np

INK = (32, 33, 36)
FAINT = (105, 109, 115)
REGULAR, BOLD = 400, 600
ELLIPSIS = "…"


def write(
    canvas: np.ndarray, text: str, x: int, y: int, size: int = 15, bold: bool = False, colour: tuple[int, ...] = INK
) -> None:
    """Write one line onto a canvas, uint8 RGB [H, W, 3], from its left end and baseline; `size` is a line's height."""
    cv2.putText(canvas, _printable(text), (x, y), colour, cv2.FontFace("sans"), size, BOLD if bold else REGULAR)


def text_width(text: str, size: int = 15, bold: bool = False) -> int:
    """Width in pixels of a line that `write` would write."""
    weight = BOLD if bold else REGULAR
    left, _, width, _ = cv2.getTextSize((0, 0), _printable(text), (0, 0), cv2.FontFace("sans"), size, weight)
    return left + width


def shorten(text: str, room: int, size: int = 15, bold: bool = False) -> str:
    """Take the middle out of a text that is wider than `room` pixels: names differ at both ends."""
    if text_width(text, size, bold) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shorter = text[: (kept + 1) // 2] + ELLIPSIS + text[len(text) - kept // 2 :]
        if text_width(shorter, size, bold) <= room:
            return shorter
    return ELLIPSIS


def _printable(text: str) -> str:
    # A file name may hold bytes that are no text at all; OpenCV would refuse the whole line.
    return text.encode("utf-8", "replace").decode()
