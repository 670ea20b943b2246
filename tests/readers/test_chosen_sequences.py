"""`--sequences` on BraTS and on nnU-Net's data: which channels there are, in which order, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from headtohead.cohort import Cohort, open_cohort
from headtohead.errors import UserError
from headtohead.readers.reader import Reading
from tests.readers.brats_cases import OLD, WriteCase

CASES = ("BraTS20_Training_001", "BraTS20_Training_002")
NAMES = {"0": "T1", "1": "T1ce", "2": "T2", "3": "FLAIR"}
KINDS = ("brats", "nnunet")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path, write: WriteCase) -> str:
    """Write two cases in one of the layouts, into a folder of the layout's name."""
    for name in CASES:
        write(name, OLD)
    root = tmp_path / "nnunet"
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for name in CASES:
        for number, sequence in enumerate(("pre", "post", "t2", "flair")):
            path = tmp_path / "brats" / name / f"{name}{OLD[sequence]}.nii.gz"
            shutil.copy(path, root / f"imagesTr/{name}_{number:04d}.nii.gz")
        shutil.copy(tmp_path / "brats" / name / f"{name}_seg.nii.gz", root / f"labelsTr/{name}.nii.gz")
    described = {"channel_names": NAMES, "labels": {"background": 0, "tumour": [1, 2, 4]}, "regions_class_order": [1]}
    (root / "dataset.json").write_text(json.dumps(described | {"file_ending": ".nii.gz"}))
    return str(request.param)


def read(tmp_path: Path, kind: str, sequences: str = "") -> Cohort:
    return open_cohort(tmp_path / kind, tmp_path / "packed", kind, Reading(sequences=sequences))


def test_the_channels_are_those_chosen_in_their_order(tmp_path: Path, kind: str) -> None:
    whole, chosen = read(tmp_path, kind), read(tmp_path, kind, "t2, T1ce")
    assert whole.task.sequences == ("pre", "post", "t2", "flair") and whole.task.primary == "flair"
    assert chosen.task.sequences == ("t2", "post") and chosen.task.primary == "t2"
    np.testing.assert_array_equal(chosen.images(1), whole.images(1)[..., [2, 1]])
    np.testing.assert_array_equal(chosen.labels(1), whole.labels(1))
    keys = {one.key for one in (whole, chosen, read(tmp_path, kind, "t1ce,t2"))}
    assert len(keys) == 3, "other channels are other data"


def test_what_was_not_chosen_may_be_missing(tmp_path: Path, kind: str) -> None:
    for path in (tmp_path / kind).rglob(f"{CASES[0]}_t1ce.nii.gz" if kind == "brats" else f"{CASES[0]}_0001.nii.gz"):
        path.unlink()
    assert read(tmp_path, kind, "flair,t1").task.sequences == ("flair", "pre")
    with pytest.raises(UserError, match=r"has no T1.contrast|_0001.nii.gz .post. is missing"):
        read(tmp_path, kind)


@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        ("flair,dwi", "`sequences` flair,dwi: there is no dwi; there are: t1,t1c,t2,flair"),
        ("flair,t2f", "`sequences` flair,t2f: name each sequence once, the primary one first"),
        (",", "`sequences` ,: name each sequence once"),
    ],
)
def test_mistakes(tmp_path: Path, kind: str, sequences: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, kind, sequences)
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


def test_a_single_channel_leaves_no_choice(tmp_path: Path, kind: str) -> None:
    description = tmp_path / "nnunet" / "dataset.json"
    described = json.loads(description.read_text())
    description.write_text(json.dumps(described | {"channel_names": {"0": "MRI"}}))
    with pytest.raises(UserError, match=r"^`sequences` flair: .*dataset.json names a single channel; leave it out$"):
        read(tmp_path, "nnunet", "flair")
