"""A cohort of several sequences and targets: label maps on disk, targets encoded from them."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from headtohead.cohort import listing, open_cohort
from headtohead.errors import UserError
from headtohead.preparing.intensities import EIGHT
from headtohead.readers.reader import CaseFiles, Reader
from headtohead.task import Case, Grid, Target, Targets, Task

REGIONS = Targets((Target("whole", (1, 2, 300)), Target("core", (1, 300)), Target("enhancing", (300,))), others=(7,))
AFFINE = np.diag([-1.0, 1.0, 3.0, 1.0])


def case_of(files: CaseFiles) -> Case:
    """Noise on a grid of five thick axial slices, with boxes that lie within each other."""
    rng = np.random.default_rng(int(files.name))
    labels = np.zeros((8, 9, 5), np.uint16)
    labels[1:7, 1:7, 1:4], labels[2:5, 2:5, 2:4], labels[3, 3, 3], labels[0, 0, 0] = 2, 1, 300, 7
    images = rng.uniform(1, 4000, (*labels.shape, 2)).astype(np.float32)
    return Case(files.name, images, Grid((8, 9, 5), AFFINE), labels, ("t1",) if files.name == "2" else ())


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """A reader of two cases that are made of nothing."""
    files = tmp_path / "data" / "x"
    files.parent.mkdir()
    files.write_text("x")
    made = SimpleNamespace(task=Task("regions", ("t1", "t2"), "t2", REGIONS, {"t1": "t2"}), read=case_of, depth=EIGHT)

    def row(data: str) -> Reader:
        return Reader(
            reading="made up",
            recognises=lambda root: False,
            list_cases=lambda root, reading: [CaseFiles(name, name, "", (files,), ()) for name in "12"],
            task=lambda root, reading, cases: made.task,
            read_case=lambda files, task: made.read(files),
            depth=made.depth,
        )

    monkeypatch.setattr(listing, "find_reader", row)
    return made


def test_labels_are_kept_and_targets_encoded(reader: SimpleNamespace, tmp_path: Path) -> None:
    cohort = open_cohort(tmp_path / "data", tmp_path / "packed", "made")
    case = case_of(CaseFiles("1", "1", "", (), ()))
    assert case.labels is not None
    expected = case.labels.transpose(2, 1, 0)[:, ::-1]
    assert (cohort.labels(0).dtype, cohort.images(0).dtype) == (np.uint16, np.uint8)
    np.testing.assert_array_equal(cohort.labels(0), expected)
    np.testing.assert_array_equal(cohort.truth(0), [expected % 7 > 0, np.isin(expected, (1, 300)), expected == 300])
    np.testing.assert_array_equal(cohort.masks(0), expected % 7 > 0)
    assert cohort.images(0).shape == (5, 9, 8, 2) and cohort.statistics("inner").shape == (2, 2, 2)
    np.testing.assert_array_equal(cohort.primary(1), cohort.images(1)[..., 1])
    assert cohort.table["missing"].tolist() == ["", "t1"]
    assert cohort.table["lesion_voxels"].tolist() == [108, 108]
    assert cohort.table["lesion_slices"].tolist() == [3, 3]
    assert cohort.has_lesion().tolist() == [False, True, True, True, False] * 2


def test_labels_need_two_bytes_only_where_a_target_has_such_a_label(reader: SimpleNamespace, tmp_path: Path) -> None:
    reader.task = Task("one", ("t1", "t2"), "t2", Targets((Target("whole", (1, 2)),), others=(7, 44)))
    with pytest.raises(UserError, match=r"x: holds 300, which is no label of a target; they have 1, 2, 7, 44; name"):
        open_cohort(tmp_path / "data", tmp_path / "packed", "made")
    reader.read = lambda files: replace(case_of(files), labels=case_of(files).labels.clip(0, 44))
    assert open_cohort(tmp_path / "data", tmp_path / "packed", "made").labels(0).dtype == np.uint8


def test_a_reader_may_ask_for_sixteen_bits(reader: SimpleNamespace, tmp_path: Path) -> None:
    coarse = open_cohort(tmp_path / "data", tmp_path / "packed", "made")
    reader.depth = np.dtype(np.uint16)
    fine = open_cohort(tmp_path / "data", tmp_path / "fine", "made")
    assert fine.images(0).dtype == np.uint16 and coarse.images(0).dtype == fine.primary(0).dtype == np.uint8
    assert len(np.unique(fine.images(0))) > 500
    assert np.abs(fine.in_bytes(0).astype(int) - coarse.images(0)).max() <= 1
    np.testing.assert_array_equal(fine.primary(0), fine.in_bytes(0)[..., 1])
    np.testing.assert_allclose(fine.statistics("inner"), coarse.statistics("inner"), atol=1)
