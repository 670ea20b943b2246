"""External tests: patients a model never saw, scored beside its run; nothing of the internal test changes."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from headtohead import cli
from headtohead.cohort import open_cohort
from headtohead.cohort.phantom import make_phantoms
from headtohead.comparing import external
from headtohead.comparing.experiment import Experiment
from headtohead.comparing.outcome import outcome
from headtohead.comparing.seen_cases import Known
from headtohead.errors import UserError
from headtohead.options.table import Options, from_flat
from headtohead.readers.nifti import READER as NIFTI
from headtohead.readers.reader import Reading
from headtohead.reporting.external import NEW_PATIENTS, no_external
from headtohead.runs.folder import RunFolder
from headtohead.runs.reading import read_ledger
from headtohead.statistics.intervals import mean_interval
from headtohead.trained.choosing import Choice
from headtohead.trained.source import open_source

OTHERS = 5
Run = Callable[..., int]


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up patients of another hospital, whose names none of `phantom_root` has. Read only."""
    made = tmp_path_factory.mktemp("made")
    make_phantoms(made, n_cases=OTHERS, seed=7, size=64, slices=(6, 9))
    place = tmp_path_factory.mktemp("elsewhere") / "ward"
    clinical = (made / "data.csv").read_text()
    for number, case in enumerate(sorted(made.glob("TCGA_*"))):
        (place / (name := case.name.replace("_9", "_8", 1))).mkdir(parents=True)
        for path in case.iterdir():
            shutil.copy(path, place / name / path.name.replace(case.name, name))
        old, new = ("_".join(one.split("_")[:3]) for one in (case.name, name))
        clinical = clinical.replace(old, new)
        assert number < OTHERS
    (place / "data.csv").write_text(clinical)
    return place


@pytest.fixture
def run_test(copied: Experiment, cache_dir: Path) -> Run:
    """Give `run_test(root, *words)`: `--test` of the copied run on a folder."""
    runs, home = copied.folder.path.parent.parent, copied.folder.path
    words = ["--runs_dir", str(runs), "--comparison", home.parent.name, "--run_name", home.name]
    words += ["--cache_dir", str(cache_dir), "--gpus", "cpu"]
    return lambda root, *more: cli.main(["--test", *words, "--root_dir", str(root), *more])


def files_of(folder: Path) -> dict[Path, bytes]:
    ours = (path for path in folder.rglob("*") if path.is_file() and "external" not in path.parts)
    return {path: path.read_bytes() for path in ours if path.suffix != ".lock"}


