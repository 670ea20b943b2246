"""Weights that entrants started from are named, and so is the doubt whether these have seen test cases."""

from pathlib import Path
from typing import Any

from headtohead.reporting.findings import findings_of
from headtohead.reporting.notes.starts import starts
from headtohead.runs.reading import read_ledger

START = {"from": "shipped", "name": "lgg", "sha256": "0" * 64, "layers": 40, "of_layers": 41, "new": ["conv"]}
KNOWN = START | {"training_cases": "known", "warning": ""}
DOUBT = "nothing says which cases it was trained on"


def said_of(comparison: Path) -> list[str]:
    return starts(read_ledger(comparison))


def test_nothing_is_said_where_none_was_started(comparison: Path, write_run: Any) -> None:
    write_run("unet")
    write_run("buda")
    assert said_of(comparison) == []


def test_a_start_is_named_beside_those_without(comparison: Path, write_run: Any) -> None:
    write_run("unet")
    write_run("buda", start=KNOWN, frozen="encoder", thaw_epoch=2, old_layers_rate=0.1)
    [said] = said_of(comparison)
    assert said == (
        "Trainings began with weights of earlier ones: buda, no schedule from shipped (40 of 41 layers, encoder frozen "
        "for 2 epochs, these at 0.1 of the learning rate). Others did not: unet, no schedule. A difference between "
        "them may come from this start and not from the model."
    )


def test_a_doubt_is_a_warning_of_its_own_and_stands_in_the_report(comparison: Path, write_run: Any) -> None:
    doubtful = KNOWN | {"from": "a.pt", "training_cases": "unknown", "warning": DOUBT}
    write_run("buda", start=doubtful)
    write_run("buda", seed=1, start=doubtful | {"from": "b.pt"}, frozen="head")
    first, second = said_of(comparison)
    assert first.endswith("buda, no schedule from a.pt (40 of 41 layers) (and 1 other start in its other runs).")
    assert second.startswith(f"STARTS THAT MAY LEAK: buda, no schedule started from a.pt: {DOUBT}")
    found = findings_of(read_ledger(comparison))
    assert found is not None and {first, second} <= set(found.warnings)
    assert {run["start"]["from"] for run in found.provenance} == {"a.pt", "b.pt"}
