"""Cases of BraTS in the folders of its years."""

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.readers.brats import list_cases
from headtohead.readers.reader import AS_NAMED, CaseFiles, Reading, recognise
from tests.readers.brats_cases import AFFINE, NEW, OLD, WriteCase, values_of


def cases_of(root: Path) -> list[CaseFiles]:
    return list_cases(root, AS_NAMED)


@pytest.mark.parametrize(
    ("names", "ends", "enhancing", "end"),
    [
        (("BraTS20_Training_001", "BraTS20_Training_002"), OLD, 4, ".nii"),
        (("BraTS2021_00000", "BraTS2021_00002"), OLD, 4, ".nii.gz"),
        (("BraTS-GLI-00000-000", "BraTS-GLI-00000-001"), NEW, 3, ".nii.gz"),
    ],
)
def test_cases_of_three_years(
    tmp_path: Path, write: WriteCase, names: tuple[str, ...], ends: dict[str, str], enhancing: int, end: str
) -> None:
    for name in names:
        write(name, ends, enhancing, end)
    cohort = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    assert cohort.table["case"].tolist() == list(names)
    one = names[0].startswith("BraTS-")
    assert cohort.table["patient"].nunique() == (1 if one else 2), "since 2023 the last number is a point in time"
    assert (cohort.task.sequences, cohort.task.primary) == (("pre", "post", "t2", "flair"), "flair")
    assert cohort.task.targets.names == ("whole tumour", "tumour core", "enhancing tumour")
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [108, 18, 2]
    assert cohort.images(1).shape == (5, 8, 9, 4)
    values = values_of(names[1])
    for channel, sequence in enumerate(cohort.task.sequences):
        # Axes to the left, back and head: slices to the head, rows to the back, columns to the left.
        expected = values[sequence].transpose(2, 1, 0)
        stored = cohort.images(1)[..., channel]
        assert np.corrcoef(expected.ravel(), stored.ravel())[0, 1] > 0.999


def test_outer_folders_as_published_are_no_cases(
    tmp_path: Path, write: WriteCase, capsys: pytest.CaptureFixture[str]
) -> None:
    write("BraTS20_Training_001", OLD, below="BraTS2020_TrainingData/MICCAI_BraTS2020_TrainingData")
    folder = write("BraTS20_Validation_001", OLD, below="BraTS2020_ValidationData/MICCAI_BraTS2020_ValidationData")
    (folder / f"{folder.name}_seg.nii.gz").unlink()
    for name in ("Brats17_CBICA_AAB_1", "Brats18_2013_0_1"):
        write(name, OLD, below="HGG")
    assert len(cases_of(tmp_path / "brats")) == 3
    assert "left out because they have no label map: 1 of 4" in capsys.readouterr().out


def test_cases_without_a_point_in_time(tmp_path: Path, write: WriteCase) -> None:
    for name in ("BraTS-GoAT-00001", "BraTS-GoAT-00002"):
        write(name, NEW, 3)
    assert recognise(tmp_path) == "brats"
    cohort = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    assert cohort.table["patient"].tolist() == ["BraTS-GoAT-00001", "BraTS-GoAT-00002"]
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [108, 18, 2]


def test_the_folder_of_one_case(tmp_path: Path, write: WriteCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write("BraTS20_Training_001", OLD))
    for root in (Path(), Path.cwd()):
        assert recognise(root) == "brats"
        cohort = open_cohort(root, tmp_path / "packed", "brats")
        assert cohort.table["case"].tolist() == ["BraTS20_Training_001"]


def test_after_treatment_the_cavity_is_no_tumour(tmp_path: Path, write: WriteCase) -> None:
    folder = write("BraTS-GLI-00005-100", NEW, 3)
    path = folder / "BraTS-GLI-00005-100-seg.nii.gz"
    labels = np.asarray(nibabel.load(path).dataobj).copy()
    labels[8, 7, 0] = 4
    nibabel.save(nibabel.Nifti1Image(labels, AFFINE), path)
    cohort = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [108, 18, 2]


def test_case_355_of_2020_has_a_label_map_of_another_name(tmp_path: Path, write: WriteCase) -> None:
    name = "BraTS20_Training_355"
    folder = write(name, OLD, 4, ".nii")
    (folder / f"{name}_seg.nii").rename(folder / "W39_1998.09.19_Segm.nii")
    [case] = cases_of(tmp_path / "brats")
    assert case.masks[0].name == "W39_1998.09.19_Segm.nii"


def test_labels_of_another_year_are_refused_until_they_are_named(tmp_path: Path, write: WriteCase) -> None:
    write("BraTS20_Training_001", OLD, 3)
    with pytest.raises(
        UserError,
        match=r"label 3 belongs to no target; the labels of this task are 1, 2, 4; .*`labels` .* as a target's$",
    ):
        open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    reading = Reading(labels="whole tumour=1,2,3;tumour core=1,3;enhancing tumour=3")
    cohort = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats", reading)
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [108, 18, 2]


def test_years_of_different_labels_do_not_mix(tmp_path: Path, write: WriteCase) -> None:
    write("BraTS20_Training_001", OLD)
    write("BraTS-GLI-00000-000", NEW, 3)
    with pytest.raises(UserError, match="years with different labels"):
        open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")


def test_what_is_missing_or_double_is_named(
    tmp_path: Path, write: WriteCase, capsys: pytest.CaptureFixture[str]
) -> None:
    root, name = tmp_path / "brats", "BraTS20_Training_001"
    root.mkdir()
    with pytest.raises(UserError, match="no folders of cases"):
        cases_of(root)
    folder = write(name, OLD)
    whole = write("BraTS20_Training_002", OLD, below="HGG")
    shutil.copy(folder / f"{name}_t1.nii.gz", folder / f"{name}_t1.nii")
    with pytest.raises(UserError, match=f"two files of one sequence, {name}_t1.nii and {name}_t1.nii.gz"):
        cases_of(root)
    (folder / f"{name}_t1.nii").unlink()
    (folder / f"{name}_t1.nii.gz").unlink()
    with pytest.raises(UserError, match=rf"{name}: has no T1 \(a file that ends in t1 or t1n\)"):
        cases_of(root)
    (folder / f"{name}_seg.nii.gz").unlink()
    assert [case.name for case in cases_of(root)] == ["BraTS20_Training_002"]
    assert "cases left out because they have no label map: 1 of 2" in capsys.readouterr().out
    shutil.copytree(whole, root / "LGG" / whole.name)
    with pytest.raises(UserError, match="two cases of one name"):
        cases_of(root)


def test_a_sequence_on_another_grid_is_resampled_and_said(
    tmp_path: Path, write: WriteCase, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write("BraTS20_Training_001", OLD)
    coarse = nibabel.Nifti1Image(np.full((5, 4, 3), 700, np.int16), np.diag([-2.0, -2.0, 2.0, 1.0]))
    nibabel.save(coarse, folder / "BraTS20_Training_001_t1.nii.gz")
    cohort = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    assert cohort.images(0).shape == (5, 8, 9, 4)
    assert "BraTS20_Training_001: T1 was resampled onto the grid of BraTS20_Training_001_flair.nii.gz" in (
        capsys.readouterr().out
    )
    shutil.copy(folder / "BraTS20_Training_001_t1.nii.gz", folder / "BraTS20_Training_001_seg.nii.gz")
    with pytest.raises(UserError, match="5x4x3 voxels, but BraTS20_Training_001_flair"):
        open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
