"""Where `--view_aug` writes. Imports nothing heavy, so that the command line can ask, too."""

from pathlib import Path


def sheet_folder(output: str, home: Path) -> Path:
    """Give the folder of the sheet; `home` is that of the comparison."""
    return Path(output or home / "figures")


def no_use_for_sheet(name: str, verb: str, output: str) -> str:
    """Say why an option has no effect on `--view_aug`; empty if it has one."""
    if verb == "view_aug" and name in ("runs_dir", "comparison") and output:
        return "has no effect with `output`, which names the folder; leave one of them out"
    return ""
