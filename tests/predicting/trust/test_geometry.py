"""What a header makes doubtful: an oblique scan, and one without orientation."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.scan import Scan
from headtohead.predicting.scan import scan_of as scan_of_slices
from headtohead.predicting.trust.geometry import doubts_of_scan
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.trained.facts import ModelFacts

FACTS = ModelFacts("m", "buda", 4, 5, {"image_size": 32, "normalise": "inner", "neighbours": 1}, task=LGG_TASK)
VALUES = np.random.default_rng(0).integers(1, 900, (10, 12, 8)).astype(np.int16)


def scan_of(path: Path, image: nib.Nifti1Image, plane: str = "auto") -> Scan:
    nib.save(image, path)
    [job] = find_jobs(path, "", FACTS.task, ())
    return read_scan(job, FACTS, "", plane)


def doubts_of_header(scan: Scan) -> list[str]:
    """Give what is said of a scan whose sequences are all there."""
    return doubts_of_scan(replace(scan, missing=()), FACTS.task)


def turned(axis: int, degrees: float) -> np.ndarray:
    """An affine that is turned about an axis of the world."""
    one, other = (place for place in range(3) if place != axis)
    affine, angle = np.eye(4), np.deg2rad(degrees)
    affine[[one, one, other, other], [one, other, one, other]] = (
        np.cos(angle),
        -np.sin(angle),
        np.sin(angle),
        np.cos(angle),
    )
    return affine @ np.diag([-1, 1, 4, 1])


@pytest.mark.parametrize(
    ("axis", "degrees", "words"),
    [
        (0, 14, ""),
        (0, 20, "tilted by 20 degrees against the axial plane"),
        (1, -30, "tilted by 30 degrees against the axial plane"),
        (2, 20, ""),  # is levelled, without a loss
        (0, 90, ""),
        (2, 180, ""),
    ],
)
def test_tilted(tmp_path: Path, axis: int, degrees: float, words: str) -> None:
    image = nib.Nifti1Image(VALUES, turned(axis, degrees))
    expected = f"the scan is {words} and was levelled, which blurs slices 4 mm apart; if the head"
    # Whichever way the axes run on the grid.
    for one in (image, image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))):
        found = doubts_of_header(scan_of(tmp_path / "a.nii", one))
        assert [line.split(" is tilted with it")[0] for line in found] == ([expected] if words else [])
        assert doubts_of_header(scan_of(tmp_path / "a.nii", one, "acquired")) == []


def test_another_plane(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, turned(2, 20))
    found = doubts_of_header(scan_of(tmp_path / "a.nii", image, "sagittal"))
    # Its slices are 1 mm apart, finer than their rows.
    assert found[0].startswith("the scan is tilted by 20 degrees against the sagittal plane and was levelled; if")


def test_a_single_slice_is_as_it_was_acquired(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES[:, :, :1], turned(0, 30))
    assert doubts_of_header(scan_of(tmp_path / "a.nii", image)) == []


@pytest.mark.parametrize("coded", ["", "sform", "qform"])
def test_no_orientation(tmp_path: Path, coded: str) -> None:
    image = nib.Nifti1Image(VALUES, None)
    image.header.set_zooms((1, 1, 4))
    if coded:
        getattr(image, f"set_{coded}")(np.diag([1, 1, 4, 1]), 1)
    found = doubts_of_header(scan_of(tmp_path / "a.nii", image))
    assert [line.split(":")[0] for line in found] == ([] if coded else ["no orientation in its header"])


def test_pictures_have_no_header() -> None:
    scan = scan_of_slices(VALUES[..., None])
    assert doubts_of_header(scan) == []


def test_what_stands_in_for_a_sequence_is_said_first() -> None:
    scan = replace(scan_of_slices(VALUES[..., None]), missing=("pre", "post"))
    assert doubts_of_scan(scan, FACTS.task) == ["no T1 or T1+contrast; FLAIR was used in their place"]
