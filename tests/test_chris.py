"""The masker as a ChRIS plugin, run on small volumes as ChRIS runs it: flags, then two directories."""

import builtins
import importlib
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

pytest.importorskip("chris_plugin")
from headtohead import chris
from headtohead.options.table import OPTIONS

AFFINE = np.diag([2.0, 2.0, 4.0, 1.0])


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("a.nii", "deep/b.nii.gz"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = rng.integers(20, 60, (24, 28, 6))
        values[8:16, 9:20, 1:5] += 100
        nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), AFFINE), path)
    return tmp_path / "in"


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["headtohead-chris", *words])
    chris.mask_directory()


def test_volumes_become_masks_and_further_outputs(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    called(monkeypatch, "--outputs", "0.0:_brain.nii,1.0:_same.nii", str(scans), str(out))
    for folder, stem, end in (("", "a", ".nii"), ("deep", "b", ".nii.gz")):
        scan = nibabel.load(scans / folder / f"{stem}{end}")
        mask, brain, same = (nibabel.load(out / folder / f"{stem}{what}{end}") for what in ("_mask", "_brain", "_same"))
        inside = np.asarray(mask.dataobj) != 0
        assert np.array_equal(mask.affine, AFFINE) and mask.shape == scan.shape
        assert np.array_equal(np.asarray(brain.dataobj), np.where(inside, np.asarray(scan.dataobj), 0))
        assert np.array_equal(np.asarray(same.dataobj), np.asarray(scan.dataobj))


def test_a_pattern_chooses_and_an_empty_suffix_writes_no_mask(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    called(monkeypatch, "--pattern", "**/*.nii", "--mask-suffix", "", "--outputs", "0.2:_dim.nii", str(scans), str(out))
    assert [path.name for path in out.rglob("*.nii*")] == ["a_dim.nii"]


def test_the_status_is_that_of_the_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(SystemExit) as ended:
        called(monkeypatch, str(tmp_path / "in"), str(tmp_path / "out"))
    assert ended.value.code == 2 and capsys.readouterr().err.startswith("error: ")


def test_a_model_may_lie_in_the_input_directory(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    options = Namespace(**dict.fromkeys(("pattern", "channels", "mask_suffix", "outputs"), ""), model_path="net")
    options.postprocessing, options.plane, options.channels = "largest", "axial", "flair=0"
    words = chris.words_of(options, tmp_path, tmp_path / "out")
    assert words[-6:] == ["--model_path", str(tmp_path / "net"), "--postprocessing", "largest", "--plane", "axial"]
    assert words[words.index("--channels") + 1] == "flair=0"
    options.model_path = "elsewhere"
    assert "elsewhere" in chris.words_of(options, tmp_path, tmp_path / "out")


def test_what_a_fault_of_the_input_names_can_be_given(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The input and the output themselves are the two directories."""
    (scans / "a.nii").rename(scans / "a_T2w.nii")
    with pytest.raises(SystemExit):
        called(monkeypatch, "--pattern", "a_T2w.nii", str(scans), str(tmp_path / "out"))
    assert "add --channels flair=0" in capsys.readouterr().err
    folder = Path(chris.__file__).parent / "predicting"
    files = [*folder.glob("files/*.py"), folder / "results" / "outputs.py"]
    named = {name for path in files for name in re.findall(r'"[^"]*`(\w+)`', path.read_text())}
    assert {"channels", "mask_suffix"} <= named & OPTIONS.keys()
    known = {flag.removeprefix("--") for action in chris.parser._actions for flag in action.option_strings}
    assert (named & OPTIONS.keys()) - known == {"predict", "image_path", "output"}


def test_without_the_package_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "chris_plugin":
            raise ModuleNotFoundError(name=name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(SystemExit) as ended:
        importlib.reload(chris)
    assert ended.value.code == 2 and "pip install 'headtohead[chris]'" in capsys.readouterr().err
