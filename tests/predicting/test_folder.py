"""`--predict` as a user gives it: which files, what is in them, and what is never touched."""

import csv
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest
from PIL import Image

from headtohead.cli import main
from headtohead.errors import UserError
from headtohead.options import from_flat
from headtohead.predicting import folder as verb
from headtohead.predicting.choosing import Choice
from headtohead.predicting.cleaning.postprocessing import parse_steps
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import Source

Predict = Callable[..., int]
OURS = {"summary.csv", "predicted.sha256"}
FETAL = ["--mask_suffix", "_mask.nii", "--outputs", "0.0:_brain.nii,0.2:_overlay02.nii"]
SHAPE = (20, 24, 6)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[5:12, 6:15, 2:5] = True


def head(path: Path, inside: np.ndarray = INSIDE, zooms: tuple[float, ...] = (1, 1, 4), dtype: Any = np.int16) -> Path:
    """Write a volume that is bright where `inside`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.where(inside, 1000, 100).astype(dtype)
    values[0, 0, 0] = 0
    nibabel.save(nibabel.Nifti1Image(values, np.diag([*zooms, 1.0]), dtype=dtype), path)
    return path


def drawn(path: Path, inside: np.ndarray = INSIDE) -> Path:
    """Write a mask as a person would have drawn it."""
    if path.suffix == ".png":
        assert cv2.imwrite(str(path), inside[:, :, 3].astype(np.uint8) * 255)
    else:
        nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), np.diag([1.0, 1, 4, 1])), path)
    return path


def picture(path: Path, inside: np.ndarray = INSIDE[:, :, 3]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.where(inside, 250, 20).astype(np.uint8))
    return path


def case_of_slices(folder: Path, slices: int = 3) -> Path:
    for number in range(1, slices + 1):
        picture(folder / f"{folder.name}_{number}.tif")
    return folder


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def summary_of(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "summary.csv").open(newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_the_command_of_the_fetal_masking_system(tmp_path: Path, predict: Predict) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/sub/deep/b.nii")
    head(tmp_path / "in/sub/c.nii.gz")
    assert predict("--pattern", "**/*.nii", *FETAL) == 0
    assert files_in(tmp_path / "out") - OURS == {
        f"{stem}{end}.nii" for stem in ("a", "sub/deep/b") for end in ("_mask", "_brain", "_overlay02")
    }
    assert predict(*FETAL, output="all") == 0  # without its pattern, .nii.gz too, which it missed
    assert {f"sub/c{end}.nii.gz" for end in ("_mask", "_brain", "_overlay02")} <= files_in(tmp_path / "all")
    assert predict("--mask_suffix", "", "--outputs", "0.0:_brain.nii", output="brains") == 0
    assert files_in(tmp_path / "brains") - OURS == {"a_brain.nii", "sub/deep/b_brain.nii", "sub/c_brain.nii.gz"}


def test_what_is_in_the_files(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    source = head(tmp_path / "in/a.nii.gz")
    drawn(tmp_path / "in/a_mask.nii.gz")
    flags = [*FETAL, "--save_probability", "--save_uncertainty", "--preview"]
    assert predict(*flags) == 0
    out = tmp_path / "out"
    image = nibabel.load(source)
    mask = nibabel.load(out / "a_mask.nii.gz")
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert mask.header.get_zooms() == image.header.get_zooms()
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(mask.dataobj), INSIDE)
    brain = np.asarray(nibabel.load(out / "a_brain.nii.gz").dataobj)
    np.testing.assert_array_equal(brain, np.asarray(image.dataobj) * INSIDE)
    assert brain.dtype == np.int16
    probability = nibabel.load(out / "a_probability.nii.gz")
    assert probability.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asarray(probability.dataobj) >= 0.5, INSIDE)
    uncertainty = np.asarray(nibabel.load(out / "a_uncertainty.nii.gz").dataobj)
    assert uncertainty[INSIDE].max() < uncertainty[~INSIDE].max() <= 1
    assert cv2.imread(str(out / "a_preview.png")) is not None
    with Image.open(out / "a_preview.gif") as scroll:
        assert scroll.n_frames > 1
    row = summary_of(out)["a"]
    assert float(row["volume_ml"]) == pytest.approx(INSIDE.sum() * 4 / 1000)
    assert (row["voxels"], row["slices"], row["slices_with_lesion"], row["lesions"]) == (
        str(INSIDE.sum()),
        "6",
        "3",
        "1",
    )
    assert (float(row["dice"]), row["threshold"], row["model"], row["error"]) == (1.0, "0.5", "brightness", "")
    assert "no pre and no post: FLAIR is shown instead" in row["warnings"]
    said = capsys.readouterr().out
    assert re.search(r"^a: 0\.76 ml, 3 of 6 slices, 1 lesion, Dice 1\.000, \d+\.\d\d s$", said, re.MULTILINE)
    assert "a: warning: no pre" in said
    assert said.splitlines()[-1] == f"results: {out}"


def test_pictures_and_folders_of_slices(tmp_path: Path, predict: Predict) -> None:
    picture(tmp_path / "in/one.jpg")
    picture(tmp_path / "in/two.png")
    case_of_slices(tmp_path / "in/site/case")
    assert predict("--save_probability", "--preview", "--outputs", "0:_cut.nii") == 0
    out = tmp_path / "out"
    slices = {f"site/case/case_{n}{end}" for n in (1, 2, 3) for end in ("_mask.tif", "_probability.png", "_cut.tif")}
    lone = {f"{stem}{end}.png" for stem in ("one", "two") for end in ("_mask", "_probability", "_preview", "_cut")}
    lone |= {"one_preview.gif", "two_preview.gif", "site/case/case_preview.gif"}
    assert files_in(out) - OURS == slices | lone | {"site/case/case_preview.png"}
    for name in ("two_mask.png", "site/case/case_2_mask.tif"):
        np.testing.assert_array_equal(cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED), INSIDE[:, :, 3] * 255)
    probability = cv2.imread(str(out / "two_probability.png"), cv2.IMREAD_UNCHANGED)
    assert probability.dtype == np.uint16
    cut = cv2.imread(str(out / "site/case/case_3_cut.tif"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cut, INSIDE[:, :, 3] * 250)
    rows = summary_of(out)
    assert rows["two"]["volume_ml"] == "" and rows["two"]["voxels"] == str(INSIDE[:, :, 3].sum())
    assert rows["site/case"]["slices"] == "3"


def test_one_file(tmp_path: Path, predict: Predict) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/b.nii")
    assert predict(source="in/b.nii") == 0
    assert files_in(tmp_path / "out") - OURS == {"b_mask.nii"}


def test_clean_up_threshold_and_ensemble(tmp_path: Path, predict: Predict, brightness: Any) -> None:
    two = INSIDE.copy()
    two[16, 20, 0] = True
    head(tmp_path / "in/a.nii", two)
    models = brightness(members=2, threshold=0.05, steps=parse_steps("largest,dilate=1px"))
    assert predict("--save_uncertainty", "variance", predictor=models) == 0
    rows = summary_of(tmp_path / "out")
    assert rows["a"]["steps"] == "largest,dilate=1px"
    assert rows["a"]["threshold"] == "0.05"
    assert int(rows["a"]["voxels"]) > two.sum()
    variance = np.asarray(nibabel.load(tmp_path / "out/a_uncertainty.nii").dataobj)
    assert variance.max() == pytest.approx(0.1, rel=0.01)


def test_a_turned_copy_gets_the_same_mask_on_its_own_grid(tmp_path: Path, predict: Predict, brightness: Any) -> None:
    ragged = INSIDE & (np.random.default_rng(0).random(SHAPE) > 0.3)
    image = nibabel.load(head(tmp_path / "in/a.nii", ragged))
    turned = image.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    nibabel.save(turned, tmp_path / "in/turned.nii")
    models = brightness(steps=parse_steps("close=2cube,dilate=2mm,min_size=5vox"))
    assert predict("--outputs", "0:_cut.nii", predictor=models) == 0
    for end in ("mask", "cut"):
        plain, other = (nibabel.load(tmp_path / f"out/{stem}_{end}.nii") for stem in ("a", "turned"))
        again = other.as_reoriented(
            nibabel.orientations.ornt_transform(
                nibabel.io_orientation(other.affine), nibabel.io_orientation(plain.affine)
            )
        )
        np.testing.assert_array_equal(np.asarray(again.dataobj), np.asarray(plain.dataobj))
        np.testing.assert_array_equal(other.affine, turned.affine)


def test_nothing_is_replaced_unless_asked(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/b.nii")
    assert predict("--save_probability") == 0
    head(tmp_path / "in/a.nii", ~INSIDE)
    before = {name: (tmp_path / "out" / name).read_bytes() for name in files_in(tmp_path / "out")}
    assert predict("--save_probability") == 2
    assert (
        "a_mask.nii: there already; choose another folder with --output, or --overwrite it" in capsys.readouterr().err
    )
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files_in(tmp_path / "out")} == before
    assert predict("--save_probability", "--overwrite") == 0
    after = np.asarray(nibabel.load(tmp_path / "out/a_mask.nii").dataobj)
    np.testing.assert_array_equal(after[1:], ~INSIDE[1:])


def test_a_new_file_joins_earlier_results(tmp_path: Path, predict: Predict) -> None:
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    head(tmp_path / "in/b.nii")
    assert predict("--pattern", "b*") == 0
    assert set(summary_of(tmp_path / "out")) == {"a", "b"}


def test_a_truth_is_never_replaced(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    truth = drawn(tmp_path / "in/a_mask.nii")
    content = truth.read_bytes()
    for flags in ([], ["--overwrite"]):
        assert predict(*flags, output="in") == 2
        assert (
            "a_mask.nii: there already and not as --predict wrote it, so it may be a truth" in capsys.readouterr().err
        )
    assert truth.read_bytes() == content
    assert files_in(tmp_path / "in") == {"a.nii", "a_mask.nii"}
    assert predict("--mask_suffix", "_auto.nii", output="in") == 0
    assert truth.read_bytes() == content


@pytest.mark.parametrize("make", [lambda folder: head(folder / "a.nii.gz"), lambda folder: picture(folder / "a.png")])
def test_the_inputs_own_folder(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path / "in")
    original = source.read_bytes()
    flags = ["--outputs", "0:_brain.nii", "--save_probability", "--preview"]
    assert predict(*flags, output="in") == 0
    there = files_in(tmp_path / "in")
    assert predict(*flags, "--overwrite", output="in") == 0
    # What was predicted is no input, also where its end is not named again, and no truth.
    assert predict("--mask_suffix", "_other.nii", output="in") == 0
    assert files_in(tmp_path / "in") == there | {f"a_other{'.png' if source.suffix == '.png' else '.nii.gz'}"}
    rows = summary_of(tmp_path / "in")
    assert set(rows) == {"a"} and rows["a"]["dice"] == ""
    assert source.read_bytes() == original
    # Once somebody corrects a prediction it is theirs: a truth, and not to be replaced.
    mask = next((tmp_path / "in").glob("a_mask*"))
    drawn(mask, np.roll(INSIDE, 1, axis=0))
    capsys.readouterr()
    assert predict(*flags, "--overwrite", output="in") == 2
    assert "may be a truth" in capsys.readouterr().err
    assert predict("--mask_suffix", "_third.nii", output="in") == 0
    assert summary_of(tmp_path / "in")["a"]["dice"] != ""


def test_only_results_in_the_folder(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    assert predict("--outputs", "0:_brain.nii") == 0
    assert predict("--mask_suffix", "_again.nii", source="out") == 2
    assert "only results of --predict there; name other images, or copy these" in capsys.readouterr().err
    assert predict("--mask_suffix", "_again.nii", "--pattern", "*_brain.nii", source="out") == 2
    assert predict("--mask_suffix", "_again.nii", source="out/a_brain.nii") == 2
    assert "only results of --predict there" in capsys.readouterr().err
    (tmp_path / "copied").mkdir()
    shutil.copy(tmp_path / "out/a_brain.nii", tmp_path / "copied")
    assert predict(source="copied", output="again") == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--outputs", "2:_x.nii"], "--outputs 2:_x.nii"),
        (["--mask_suffix", "a/b"], "--mask_suffix"),
        (["--channels", "t9=0"], "--channels t9"),
        (["--pattern", "*.png"], "--pattern"),
        (["--save_uncertainty", "variance"], "one model has none; average several"),
        (["--output", ""], "--predict: nowhere to write to; name a folder with --output"),
    ],
)
def test_refused_before_anything_is_written(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    head(tmp_path / "in/a.nii")
    assert predict(*flags) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_places_that_cannot_be_written(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert predict() == 2
    assert "in: no such file or folder" in capsys.readouterr().err
    head(tmp_path / "in/a.nii")
    (tmp_path / "file").touch()
    assert predict(output="file") == 2
    assert "file: not a folder" in capsys.readouterr().err
    assert predict(output="file/below") == 2
    assert "file/below: cannot be made" in capsys.readouterr().err
    (tmp_path / "out/a_probability.nii").mkdir(parents=True)
    assert predict("--save_probability", "--overwrite") == 2
    assert "a folder stands where a file is to be written" in capsys.readouterr().err
    (tmp_path / "out/summary.csv").write_text("mine\n")
    assert predict() == 2
    assert "summary.csv: not written by --predict" in capsys.readouterr().err


def test_two_files_for_one_name(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/a.nii.gz")
    picture(tmp_path / "in/b.jpg")
    picture(tmp_path / "in/b.png", ~INSIDE[:, :, 3])
    assert predict() == 1
    error = capsys.readouterr().err.splitlines()
    assert error == [
        "error: b.png: its b_mask.png would be that of b.jpg too; rename one of them, or use --pattern",
        f"error: 1 of 4 could not be predicted, each named above and in {tmp_path / 'out' / 'summary.csv'}",
    ]
    assert files_in(tmp_path / "out") - OURS == {"a_mask.nii", "a_mask.nii.gz", "b_mask.png"}


def test_a_fault_leaves_nothing_of_its_file(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "sub/b", "c"):
        head(tmp_path / f"in/{name}.nii")
    really = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target) == tmp_path / "out/sub/b_probability.nii":
            raise OSError(28, "No space left on device", str(target))
        return really(self, target)

    monkeypatch.setattr(Path, "replace", full)
    assert predict("--save_probability") == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith("error: sub/b: no space left on device") and error[0].endswith("predict the file again")
    assert files_in(tmp_path / "out") - OURS == {
        f"{name}_{kind}.nii" for name in "ac" for kind in ("mask", "probability")
    }
    assert summary_of(tmp_path / "out")["sub/b"]["error"].startswith("no space left")
    monkeypatch.setattr(cv2, "imwrite", lambda *_: False)
    assert predict("--preview", output="other") == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0] == "error: a: a_preview.png: cannot be written; choose another folder with --output"
    assert files_in(tmp_path / "other") == {"summary.csv"}
    assert summary_of(tmp_path / "out")["a"]["error"] == ""


@pytest.mark.parametrize("fails", [("open",), ("open", "replace")])
def test_a_list_that_cannot_be_written(
    tmp_path: Path,
    predict: Predict,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fails: tuple[str, ...],
) -> None:
    # Masks that are there are never called failed; what is not noted at once is noted at the end, or said.
    def fail(name: str) -> Any:
        really = getattr(Path, name)

        def full(self: Path, *rest: Any, **named: Any) -> Any:
            if "predicted.sha256" in (self.name, *(getattr(one, "name", "") for one in rest)) and rest[0] != "rb":
                raise OSError(28, "No space left on device", str(self))
            return really(self, *rest, **named)

        return full

    for name in "ab":
        head(tmp_path / f"in/{name}.nii")
    with monkeypatch.context() as patch:
        for name in fails:
            patch.setattr(Path, name, fail(name))
        status = predict()
    error = capsys.readouterr().err
    assert {name: row["error"] for name, row in summary_of(tmp_path / "out").items()} == {"a": "", "b": ""}
    assert {"a_mask.nii", "b_mask.nii"} <= files_in(tmp_path / "out")
    if "replace" in fails:
        assert status == 2 and "predicted.sha256: cannot be written (No space left on device); the masks are" in error
        assert len(error.splitlines()) == 1
    else:
        assert (status, error) == (0, "")
        assert predict("--overwrite") == 0


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (MemoryError(), "error: a: more memory is needed than there is"),
        (ZeroDivisionError("by\nzero"), "error: a: ZeroDivisionError: by zero; run again with --debug"),
        (UserError("mend it"), "error: a: mend it"),
        (OSError("odd"), "error: a: oserror; mend this"),
    ],
)
def test_faults_in_one_line(
    tmp_path: Path,
    predict: Predict,
    brightness: Any,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
    line: str,
) -> None:
    class Broken(brightness):  # type: ignore[misc]
        def __call__(self, scan: Any, /) -> Any:
            raise fault

    head(tmp_path / "in/a.nii")
    assert predict(predictor=Broken()) == 1
    error = capsys.readouterr().err
    assert error.startswith(line) and len(error.splitlines()) == 2
    assert predict("--debug", predictor=Broken()) == 1
    assert "Traceback" in capsys.readouterr().err
    assert files_in(tmp_path / "out") == {"summary.csv"}


def test_an_interrupt_keeps_what_is_done(tmp_path: Path, predict: Predict, brightness: Any) -> None:
    class Stopped(brightness):  # type: ignore[misc]
        def __call__(self, scan: Any, /) -> Any:
            if scan.name == "d":
                raise KeyboardInterrupt
            time.sleep(0.05)
            return super().__call__(scan)

    for name in "abcd":
        head(tmp_path / f"in/{name}.nii")
    assert predict(predictor=Stopped()) == 130
    assert "a" in summary_of(tmp_path / "out")
    assert not [name for name in files_in(tmp_path / "out") if "writing" in name]
    assert predict("--overwrite") == 0


def test_progress_bar_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, predict: Predict
) -> None:
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with verb.progress(3) as advance:
        advance()
        advance()
    assert "2/3" in capsys.readouterr().out


def test_an_input_is_never_replaced(tmp_path: Path, brightness: Any) -> None:
    # No end of ours can name an input that was found, so the jobs are made by hand.
    from headtohead.predicting.files.finding import Job

    first, second = head(tmp_path / "a.nii"), head(tmp_path / "a_mask.nii")
    jobs = [Job(path.stem, (path,), "nifti", (), Path(path.name)) for path in (first, second)]
    content = second.read_bytes()
    with pytest.raises(UserError, match="1 of 2 could not"):
        verb.predict_jobs(jobs, brightness(), from_flat({"output": str(tmp_path), "overwrite": True}))
    assert second.read_bytes() == content
    assert (tmp_path / "a_mask_mask.nii").is_file()


def test_copied_results_are_not_taken_for_ours(tmp_path: Path, predict: Predict) -> None:
    # The list of what was written counts only where it lies: a mask that was copied elsewhere may be a truth there.
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "out/a_mask.nii", tmp_path / "other")
    assert predict("--overwrite", output="other") == 2


def test_trained_models_average(
    tmp_path: Path, make_run: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("buda-none-s0-f0", "pair", onnx=True)
    make_run("buda-none-s1-f0", "pair", seed=1, onnx=True)
    head(tmp_path / "in/a.nii.gz")
    case_of_slices(tmp_path / "in/case")
    words = ["--predict", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--runs_dir", str(tmp_path / "runs")]
    words += ["--comparison", "pair", "--ensemble", "--save_uncertainty", "variance", "--save_probability"]
    assert main([*words, "--gpus", "cpu"]) == 0
    variance = np.asarray(nibabel.load(tmp_path / "out/a_uncertainty.nii.gz").dataobj)
    assert variance.shape == SHAPE and variance.max() > 0
    assert summary_of(tmp_path / "out")["case"]["model"] == "pair/buda-none-s0-f0 + pair/buda-none-s1-f0"
    said = capsys.readouterr().out
    models = [f"model pair/buda-none-s{seed}-f0 (one of 2 of the comparison)" for seed in (0, 1)]
    assert said.splitlines()[:2] == models


@pytest.mark.parametrize("source", ["in/site", "in/site/a.nii.gz"])
def test_an_earlier_prediction_is_no_truth_and_no_input_wherever_its_list_lies(
    tmp_path: Path, predict: Predict, source: str
) -> None:
    head(tmp_path / "in/site/a.nii.gz")
    assert predict("--outputs", "0.0:_brain.nii", output="in") == 0
    assert predict(source=source, output="other") == 0
    rows = summary_of(tmp_path / "other")
    assert list(rows) == ["a"] and rows["a"]["dice"] == ""
    drawn(tmp_path / "in/site/a_mask.nii.gz", np.roll(INSIDE, 1, axis=0))  # corrected: now it is a truth
    assert predict("--overwrite", source=source, output="other") == 0
    assert float(summary_of(tmp_path / "other")["a"]["dice"]) < 1


def test_the_mask_of_this_command_is_no_truth(tmp_path: Path, predict: Predict) -> None:
    # a_mask.nii.gz would be the truth of a.nii as well, and may be there before a.nii is read.
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/a.nii.gz")
    for flags in ([], ["--overwrite"]):
        assert predict(*flags, output="in") == 0
        assert {row["dice"] for row in summary_of(tmp_path / "in").values()} == {""}


def test_what_lies_among_the_inputs_is_replaced_only_if_it_is_ours(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    head(tmp_path / "in/a.nii")
    theirs = head(tmp_path / "in/a_t1w.nii", ~INSIDE)
    content = theirs.read_bytes()
    flags = ["--outputs", "0.0:_t1w.nii", "--overwrite"]
    assert predict(*flags, output="in") == 2
    assert "a_t1w.nii: there already among the inputs and not as --predict wrote it" in capsys.readouterr().err
    assert theirs.read_bytes() == content and files_in(tmp_path / "in") == {"a.nii", "a_t1w.nii"}
    below = tmp_path / "in/results/a_probability.nii"
    below.parent.mkdir()
    below.write_bytes(b"theirs")
    assert predict("--save_probability", "--overwrite", "--pattern", "a.nii", output="in/results") == 2
    assert below.read_bytes() == b"theirs"
    theirs.unlink()
    assert predict(*flags, output="in") == 0
    assert predict(*flags, output="in") == 0  # ours, and unchanged
    shutil.copytree(tmp_path / "in/results", tmp_path / "elsewhere")
    assert predict("--save_probability", "--overwrite", source="in/a.nii", output="elsewhere") == 0
    assert (tmp_path / "elsewhere/a_probability.nii").read_bytes() != b"theirs"


def test_warnings_stay_whole(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headtohead.predicting.trust.familiarity.strangeness", lambda *_: ["dark; very", "odd"])
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    said = capsys.readouterr().out.splitlines()
    assert "a: warning: dark; very" in said and "a: warning: odd" in said
    assert summary_of(tmp_path / "out")["a"]["warnings"].endswith("; dark; very; odd")


def test_a_pattern_chooses_cases(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a_flair", "a_t1", "a_t1ce", "b_t1"):
        head(tmp_path / f"in/s/{name}.nii.gz")
    assert predict("--pattern", "**/*_flair.nii.gz") == 0
    assert "no pre" not in capsys.readouterr().out
    assert files_in(tmp_path / "out") - OURS == {"s/a_flair_mask.nii.gz"}
    assert predict("--pattern", "**/*_flair.nii.gz", "--channels", "t1=0,flair=1", output="other") == 2
    assert "--channels t1=0,flair=1: tells the volumes of one NIfTI file apart" in capsys.readouterr().err


def test_a_case_that_the_model_has_seen(
    tmp_path: Path, predict: Predict, brightness: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two", "three"):
        case_of_slices(tmp_path / "in" / name)
        for number in (1, 2, 3):
            mask = np.roll(INSIDE[:, :, 3], 5 if name == "three" else 0, axis=0)
            assert cv2.imwrite(str(tmp_path / f"in/{name}/{name}_{number}_mask.tif"), mask.astype(np.uint8) * 255)
    facts = ModelFacts("m", "buda", 4, 5, {"image_size": 32}, data={"parts": {"train": ["one"], "val": ["two"]}})
    models = brightness(facts=facts, choices=(Choice(Source(facts), "the only one"),))
    assert predict(predictor=models) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "model m (the only one)"
    assert "one: warning: the model was trained on this case" in said
    assert "two: warning: the model was chosen by validation on this case" in said
    rows = summary_of(tmp_path / "out")
    assert {name: row["seen"] for name, row in rows.items()} == {"one": "train", "two": "val", "three": ""}
    assert rows["one"]["dice"] == "1"
    last = next(line for line in said if line.startswith("all 3"))
    assert last.startswith("all 3, mean Dice of 1 unseen") and f"{float(rows['three']['dice']):.3f}" in last


def test_a_scan_that_lies_askew(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]]
    (tmp_path / "in").mkdir()
    nibabel.save(nibabel.Nifti1Image(INSIDE.astype(np.int16), turn), tmp_path / "in/a.nii")
    assert predict() == 0
    warning = "a: warning: the scan is tilted by 23 degrees against the axial plane and was levelled; if the head is"
    assert warning in capsys.readouterr().out
    assert predict("--plane", "acquired", output="other") == 0
    assert "tilted" not in capsys.readouterr().out
