"""What run.json says about where a result comes from."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headtohead import __version__, machine
from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.preparing.recipe import InputRecipe
from headtohead.scoring.protocol import PROTOCOL


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def provenance(cohort: Cohort, split: Split, recipe: InputRecipe, comparison: str) -> dict[str, Any]:
    """Collect what every run of a comparison shares: command, versions, hardware, data, split, protocol, input."""
    return {**circumstances(cohort, comparison), "split": split_facts(cohort, split), "recipe": recipe.to_dict()}


def circumstances(cohort: Cohort, comparison: str) -> dict[str, Any]:
    """Collect under which protocol, by which command, with what and on which data a result is made."""
    described = machine.describe()
    hardware = {name: described.pop(name) for name in ("processor", "cores", "memory", "gpu") if name in described}
    return made_under(cohort, comparison, described, hardware=hardware)


def made_under(cohort: Cohort, comparison: str, versions: Mapping[str, Any], **further: Any) -> dict[str, Any]:
    """Collect under which protocol, by which command, with which versions and on which data a result is made."""
    return {
        "comparison": comparison,
        "protocol": PROTOCOL,
        "command": command_line(),
        "versions": {"headtohead": __version__, **versions},
        **further,
        "git_commit": git_commit(),
        "data": data_facts(cohort),
    }


def command_line() -> str:
    """Give the command at work as a shell takes it."""
    return " ".join(shlex.quote(word) for word in ["python", "main.py", *sys.argv[1:]])


def data_facts(cohort: Cohort) -> dict[str, Any]:
    """Collect what run.json says of the data, from which a report finds them again."""
    return {
        "kind": cohort.data,
        "task": cohort.task.to_dict(),
        "made_up": cohort.made_up,
        "root": str(cohort.root.absolute()),  # a report may be asked for from elsewhere
        "patient_pattern": cohort.reading.patient_pattern,
        **cohort.reading.given(),
        "key": cohort.key,
        "cases": len(cohort),
        "slices": cohort.n_slices,
    }


def split_facts(cohort: Cohort, split: Split) -> dict[str, Any]:
    """Collect what run.json says of the split: all of `provenance` that differs between the folds of a comparison."""
    return {
        "kind": split.kind,
        "seed": split.seed,
        "key": split.key,
        "plan": split.plan,
        "folds": split.folds,
        "train": len(split.train),
        "val": len(split.val),
        "test": len(split.test),
        "leaking_patients": split.leaking_patients(cohort),
        **({"chosen_on_test": True} if split.chosen_on_test else {}),
        **({"source": split.source} if split.source else {}),
        **({"site": split.site} if split.site else {}),
    }


def git_commit() -> str:
    """The commit of the code at work, marked where files differ from it; empty outside a checkout."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{commit} with local changes" if changed else commit


def _git(folder: Path, *words: str) -> str:
    run = subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    return run.stdout.strip()
