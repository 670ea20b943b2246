"""Cases of BraTS in the folders of its years, and the same cases in the layout of nnU-Net."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.readers.brats import list_cases
from headtohead.readers.case_files import CaseFiles
from headtohead.readers.reading import AS_NAMED, Reading

SHAPE = (9, 8, 5)
OLD = {"pre": "_t1", "post": "_t1ce", "t2": "_t2", "flair": "_flair", "seg": "_seg"}
NEW = {"pre": "-t1n", "post": "-t1c", "t2": "-t2w", "flair": "-t2f", "seg": "-seg"}
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
WriteCase = Callable[..., Path]


def values_of(name: str) -> dict[str, np.ndarray]:
    """Noise for each sequence of a case, and a label map with 1, 2 and 4."""
    rng = np.random.default_rng(sum(map(ord, name)))
    values = {sequence: rng.integers(0, 3000, SHAPE).astype(np.int16) for sequence in OLD}
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:7, 1:7, 1:4], labels[2:5, 2:5, 2:4], labels[3, 3:5, 2] = 2, 1, 4
    return values | {"seg": labels}


@pytest.fixture
def write(tmp_path: Path) -> WriteCase:
    """Give `write(name, ends, enhancing=4, end=".nii.gz", below=".")`: a folder of a case below `tmp_path / brats`."""

    def case(name: str, ends: dict[str, str], enhancing: int = 4, end: str = ".nii.gz", below: str = ".") -> Path:
        folder = tmp_path / "brats" / below / name
        folder.mkdir(parents=True)
        for sequence, values in values_of(name).items():
            stored = np.where(values == 4, np.uint8(enhancing), values) if sequence == "seg" else values
            nibabel.save(nibabel.Nifti1Image(stored, AFFINE), folder / f"{name}{ends[sequence]}{end}")
        return folder

    return case


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
        UserError, match=r"_seg.nii.gz: label 3 belongs to no target; the labels of this task are 1, 2, 4"
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


# --- nnU-Net --------------------------------------------------------------------------------------------------------

DESCRIBED = {
    "channel_names": {"0": "T1", "1": "T1ce", "2": "T2", "3": "FLAIR"},
    "labels": {
        "background": 0,
        "whole tumour": [1, 2, 4],
        "tumour core": [1, 4],
        "enhancing tumour": 4,
    },
    "regions_class_order": [2, 1, 4],
    "numTraining": 2,
    "file_ending": ".nii.gz",
}


@pytest.fixture
def nnunet(tmp_path: Path, write: WriteCase) -> Path:
    """Two cases of BraTS, and the same cases in the layout of nnU-Net, whose folder is given."""
    root = tmp_path / "Dataset001_BraTS"
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for name in ("BraTS20_Training_001", "BraTS20_Training_002"):
        folder = write(name, OLD)
        for number, sequence in enumerate(("pre", "post", "t2", "flair")):
            shutil.copy(folder / f"{name}{OLD[sequence]}.nii.gz", root / f"imagesTr/{name}_{number:04d}.nii.gz")
        shutil.copy(folder / f"{name}_seg.nii.gz", root / f"labelsTr/{name}.nii.gz")
    (root / "dataset.json").write_text(json.dumps(DESCRIBED))
    return root


def test_the_same_cases_in_either_layout_are_the_same_cohort(tmp_path: Path, nnunet: Path) -> None:
    one = open_cohort(tmp_path / "brats", tmp_path / "packed", "brats")
    other = open_cohort(nnunet, tmp_path / "packed", "nnunet")
    assert one.task.sequences == other.task.sequences and one.task.primary == other.task.primary
    assert one.task.targets == other.task.targets
    assert one.table.equals(other.table)
    for case in range(2):
        np.testing.assert_array_equal(one.images(case), other.images(case))
        np.testing.assert_array_equal(one.labels(case), other.labels(case))
    np.testing.assert_array_equal(one.statistics("inner"), other.statistics("inner"))
