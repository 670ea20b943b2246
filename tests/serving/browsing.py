"""What a person does with the page in a browser, and what they see."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ORANGE, SKY = (230, 159, 0), (86, 180, 233)

# Files as a mouse brings them from a file manager: name and content.
DROP = """([target, files]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    data.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], name));
  }
  for (const type of ["dragenter", "dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


class Heard(list[str]):
    """What the browser complained of or asked of anybody else."""


def until(page: Any, expression: str) -> None:
    """Wait until something holds. Playwright's own way evaluates text in the page, which the page's policy forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {expression}")


def choose(page: Any, *paths: Path) -> None:
    page.locator("#files").set_input_files([str(path) for path in paths])
    page.locator("#result").wait_for()
    until(page, "!document.body.classList.contains('working')")


def drop(page: Any, *paths: Path) -> None:
    files = [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in paths]
    page.evaluate(f"(files) => ({DROP})([document.getElementById('drop'), files])", files)
    until(page, "!document.body.classList.contains('working')")


def pixels(page: Any) -> np.ndarray:
    """Give what the canvas shows: uint8 RGB [H, W, 3]."""
    picture = page.evaluate("document.getElementById('canvas').toDataURL()").split(",")[1]
    return cv2.imdecode(np.frombuffer(base64.b64decode(picture), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def shows(page: Any, colour: tuple[int, int, int]) -> int:
    """Count pixels of a colour."""
    return int((np.abs(pixels(page).astype(int) - colour).max(axis=2) < 12).sum())


def text(page: Any, where: str) -> str:
    return str(page.locator(f"#{where}").inner_text())
