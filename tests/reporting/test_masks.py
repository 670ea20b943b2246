"""Whose outline is shown: that of the lowest seed that counts, and it is said."""

import json
from pathlib import Path

import numpy as np

from headtohead.cohort import Cohort
from headtohead.reporting.findings import findings_of, shown_seed
from headtohead.reporting.masks import Masks, name_with_seed, scan_of
from headtohead.runs.ledger import Ledger
from headtohead.runs.reading import read_ledger


def renumbered(place: Path) -> Ledger:
    """The comparison with seeds 2 and 10 in place of 0 and 1: by their names 10 comes first."""
    folder = place / "runs" / "made"
    for path in sorted(folder.glob("*-none-*")):
        record = json.loads((path / "run.json").read_text())
        record["experiment"]["seed"] = {0: 2, 1: 10}[record["experiment"]["seed"]]
        (path / "run.json").write_text(json.dumps(record))
        path.rename(folder / f"{path.name.split('-s')[0]}-s{record['experiment']['seed']}-f{path.name[-1]}")
    return read_ledger(folder)


def test_the_lowest_seed_is_shown_with_its_own_dice(copied: Path, scored_cohort: Cohort) -> None:
    ledger = renumbered(copied)
    found = findings_of(ledger)
    assert found is not None
    masks, case = Masks(ledger, scored_cohort), str(found.matrix.index[0])
    shown = shown_seed(found.cases, "unet none", case)
    assert shown is not None and shown[0] == 2
    scan = scan_of(scored_cohort, masks, "unet none", case, "x")
    assert scan is not None and np.isclose(scan.dice, shown[1])
    assert not np.isclose(shown[1], found.matrix.loc[case, "unet none"])
    assert name_with_seed(found, "unet none", case) == "unet, no schedule, seed 2"


def test_a_single_seed_needs_no_word(scored: Path) -> None:
    found = findings_of(read_ledger(scored / "runs" / "made"))
    assert found is not None
    case = str(found.matrix.index[0])
    assert name_with_seed(found, "flair-threshold", case) == "flair-threshold"
    assert shown_seed(found.cases, "flair-threshold", case) is None


def test_a_seed_that_lacks_a_fold_is_not_shown(copied: Path, scored_cohort: Cohort) -> None:
    path = copied / "runs" / "made" / "unet-none-s0-f1" / "run.json"
    path.write_text(path.read_text().replace('"finished"', '"failed"'))
    ledger = read_ledger(path.parents[1])
    found = findings_of(ledger)
    assert found is not None
    masks = Masks(ledger, scored_cohort)
    assert {file.parent.name[:12] for (entrant, _), file in masks.files.items() if entrant == "unet none"} == {
        "unet-none-s1"
    }
    case = str(found.matrix.index[0])
    assert shown_seed(found.cases, "unet none", case) is None
    scan = scan_of(scored_cohort, masks, "unet none", case, "x")
    assert scan is not None and np.isclose(scan.dice, found.matrix.loc[case, "unet none"])
