"""Made-up patients in the layout of BraTS."""

from pathlib import Path

import numpy as np
import pytest

from headtohead import cli
from headtohead.cohort import open_cohort
from headtohead.cohort.phantom import make_brats_phantoms
from headtohead.cohort.phantom.brats import draw_brats_case
from headtohead.cohort.phantom.planning import Parameters
from headtohead.errors import UserError

SMALL = Parameters(7, 3, 32, (5, 6))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven made-up patients."""
    folder = tmp_path_factory.mktemp("brats") / "made_up"
    make_brats_phantoms(folder, SMALL.n_cases, SMALL.seed, SMALL.size, SMALL.slices)
    return folder


def test_they_are_read_as_they_were_drawn(root: Path, tmp_path: Path) -> None:
    cohort = open_cohort(root, tmp_path, "brats")
    assert cohort.made_up and len(cohort) == 7
    for case in range(7):
        images, labels = draw_brats_case(SMALL, case)
        np.testing.assert_array_equal(cohort.labels(case), labels)
        for channel, end in enumerate(("t1", "t1ce", "t2", "flair")):
            stored = cohort.images(case)[..., channel]
            assert np.corrcoef(stored.ravel(), images[end].ravel())[0, 1] > 0.99
        assert cohort.spacing(case) == pytest.approx((155 / len(labels), 7.5, 7.5))


def test_regions_lie_within_each_other_and_some_do_not_enhance(root: Path, tmp_path: Path) -> None:
    cohort = open_cohort(root, tmp_path, "brats")
    enhancing = []
    for case in range(7):
        whole, core, inner = cohort.truth(case)
        assert (whole >= core).all() and (core >= inner).all() and whole.sum() > core.sum() > 0
        enhancing.append(bool(inner.any()))
    assert enhancing == [False, True, True, True, True, True, False]


def test_what_enhances_is_bright_after_contrast_alone() -> None:
    images, labels = draw_brats_case(Parameters(2, 0, 64, (12, 12)), 1)
    ring, oedema = labels == 4, labels == 2
    assert np.median(images["t1ce"][ring]) > 1.3 * np.median(images["t1ce"][oedema])
    assert np.median(images["t1"][ring]) < 1.1 * np.median(images["t1"][oedema])
    assert (images["flair"] == 0).mean() > 0.3, "brains are cut out"


def test_the_same_seed_draws_the_same_bytes(root: Path, tmp_path: Path) -> None:
    make_brats_phantoms(tmp_path / "again", SMALL.n_cases, SMALL.seed, SMALL.size, SMALL.slices)
    for path in root.rglob("*.nii.gz"):
        assert (tmp_path / "again" / path.relative_to(root)).read_bytes() == path.read_bytes()


def test_a_whole_folder_is_kept_and_another_refused(root: Path, tmp_path: Path) -> None:
    before = [path.stat().st_mtime_ns for path in sorted(root.rglob("*"))]
    make_brats_phantoms(root, SMALL.n_cases, SMALL.seed, SMALL.size, SMALL.slices)
    assert [path.stat().st_mtime_ns for path in sorted(root.rglob("*"))] == before
    with pytest.raises(UserError, match="with other parameters"):
        make_brats_phantoms(root, 8)
    make_brats_phantoms(tmp_path / "own", 1, 0, 32, (4, 4))
    (tmp_path / "own/BraTS20_Training_001/BraTS20_Training_001_t2.nii.gz").unlink()
    with pytest.raises(UserError, match=r"_t2\.nii\.gz: is missing; delete the folder"):
        make_brats_phantoms(tmp_path / "own", 1, 0, 32, (4, 4))


def test_only_two_kinds_are_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--make_phantoms", str(tmp_path / "x"), "--data", "nifti"]) == 2
    assert capsys.readouterr().err == "error: --make_phantoms: draws patients with --data lgg or brats, not nifti\n"