def test_scores_stand_beside_the_run_and_the_report_shows_both(
    copied: Experiment, run_test: Run, elsewhere: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, before = copied.folder.path, files_of(copied.folder.path.parent)
    assert run_test(elsewhere) == 0, capsys.readouterr().err
    folder = home / "external" / "ward"
    assert capsys.readouterr().out.splitlines()[-1] == f"results: {folder}"
    assert files_of(home.parent) == before, "nothing of the internal test is touched"
    cases, people = pd.read_csv(folder / "cases.csv"), pd.read_csv(folder / "population.csv")
    assert len(cases) == OTHERS and set(cases["case"]) == {path.name for path in elsewhere.glob("TCGA_*")}
    assert people["cohort"].value_counts()["external"] == OTHERS
    assert set(people.loc[people["cohort"] == "internal", "case"]) == set(pd.read_csv(home / "cases.csv")["case"])
    record = json.loads((folder / "run.json").read_text())
    assert record["external"]["unseen_by"] == "patients and pixels"
    assert record["data"]["key"] != record["external"]["made_from"] == copied.cohort.key

    words = ["--runs_dir", str(home.parents[1]), "--comparison", home.parent.name, "--cache_dir", str(cache_dir)]
    assert cli.main(["--report", *words, "--case_gifs", "none"]) == 0
    table = pd.read_csv(home.parent / "external.csv").iloc[0]
    own, internal = mean_interval(cases["dice"]), mean_interval(pd.read_csv(home / "cases.csv")["dice"])
    assert (table["cohort"], table["n"]) == ("ward", own.n)
    assert table[["mean", "low", "high"]].tolist() == pytest.approx([own.mean, own.low, own.high], nan_ok=True)
    assert table["internal_mean"] == pytest.approx(internal.mean)
    page, text = (home.parent / "report.html").read_text(), (home.parent / "results.md").read_text()
    assert 'id="external"' in page and "External tests: mean Dice per case" in text
    assert set(pd.read_csv(home.parent / "cases.csv")["case"]).isdisjoint(cases["case"]), "in no other number"
    assert folder.is_dir(), "a report keeps it"


def test_it_predicts_as_the_internal_test_did(finished: Experiment, tmp_path: Path) -> None:
    record = finished.folder.record()
    choice = Choice(open_source(finished.folder.path), "", finished.folder, record)
    models = external._opened(external.Tested(choice, finished.folder, {}, Known()), Options())
    with outcome(RunFolder(tmp_path), finished.cohort, finished.split) as found:
        external.predict_all(finished.cohort, finished.cohort.task.sequences, models, found)
    then, again = (pd.read_csv(folder / "cases.csv") for folder in (finished.folder.path, tmp_path))
    pd.testing.assert_frame_equal(then, again, rtol=1e-3)
    assert then["tp"].sum() > 0, "what finds nothing would agree by chance"


def test_what_it_finds_lies_where_the_truth_is_stored(tmp_path: Path) -> None:
    """Axes in another order, one mirrored, pixels that are not square: the label map itself as a probability."""
    labels = np.zeros((20, 6, 30), np.uint8)
    labels[4:10, 1:3, 8:24] = 1
    affine = np.array([[0, 0, 2.0, -9], [0, -4.0, 0, 5], [1.0, 0, 0, 3], [0, 0, 0, 1]])
    scan = np.random.default_rng(0).normal(50, 5, labels.shape).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(scan, affine), tmp_path / "a.nii")
    nibabel.save(nibabel.Nifti1Image(labels, affine), tmp_path / "a_mask.nii")
    cohort = open_cohort(tmp_path, tmp_path / "packed", "nifti")
    [case] = NIFTI.list_cases(tmp_path, Reading())
    read = NIFTI.read_case(case, cohort.task)
    assert read.labels is not None
    probability = (read.labels == 1).astype(np.float32)[None]
    found = external.onto_slices(probability, read, cohort.task, NIFTI.square)
    assert found.shape[1:] == cohort.labels(0).shape != read.labels.shape
    assert ((found[0] >= 0.5) == cohort.masks(0)).mean() > 0.99
    assert cohort.masks(0).sum() == pytest.approx((found[0] >= 0.5).sum(), rel=0.15)


def exported(of: Experiment, place: Path) -> Path:
    """Export the bundle of a run below a place. Gives its folder."""
    home = of.folder.path
    choice = ["--runs_dir", str(home.parents[1]), "--comparison", home.parent.name, "--run_name", home.name]
    assert cli.main(["--export", "bundle", *choice, "--output", str(place)]) == 0
    [bundle] = [path.parent for path in place.rglob("model.json")]
    return bundle


