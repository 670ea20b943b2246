"""The recipes for contributors work on the code as it is."""

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from headtohead import __version__, readers
from headtohead.cohort import open_cohort
from headtohead.comparing.training import train
from headtohead.errors import UserError
from headtohead.options import data
from headtohead.options.declaring import description_of
from headtohead.options.table import OPTIONS, from_flat
from headtohead.readers.reader import recognise
from tests.as_the_page_says import python_blocks

AFFINE = [[0, 0, -1, 0], [0, -1, 0, 0], [4, 0, 0, 0], [0, 0, 0, 1]]
"""Slices to the head, rows to the back, columns to the left."""

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of docs/how-to/add-a-data-set.md, added as that page says."""
    module, row = python_blocks(ROOT / "docs/how-to/add-a-data-set.md")
    (tmp_path / "archives.py").write_text(module, encoding="utf-8")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    known = dict(data.DATA_SETS)
    exec(row, {"DATA_SETS": known})
    monkeypatch.setitem(data.DATA_SETS, "archives", known["archives"])
    monkeypatch.setitem(vars(description_of(OPTIONS["data"])), "choices", tuple(known))


@pytest.mark.usefixtures("archives")
def test_a_reader_added_as_the_page_says(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    rng = np.random.default_rng(0)
    for patient in range(4):
        labels = np.zeros((4, 32, 32), np.uint8)
        labels[1:3, 8:16, 8:20], labels[2, 10:14, 10:14] = 1, 2
        images = {name: rng.uniform(200, 500, labels.shape) + 400.0 * labels for name in ("t1", "flair")}
        np.savez(root / f"p{patient}.npz", labels=labels, affine=np.array(AFFINE), **images)
    assert recognise(root) == "archives"
    places = {"root_dir": str(root), "cache_dir": str(tmp_path / "packed"), "runs_dir": str(tmp_path / "runs")}
    small = {"model": "buda", "width": 4, "num_epochs": 1, "image_size": 32, "gpus": "cpu", "num_workers": 0}
    folder = train(from_flat({"data": "archives", **places, **small}))
    assert (folder / "checkpoints" / "best.ckpt").is_file()
    opened = open_cohort(root, tmp_path / "packed", "archives")
    assert list(opened.table["patient"]) == ["p0", "p1", "p2", "p3"]
    assert opened.spacing(0) == (4.0, 1.0, 1.0)
    assert opened.images(0).shape == (4, 32, 32, 2)
    assert opened.truth(0).sum(axis=(1, 2, 3)).tolist() == [2 * 8 * 12, 4 * 4]


HEADS = """
from pathlib import Path

from headtohead.readers.reader import CaseFiles, Reader
from headtohead.readers.volumes import read_volumes
from headtohead.task import Target, Targets, Task

TASK = Task("heads", ("pre", "flair", "t2"), "flair", Targets((Target("lesion", (1,)),)), stand_ins={"pre": "t2"})


def list_cases(root, reading):
    cases = []
    for folder in sorted(root.glob("head*")):
        there = tuple(one for one in TASK.sequences if (folder / f"{one}.nii").exists())
        images = tuple(folder / f"{one}.nii" for one in there)
        cases.append(CaseFiles(folder.name, folder.name, "", images, (folder / "mask.nii",), there))
    return cases


READER = Reader("heads 1", lambda root: any(root.glob("head*")), list_cases, lambda *_: TASK, read_volumes)
"""
"""A reader of volumes that may lack a sequence, as the page says of `stand_ins`."""


def test_a_reader_whose_cases_lack_a_sequence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Callable[..., Path]
) -> None:
    (tmp_path / "heads.py").write_text(HEADS, encoding="utf-8")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path)])
    monkeypatch.setitem(data.DATA_SETS, "heads", "heads")
    importlib.invalidate_caches()
    rng = np.random.default_rng(0)
    for name in ("head1/pre", "head1/flair", "head1/t2", "head2/flair", "head2/t2"):
        save(f"data/{name}.nii", rng.integers(1, 1000, (20, 20, 4), dtype=np.int16))
    for name in ("head1", "head2"):
        save(f"data/{name}/mask.nii", np.eye(20, dtype=np.uint8)[..., None].repeat(4, axis=2))
    opened = open_cohort(tmp_path / "data", tmp_path / "packed", "heads")
    assert list(opened.table["missing"]) == ["", "pre"]
    for case, alike in ((0, False), (1, True)):
        pre, flair, t2 = np.moveaxis(opened.images(case), -1, 0)
        assert np.array_equal(pre, t2) is alike and not np.array_equal(pre, flair)
    (tmp_path / "data/head2/t2.nii").unlink()
    with pytest.raises(UserError, match=r"flair\.nii: its case has no T2 \(FLAIR\); restore the file, or move"):
        open_cohort(tmp_path / "data", tmp_path / "packed", "heads")


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["version"] == __version__
