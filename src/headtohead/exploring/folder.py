"""Where `--explore` writes. Imports nothing heavy, so that the command line can ask, too."""

from pathlib import Path


def explored_folder(output: str, runs_dir: str) -> Path:
    """Give the folder of explore.md, its tables and its figures."""
    return Path(output or Path(runs_dir) / "explore")


def no_use_in_exploring(name: str, verb: str, output: str) -> str:
    """Say why an option has no effect on `--explore`; empty if it has one."""
    if verb == "explore" and name == "runs_dir" and output:
        return "has no effect with `output`, which names the folder; leave one of them out"
    return ""
