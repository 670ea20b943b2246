"""Masks that a training here predicted, handed in as those of another program: the same numbers, fold by fold."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead import cli
from headtohead.cohort import Cohort
from headtohead.comparing.experiment import Experiment
from headtohead.entrants import score
from headtohead.options.table import Options
from headtohead.runs.reading import read_ledger
from headtohead.runs.run import EXPERIMENT_COLUMNS
from headtohead.scoring.prediction_files import read_mask

GRID = {
    "comparison": "cv",
    "folds": "2",
    "schedules": ["cosine"],
    "num_epochs": 3,
    "threshold": 0.3,
    "learning_rate": 0.03,
}
SHIFT = 2  # pixels by which a second entrant lies beside the first


def write_as_pictures(run: Path, cohort: Cohort, folder: Path, shift: int = 0) -> None:
    """Write the masks of a run as pictures of LGG are named, `CASE/CASE_<slice>_mask.tif`."""
    table = cohort.table.set_index("case")
    for case in pd.read_csv(run / "cases.csv")["case"]:
        mask = read_mask(run / "masks.npz", case, tuple(table.loc[case, ["slices", "height", "width"]]))
        numbers = sorted(int(path.stem.split("_")[-1]) for path in (cohort.root / case).glob("*[0-9].tif"))
        (folder / case).mkdir(parents=True)
        for number, pixels in zip(numbers, np.roll(mask, shift, axis=2), strict=True):
            cv2.imwrite(str(folder / case / f"{case}_{number}_mask.tif"), pixels * np.uint8(255))


def without_names(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path)
    return table.drop(columns=[name for name in EXPERIMENT_COLUMNS if name in table])


def test_masks_of_a_run_have_its_scores_on_its_test_cases(
    copied: Experiment, phantom_cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "write_held", lambda *about: None)
    run, folder = copied.folder.path, copied.folder.path.parent
    write_as_pictures(run, phantom_cohort, tmp_path / "same")
    assert without_names(run / "cases.csv")["tp"].sum() > 0
    place = ["--runs_dir", str(folder.parent), "--cache_dir", copied.options.data.cache_dir]
    words = ["--score", "--comparison", folder.name, "--masks", f"same={tmp_path / 'same'}", *place]
    assert cli.main(words) == 0
    for name in ("cases.csv", "slices.csv"):
        pd.testing.assert_frame_equal(without_names(folder / "same" / name), without_names(run / name))
    assert (folder / "same" / "masks.npz").read_bytes() == (run / "masks.npz").read_bytes()
    assert (folder / "same" / "split.csv").read_bytes() == (run / "split.csv").read_bytes()
    read_ledger(folder)  # both may be in one table


@pytest.mark.exhaustive
def test_a_comparison_with_folds_takes_masks_of_all_cases(
    copied_grid: Options, phantom_cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(copied_grid.comparison.runs_dir) / "cv"
    for fold in range(2):
        for name, shift in (("same", 0), ("beside", SHIFT)):
            write_as_pictures(folder / f"buda-cosine-s0-f{fold}", phantom_cohort, tmp_path / name, shift)
    place = ["--runs_dir", str(folder.parent), "--cache_dir", copied_grid.data.cache_dir, "--case_gifs", "none"]
    words = ["--score", "--comparison", "cv", "--masks", f"same={tmp_path / 'same'},beside={tmp_path / 'beside'}"]
    trained = pd.read_csv(folder / "results.csv").query("entrant == 'buda cosine'")
    assert cli.main([*words, *place]) == 0
    found = pd.read_csv(folder / "results.csv")
    for_masks = found.query("entrant == 'same'").drop(columns=["entrant", "seeds"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(for_masks, trained.drop(columns=["entrant", "seeds"]).reset_index(drop=True))
    page = (folder / "report.html").read_text()
    assert "this training of buda cosine" in page.lower() and "flair-threshold" in page
    assert {path.name for path in folder.glob("same*")} == {"same-f0", "same-f1"}
    shutil.rmtree(next((tmp_path / "same").iterdir()))
    capsys.readouterr()
    assert cli.main([*words, *place]) == 2
    assert "no mask of" in capsys.readouterr().err
