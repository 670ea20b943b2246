"""Names of files, and the direction of imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tree.source import MODULES, PACKAGE, ROOT, imports_of, module_name, modules, part_of

# Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "shared", "stuff"}

# From the bottom up: a part imports from its own line and from those above it here, never from those below.
LAYERS = (
    {
        "errors",
        "plurals",
        "quiet",
        "claiming",
        "disk_faults",
        "saving",
        "stopping",
        "machine",
        "memory",
        "telemetry",
        "__init__",
    },
    {"options", "models", "records", "task"},
    {"preparing"},
    {"readers"},
    {"config_file", "effects", "cohort", "runs"},
    {"batches", "drawing", "scoring", "statistics"},
    {"learning"},
    {"trained"},
    {"comparing", "exploring", "predicting", "reporting"},
    {"entrants"},
    {"serving"},
    {"help_page"},
    {"cli", "overruled", "parsing"},
    {"chris"},
    {"api"},
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# What a part must not know: the parts of our own that its design forbids, and the packages.
STRANGERS = {
    "models": {"headtohead." + part for part in RANK if part not in ("errors", "machine", "models", "records")},
    "task": {"torch", "torchvision", "pytorch_lightning", "lightning", "pandas", "cv2", "pathlib"}
    | {"headtohead." + part for part in RANK if part != "task"},
    "preparing": {"torch", "torchvision", "pytorch_lightning", "lightning", "pandas"},
    "readers": {"torch", "torchvision", "pytorch_lightning", "lightning"},
    "cohort": {"torch", "torchvision", "pytorch_lightning", "lightning"},
    "scoring": {"monai", "torch", "torchvision", "pytorch_lightning", "lightning", "torchmetrics"},
    "statistics": {"torch", "torchvision", "pytorch_lightning", "lightning", "torchmetrics"}
    | {"headtohead." + part for part in RANK if part not in ("errors", "options", "statistics")},
    "drawing": {"torch", "torchvision", "pytorch_lightning", "lightning", "matplotlib"}
    | {"headtohead." + part for part in ("batches", "cohort", "models", "options", "runs", "statistics")},
    "reporting": {"headtohead." + part for part in ("learning", "trained", "predicting", "exploring")},
    "entrants": {"torch", "torchvision", "pytorch_lightning", "lightning"},
    "exploring": {"headtohead." + part for part in ("learning", "trained", "predicting", "reporting", "runs")},
    "runs": {"torch", "torchvision", "pytorch_lightning", "lightning"},
}

# What `--help` and a mistyped flag must not wait for.
HEAVY = {"torch", "pytorch_lightning", "torchvision", "numpy", "pandas", "cv2", "scipy", "matplotlib", "albumentations"}


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_no_file_has_an_empty_name(folder: str) -> None:
    assert not [path for path in (ROOT / folder).rglob("*.py") if path.stem.strip("_").lower() in EMPTY_NAMES]


def test_every_part_has_its_layer() -> None:
    assert {part_of(module) for module in modules()} <= RANK.keys()


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    own = part_of(module_name(path))
    ours = {name for name in imports_of(path) if name.split(".")[0] == "headtohead"}
    assert not {name for name in ours if RANK[part_of(name)] > RANK[own]}


@pytest.mark.parametrize("part", STRANGERS)
def test_a_part_keeps_to_what_it_may_know(part: str) -> None:
    for path in (PACKAGE / part).rglob("*.py"):
        for name in imports_of(path):
            ours = ".".join(name.split(".")[:2])
            assert not {name.split(".")[0], ours} & STRANGERS[part], f"{path}: imports {name}"


def in_circles(needs: dict[str, set[str]]) -> list[str]:
    """Name what depends on itself, directly or through others, and what lies between two such circles."""
    left = dict(needs)
    while free := {
        one for one, others in left.items() if not others & left.keys() or all(one not in has for has in left.values())
    }:
        for one in free:
            del left[one]
    return sorted(left)


def test_circles_are_found() -> None:
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["b", "c"]
    assert in_circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_parts_do_not_import_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {part: set() for part in RANK}
    for path in MODULES:
        own = part_of(module_name(path))
        needs[own] |= {part_of(name) for name in imports_of(path) if name.split(".")[0] == "headtohead"} - {own}
    needs.pop("__init__")  # holds the version only
    assert in_circles(needs) == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    """Nor within functions, nor for types: what two files need lies in a third, below both."""
    assert in_circles({module_name(path): imports_of(path) & modules() for path in MODULES}) == []


def test_reading_options_imports_nothing_heavy() -> None:
    code = "import sys; import headtohead.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(loaded.stdout.split())
