"""The bundles that come with the program, by the names that users call them by."""

from pathlib import Path

from headtohead.trained.facts import FILE

FOLDER = Path(__file__).resolve().parents[1] / "shipped"
ROWS = {"shipped": FOLDER / "lgg-small", "buda": FOLDER / "lgg-buda"}
"""Their folders, by name: the one for those who have trained nothing yet, and the published net of Buda et al."""

SHIPPED = ROWS["shipped"]


def shipped_bundles() -> dict[str, Path]:
    """Give the bundles that this copy of the program has, by name; a packager may leave out one of many megabytes."""
    return {name: folder for name, folder in ROWS.items() if (folder / FILE).is_file()}


def path_of_model(given: str) -> Path:
    """Give the path that a user names: of a file or folder that is there, or a shipped bundle by its name."""
    return Path(given) if Path(given).exists() else shipped_bundles().get(given, Path(given))
