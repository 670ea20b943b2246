"""Cases of BraTS in the layout of nnU-Net: the same cohort, and what else dataset.json may say."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from headtohead.cohort import Cohort, open_cohort
from headtohead.comparing.experiment import folds_of
from headtohead.errors import UserError
from headtohead.options.data import DataOptions
from headtohead.readers.nnunet import sequences_of
from headtohead.task.targets import CLASSES
from tests.readers.brats_cases import OLD, WriteCase

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


def change(root: Path, **entries: object) -> None:
    (root / "dataset.json").write_text(json.dumps(DESCRIBED | entries))


def read_nnunet(root: Path, tmp_path: Path) -> Cohort:
    return open_cohort(root, tmp_path / "packed", "nnunet")


def test_classes_exclude_each_other(tmp_path: Path, nnunet: Path) -> None:
    change(nnunet, labels={"background": 0, "necrosis": 1, "oedema": 2, "enhancing": 4})
    cohort = read_nnunet(nnunet, tmp_path)
    assert (cohort.task.targets.kind, cohort.task.targets.logits) == (CLASSES, 4)
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [16, 90, 2]
    change(nnunet, labels={"0": "background", "1": "necrosis", "2": "oedema", "4": "enhancing"}, name="of nnU-Net 1")
    again = read_nnunet(nnunet, tmp_path)
    assert again.task.targets == cohort.task.targets and again.task.name == "of nnU-Net 1"


def test_an_edited_description_is_other_data(tmp_path: Path, nnunet: Path) -> None:
    before = read_nnunet(nnunet, tmp_path)
    change(nnunet, labels={"background": 0, "tumour": [1, 2, 4]}, regions_class_order=[1])
    after = read_nnunet(nnunet, tmp_path)
    assert before.key != after.key and after.task.targets.names == ("tumour",)


@pytest.mark.parametrize(
    ("names", "sequences"),
    [
        ({"0": "T1w", "1": "T1Gd", "2": "T2w", "3": "T2-FLAIR"}, ("pre", "post", "t2", "flair")),
        ({"0": "A", "1": "noNorm", "2": "CT", "3": "Flair"}, ("a", "nonorm", "ct", "flair")),
        ({"0": "zscore", "1": "zscore", "2": "T1", "3": "T2"}, tuple(f"channel {place}" for place in range(4))),
        ({"0": "MRI"}, ("image",)),
    ],
)
def test_channels_have_the_names_of_sequences(names: dict[str, str], sequences: tuple[str, ...]) -> None:
    assert sequences_of({"channel_names": names}, Path("dataset.json")) == sequences
    assert sequences_of({"modality": names}, Path("dataset.json")) == sequences


CASE = "BraTS20_Training_001"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"channel_names": {"1": "T1"}}, 'channel_names must be numbered from "0"'),
        ({"channel_names": ["T1"]}, "channel_names must be numbered"),
        (
            {"channel_names": {"0": "T1", "1": "T2"}},
            rf"{CASE}_0002.nii.gz: dataset.json names 2 channels, so",
        ),
        ({"file_ending": ".png"}, "file_ending is .png, but volumes end in .*`data=images`"),
        ({"file_ending": ".nii"}, rf"file_ending is .nii, but imagesTr holds {CASE}_0000.nii.gz; correct file_ending"),
        ({"labels": None}, "has no labels"),
        ({"labels": {"0": "background", "1": "x", "2": "x", "4": "y"}}, "two labels have one name"),
        ({"labels": {"background": 0, "a\nb": 1}}, "a name cannot be shown"),
        ({"labels": {"0": "background", "9" * 5000: "x"}}, "labels hold what is no whole number"),
        (
            {"labels": {"back": 0, "x": 1}},
            r'0 is the background and is called so, not back; give labels as \{"background"',
        ),
        ({"labels": {"background": 0, "x": [0, 1]}}, "0 is the background and is called so, not x; give"),
        ({"labels": {"background": 0, "x": 1.5}}, "labels hold what is no whole number"),
        ({"labels": {"background": 0, "x": []}}, "labels hold what is no whole number"),
        ({"labels": {"background": 0}}, "labels name nothing but the background; give labels as"),
        (
            {"labels": {"background": 0, "core": [1, 4], "whole": [1, 2, 4]}, "regions_class_order": [1, 2]},
            "core would be written over, .*; name the outer regions first in labels, .* regions_class_order likewise",
        ),
        *(
            ({"regions_class_order": order}, r"regions_class_order is .*, such as \[2, 1, 4\]; correct it")
            for order in ([2, 1], [4, 1, 2], [1, 1, 4], [2, 1, 7], [2, 1, 4.0], [2, True, 4], "2,1,4", 7)
        ),
        ({"labels": {"background": 0, "x": [1, 2, 4], "ignore": 5}}, "to be ignored, which is not supported"),
        ({"labels": {"background": 0, "x": 1, "y": 2}}, f"{CASE}.nii.gz: label 4 belongs to no target"),
    ],
)
def test_a_description_that_does_not_fit_is_named(
    tmp_path: Path, nnunet: Path, entries: dict[str, object], words: str
) -> None:
    change(nnunet, **entries)
    with pytest.raises(UserError, match=words) as refused:
        read_nnunet(nnunet, tmp_path)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("core", "order"), [([1, 4], [2, 1, 4]), ([1, 4], None), ([1, 3, 4], [2, 3, 4]), ([1, 3, 4], [2, 1, 4])]
)
def test_regions_may_be_written_as_any_value_of_their_own(
    tmp_path: Path, nnunet: Path, core: list[int], order: list[int] | None
) -> None:
    labels = {"background": 0, "whole": [1, 2, 3, 4], "core": core, "enhancing": 4}
    change(nnunet, labels=labels, regions_class_order=order)
    assert read_nnunet(nnunet, tmp_path).task.targets.names == ("whole", "core", "enhancing")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            f"imagesTr/{CASE}_0002",
            rf"{CASE}_0002.nii.gz \(t2\) is missing, but {CASE}_0002.nii is there; convert it to",
        ),
        (
            f"labelsTr/{CASE}",
            rf"no label map {CASE}.nii.gz for .*, but {CASE}.nii is there; convert it to .nii.gz, which",
        ),
    ],
)
def test_a_file_of_another_ending_is_named(tmp_path: Path, nnunet: Path, file: str, words: str) -> None:
    (nnunet / f"{file}.nii.gz").rename(nnunet / f"{file}.nii")
    with pytest.raises(UserError, match=words):
        read_nnunet(nnunet, tmp_path)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (f"imagesTr/{CASE}_0002.nii.gz", rf"imagesTr: {CASE}_0002.nii.gz \(t2\) is missing; restore it"),
        (f"labelsTr/{CASE}.nii.gz", rf"labelsTr: no label map {CASE}.nii.gz for {CASE}_0003.nii.gz; restore it"),
        ("dataset.json", "no dataset.json in it; name a data set"),
    ],
)
def test_a_file_that_is_missing_is_named(tmp_path: Path, nnunet: Path, lost: str, words: str) -> None:
    (nnunet / lost).unlink()
    with pytest.raises(UserError, match=words):
        read_nnunet(nnunet, tmp_path)


def test_the_folder_that_was_meant_is_named(tmp_path: Path, nnunet: Path) -> None:
    for given in (tmp_path, nnunet / "imagesTr"):
        with pytest.raises(UserError, match=rf"did you mean `root_dir` {nnunet}\?"):
            open_cohort(given, tmp_path / "packed", "nnunet")


def test_the_folds_of_nnunet_are_kept(tmp_path: Path, nnunet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = read_nnunet(nnunet, tmp_path)
    other = "BraTS20_Training_002"
    path = nnunet / "splits_final.json"
    path.write_text(json.dumps([{"train": [CASE], "val": [other]}, {"train": [other], "val": [CASE]}]))
    folds = folds_of(DataOptions(folds="2"), cohort)
    assert folds is not None and folds.table.to_numpy().tolist() == [[CASE, 1], [other, 0]]
    assert f"folds: those of {path}" in capsys.readouterr().out
    given = folds_of(DataOptions(fold_file=str(path)), cohort)
    assert given is not None and given.key == folds.key
    assert folds.source == given.source == path.name
    for wrong in ("{}", "[1, 2]", '[{"val": [1]}]', '[{"train": []}]', "["):
        path.write_text(wrong)
        with pytest.raises(UserError, match="not a table of folds"):
            folds_of(DataOptions(fold_file=str(path)), cohort)
    with pytest.raises(UserError, match=rf"^{path}: not a table of folds .*move it away, or give .* `fold_file`$"):
        folds_of(DataOptions(folds="2"), cohort)


def test_folds_of_nnunet_that_lack_a_case(tmp_path: Path, nnunet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = read_nnunet(nnunet, tmp_path)
    path = nnunet / "splits_final.json"
    path.write_text(json.dumps([{"train": [], "val": [CASE]}, {"train": [], "val": ["other"]}]))
    mend = "list each case in val of one fold, or give another number of `folds` to deal them anew"
    with pytest.raises(UserError, match=rf"^{path}: other is not in the data set; {mend}$"):
        folds_of(DataOptions(folds="2"), cohort)
    path.write_text(json.dumps([{"train": [], "val": [CASE]}]))
    with pytest.raises(UserError, match=r"^`folds` 2: not possible with 2 patients"):
        folds_of(DataOptions(folds="2"), cohort)
    assert f"folds: not those of {path}, which has 1 fold\n" in capsys.readouterr().out


def test_texts_of_a_description_are_short_lines(tmp_path: Path, nnunet: Path) -> None:
    change(nnunet, name="A\n\x1b[31mB", licence="x" * 10**5, reference=["a", {"b": 1}])
    task = read_nnunet(nnunet, tmp_path).task
    assert task.name == "A \\x1b[31mB" and len(task.licence) == 200 and task.citation == "['a', {'b': 1}]"
