"""Whose scan a volume is: BIDS names, `--patient_pattern`, and a warning where names suggest a leak."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtohead import cli
from headtohead.batches.folds import make_folds
from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.readers.patients import bids_patients, patients_by_pattern, print_patients, warn_of_shared_beginnings
from headtohead.readers.reader import CaseFiles, Reading

ROOT = Path("data")
SCANS = [f"P{patient:02d}_scan{scan}" for patient in range(3) for scan in (1, 2)]


def cases_of(*paths: str) -> list[CaseFiles]:
    return [CaseFiles(path, path, "", (ROOT / f"{path}.nii.gz",), ()) for path in paths]


def by_pattern(pattern: str, *paths: str) -> list[str]:
    return [case.patient for case in patients_by_pattern(cases_of(*paths), ROOT, pattern)]


def test_bids_subjects_are_patients_whatever_their_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    paths = ("sub-01/ses-1/sub-01_ses-1_FLAIR", "sub-01/ses-2/sub-01_ses-2_FLAIR", "sub-02/scan", "other")
    found = bids_patients(cases_of(*paths), ROOT)
    assert [case.patient for case in found] == ["sub-01", "sub-01", "sub-02", "other"]
    print_patients(found, ROOT, "volumes")
    assert capsys.readouterr().out == "data: 4 volumes of 3 patients\n"


def scans(form: str, *, patients: tuple[str, ...] = ("P00", "P01", "P02"), visits: str = "01") -> list[str]:
    """Paths of the scans of some patients."""
    return [form.format(p=patient, v=visit) for patient in patients for visit in visits]


@pytest.mark.parametrize(
    "paths",
    [
        SCANS,
        scans("{p}/scan{v}"),
        scans("{p}/scan{v}/flair"),
        scans("{p}/scan{v}_flair"),
        scans("{p}-{v}"),
        scans("study/{p}/{v}/flair"),
        scans("anna_{p}/{v}.flair"),
        scans("BraTS-GLI-{p}-00{v}"),
        scans("TCGA_CS_{p}_200{v}0101"),
        [*scans("x_{p}", visits="0"), "x_P00_scan2"],
        ["P00_4711", "P00_4712", "P01_4713", "P02_4714"],  # numbers of the scanner
        [*scans("A/{p}/v{v}"), *scans("B/{p}/v{v}", patients=("P03",))],
        [f"{path}/{sequence}" for path in scans("{p}/scan{v}") for sequence in ("t1", "flair")],
    ],
)
def test_shared_beginnings_are_warned_of_and_the_mend_works(
    capsys: pytest.CaptureFixture[str], paths: list[str]
) -> None:
    warn_of_shared_beginnings(cases_of(*paths), ROOT)
    said = capsys.readouterr().out
    first, second = re.findall(r"WARNING: (\S+) and (\S+) count as two patients", said)[0]
    assert {first, second} <= set(paths)
    [mend] = [part for part in said.split("'") if part.startswith("(")]
    truth = [re.findall("P[0-9]+", path)[0] for path in paths]
    found = by_pattern(mend, *paths)
    assert len(set(found)) == len(set(truth)) == len(set(zip(truth, found, strict=True)))


@pytest.mark.parametrize(
    "paths",
    [
        ["BraTS_001", "BraTS_002", "BraTS_003"],  # the study's name
        ["BraTS_001_flair", "BraTS_002_flair"],
        [f"BraTS2021_0000{number}/BraTS2021_0000{number}_flair" for number in range(4)],
        [f"BraTS-GLI-0000{number}-000" for number in range(4)],
        [f"BraTS20_{part}_00{number}" for part in ("Training", "Validation") for number in range(3)],
        ["TCGA_CS_4941_19960909", "TCGA_CS_4942_19970222", "TCGA_DU_5849_19950405", "TCGA_DU_5851_19950428"],
        ["TCGA_CS_4941", "TCGA_CS_4942", "TCGA_DU_5849"],
        ["IXI002-Guys-0828-T1", "IXI012-HH-1211-T1", "IXI013-HH-1212-T1"],
        ["ADNI_002_S_0295", "ADNI_002_S_0413", "ADNI_003_S_0907"],
        [f"data/scan{number}" for number in range(5)],
        ["a", "b"],
        [f"site{site}_{number}" for site in (1, 2) for number in range(20)],
        [f"clinic{site}_{number}" for site in (1, 2) for number in range(20)],
        [f"site_{site}/{number}/flair" for site in (1, 2) for number in range(3)],
        [],
    ],
)
def test_other_names_are_not_warned_of(capsys: pytest.CaptureFixture[str], paths: list[str]) -> None:
    warn_of_shared_beginnings(cases_of(*paths), ROOT)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("pattern", "patient"), [("P[0-9]+", "P00"), ("P([0-9]+)", "00"), ("(?:P)(.)(.)", "0")])
def test_the_first_group_or_all_that_matches_is_the_patient(pattern: str, patient: str) -> None:
    assert by_pattern(pattern, "x/P00_scan1") == [patient]


@pytest.mark.parametrize(("pattern", "words"), [("Q[0-9]", "does not match"), ("P(Q?)", "finds no patient in")])
def test_a_volume_that_does_not_match_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(UserError, match="`patient_pattern`") as refused:
        by_pattern(pattern, "x/P00_scan1")
    assert f"{words} x/P00_scan1 (below data)" in str(refused.value)


def test_a_bad_pattern_is_refused_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--explore", "--data", "nifti", "--patient_pattern", "(P"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --patient_pattern (P: not a regular expression") and error.count("\n") == 1


def test_lgg_folders_name_their_patients_themselves(phantom_root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`patient_pattern` P: has no effect on `data=lgg`, whose folders"):
        open_cohort(phantom_root, tmp_path, reading=Reading("P"))


def test_patients_of_a_pattern_are_kept_together_and_in_the_key(
    volumes: Path, tmp_path: Path, write_pair: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for number, scan in enumerate(SCANS):
        write_pair(scan, seed=number)
    alone = open_cohort(volumes, tmp_path, "nifti")
    said = capsys.readouterr().out
    assert "6 volumes of 6 patients" in said and "WARNING: P00_scan1 and P00_scan2 count as two patients" in said
    cohort = open_cohort(volumes, tmp_path, "nifti", Reading("^P[0-9]+"))
    assert capsys.readouterr().out == f"{volumes}: 6 volumes of 3 patients\n"
    assert alone.table["patient"].tolist() == SCANS
    assert cohort.table["patient"].tolist() == ["P00", "P00", "P01", "P01", "P02", "P02"]
    assert cohort.key != alone.key
    # Another spelling of the same patients is the same data.
    assert open_cohort(volumes, tmp_path, "nifti", Reading("(.+)[_/-]")).key == cohort.key
    assert open_cohort(volumes, tmp_path, "nifti").key == alone.key
    folds = make_folds(cohort, "3", 0).table.set_index("case")["fold"]
    assert all(folds[f"P{patient:02d}_scan1"] == folds[f"P{patient:02d}_scan2"] for patient in range(3))