def test_a_bundle_is_tested_without_a_run(
    copied: Experiment, elsewhere: Path, cache_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, out = exported(copied, tmp_path / "net"), tmp_path / "out"
    words = ["--test", "--cache_dir", str(cache_dir), "--gpus", "cpu", "--runs_dir", str(out)]
    with pytest.raises(UserError, match="`test` scores it on data that it never saw; name them with `root_dir`"):
        external.other_cohort(from_flat({"test": True, "model_path": str(tmp_path / "net")}))
    assert cli.main([*words, "--model_path", str(bundle), "--root_dir", str(elsewhere)]) == 0, capsys.readouterr().err
    folder = out / "external" / bundle.name / "external" / "ward"
    assert "internal Dice" in (folder / "results.md").read_text()
    assert cli.main([*words, "--model_path", str(bundle), "--root_dir", str(copied.cohort.root)]) == 2
    assert "(trained on)" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_two_bundles_of_one_name_are_kept_apart_and_reported_side_by_side(
    copied: Experiment, elsewhere: Path, cache_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, out = exported(copied, tmp_path / "net"), tmp_path / "out"
    words = ["--test", "--cache_dir", str(cache_dir), "--gpus", "cpu", "--runs_dir", str(out)]
    there = ["--root_dir", str(elsewhere)]
    assert cli.main([*words, *there, "--model_path", str(bundle)]) == 0, capsys.readouterr().err
    folder = out / "external" / bundle.name / "external" / "ward"
    other = shutil.copytree(bundle, tmp_path / "again" / bundle.name)
    weights = load_file(other / "weights.safetensors")
    save_file({name: np.asarray(-value) for name, value in weights.items()}, other / "weights.safetensors")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert cli.main([*words, *there, "--model_path", str(other)]) == 2
    said = capsys.readouterr().err
    assert re.search(r"holds a test of other weights \(\w{8}, now \w{8}\); .*--overwrite.* --run_name", said)
    assert cli.main([*words, *there, "--model_path", str(bundle), "--threshold", "0.7"]) == 2
    assert "at another threshold (0.3, now 0.7)" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before, "nothing of the first was touched"

    assert cli.main([*words, *there, "--model_path", str(other), "--run_name", "second"]) == 0
    assert cli.main(["--report", "--comparison", "external", "--runs_dir", str(out)]) == 0
    assert "no two of them are compared" in capsys.readouterr().out
    table, people = (pd.read_csv(out / "external" / f"{name}.csv") for name in ("external", "populations"))
    assert table["entrant"].tolist() == sorted([bundle.name, "second"]) and set(table["cohort"]) == {"ward"}
    assert table["internal_n"].tolist() == [len(pd.read_csv(copied.folder.cases))] * 2, "as the bundle says it"
    assert set(people["cohort"]) == {f"ward ({name})" for name in (bundle.name, "second")}
    assert cli.main([*words, *there, "--model_path", str(other), "--overwrite"]) == 0
    assert (folder / "run.json").read_bytes() != before[folder / "run.json"]


def test_a_cohort_with_patients_that_the_run_has_seen_is_refused(
    copied: Experiment, run_test: Run, elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(elsewhere, mixed)
    trained = copied.cohort.table["case"].iloc[copied.split.cases(copied.cohort, "train")[0]]
    shutil.copytree(copied.cohort.root / trained, mixed / trained)
    assert run_test(mixed) == 2
    said = capsys.readouterr().err
    assert f"1 case of {OTHERS + 1} are of patients" in said and f"{trained} (trained on)" in said
    assert not (copied.folder.path / "external").exists(), "nothing is half-written"


@pytest.mark.exhaustive
def test_what_was_not_fully_checked_is_said_everywhere(
    copied: Experiment, run_test: Run, elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_test(elsewhere, "--cache_dir", str(tmp_path / "packed")) == 0
    assert "warning: whether" in (said := capsys.readouterr().out) and "compared: names of cases and patients" in said
    home = copied.folder.path
    folder = home / "external" / "ward"
    assert json.loads((folder / "run.json").read_text())["external"]["unseen_by"] == "names of cases and patients"
    words = ["--runs_dir", str(home.parents[1]), "--comparison", home.parent.name, "--cache_dir", str(tmp_path)]
    assert cli.main(["--report", *words, "--case_gifs", "none"]) == 0
    for page in (folder / "results.md", home.parent / "results.md", home.parent / "report.html"):
        assert "was not fully checked" in page.read_text() and NEW_PATIENTS not in page.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--num_epochs", "9"], "made with --num_epochs 3, now 9"),
        (["--labels", "tumour=1"], "--labels tumour=1: has no effect on --data lgg"),
        (["--run_name", "nobody"], "holds no trained model"),
    ],
)
def test_mistakes_are_one_line(
    run_test: Run, elsewhere: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_test(elsewhere, *words) == 2
    assert said in capsys.readouterr().err


def test_the_runs_own_data_elsewhere_are_no_external_test(
    copied: Experiment, run_test: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(copied.cohort.root, tmp_path / "moved")
    assert run_test(tmp_path / "moved", "--overwrite") == 2
    assert "--overwrite: a test of the run's own data replaces the earlier one as it is" in capsys.readouterr().err
    assert run_test(tmp_path / "moved") == 0, capsys.readouterr().err
    assert not (copied.folder.path / "external").exists()


@pytest.mark.parametrize("name", ["run.json", "cases.csv", "population.csv"])
def test_a_damaged_external_test_is_left_out_and_named(copied: Experiment, name: str) -> None:
    home = copied.folder.path
    place = home / "external" / "ward"
    place.mkdir(parents=True)
    (place / name).write_text("?")
    ledger = read_ledger(home.parent)
    assert not ledger.externals and len(ledger.finished) == 1
    assert any(f"{home.name}: its external test on ward left out" in note for note in ledger.notes)


def test_the_report_claims_new_patients_only_where_that_was_checked() -> None:
    whole, short = "patients and pixels", "names of cases and patients"
    empty = no_external()
    assert replace(empty, unseen_by=(whole, whole)).patients == NEW_PATIENTS
    said = replace(empty, unseen_by=(whole, short)).patients
    assert said != NEW_PATIENTS and "not fully checked in 1 of 2" in said and short in said
