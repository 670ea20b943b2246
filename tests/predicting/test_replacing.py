"""What `--predict` replaces and what it never does: truths, inputs, what somebody else wrote or corrected."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from headtohead.options.files import FileOptions
from headtohead.predicting import folder as verb
from headtohead.predicting.results.journal import Journal
from headtohead.predicting.results.outputs import Outputs
from headtohead.predicting.stages import Work
from tests.predicting.scans import INSIDE, Predict, drawn, files_in, head, picture, summary_of


def test_nothing_is_replaced_unless_asked(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/b.nii")
    assert predict("--save_probability") == 0
    head(tmp_path / "in/a.nii", ~INSIDE)
    before = {name: (tmp_path / "out" / name).read_bytes() for name in files_in(tmp_path / "out")}
    assert predict("--save_probability") == 2
    assert (
        "a_mask.nii: already exists; choose another folder with --output, or add --overwrite" in capsys.readouterr().err
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
            "a_mask.nii: already exists and is not as --predict wrote it, so it may be a ground truth"
            in capsys.readouterr().err
        )
    assert truth.read_bytes() == content
    assert files_in(tmp_path / "in") == {"a.nii", "a_mask.nii"}
    assert predict("--mask_suffix", "_auto.nii", output="in") == 0
    assert truth.read_bytes() == content


class TestImagesUnderTheirOwnNames:
    """`--mask_suffix '' --outputs 0:.nii`: the extracted image is called as its input, in another folder."""

    FLAGS = ("--mask_suffix", "", "--outputs", "0:.nii")

    def test_in_another_folder(self, tmp_path: Path, predict: Predict) -> None:
        source = head(tmp_path / "in/deep/a.nii.gz")
        before = source.read_bytes()
        assert predict(*self.FLAGS) == 0
        assert files_in(tmp_path / "out") == {"deep/a.nii.gz", "predicted.sha256", "summary.csv"}
        assert source.read_bytes() == before != (tmp_path / "out/deep/a.nii.gz").read_bytes()
        assert predict(*self.FLAGS, "--overwrite") == 0

    def test_never_in_the_images_own(
        self, tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = head(tmp_path / "in/a.nii").read_bytes()
        (tmp_path / "link").symlink_to(tmp_path / "in")
        for output in ("in", "link"):
            assert predict(*self.FLAGS, "--overwrite", output=output) == 2
            assert "--outputs .nii: would replace the images themselves; name another" in capsys.readouterr().err
        assert predict(*self.FLAGS, "--overwrite", source="in/a.nii", output="in") == 2
        assert (tmp_path / "in/a.nii").read_bytes() == before and files_in(tmp_path / "in") == {"a.nii"}

    def test_never_over_an_image_of_the_same_name_elsewhere(
        self, tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
    ) -> None:
        head(tmp_path / "in/a.nii")
        mine = head(tmp_path / "out/a.nii", ~INSIDE)
        before = mine.read_bytes()
        assert predict(*self.FLAGS, "--overwrite") == 2
        assert "so it may be an image of yours, which is never overwritten" in capsys.readouterr().err
        assert mine.read_bytes() == before


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
    assert "may be a ground truth" in capsys.readouterr().err
    assert predict("--mask_suffix", "_third.nii", output="in") == 0
    assert summary_of(tmp_path / "in")["a"]["dice"] != ""


def test_only_results_in_the_folder(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    assert predict("--outputs", "0.2:_brain.nii") == 0
    assert predict("--mask_suffix", "_again.nii", source="out") == 2
    assert "it holds only results of --predict; give other images, or copy these" in capsys.readouterr().err
    assert predict("--mask_suffix", "_again.nii", "--pattern", "*_brain.nii", source="out") == 2
    assert predict("--mask_suffix", "_again.nii", source="out/a_brain.nii") == 2
    assert "it holds only results of --predict" in capsys.readouterr().err
    (tmp_path / "copied").mkdir()
    shutil.copy(tmp_path / "out/a_brain.nii", tmp_path / "copied")
    assert predict(source="copied", output="again") == 0


def test_an_input_is_never_replaced(tmp_path: Path, brightness: Any) -> None:
    # No end of ours can name an input that was found, so the jobs are made by hand.
    from headtohead.predicting.files.finding import Job

    first, second = head(tmp_path / "a.nii"), head(tmp_path / "a_mask.nii")
    jobs = [Job(path.stem, (path,), "nifti", (), Path(path.name)) for path in (first, second)]
    content = second.read_bytes()
    with Journal(tmp_path, {"model": ""}) as journal:
        work = Work(jobs, brightness(), Outputs("_mask.nii"), FileOptions(), journal)
        rows = verb.predict_left(work, tmp_path, overwrite=True, debug=False)
    assert [row.file for row in rows if row.error] == ["a"]
    assert second.read_bytes() == content
    assert (tmp_path / "a_mask_mask.nii").is_file()


def test_copied_results_are_not_taken_for_ours(tmp_path: Path, predict: Predict) -> None:
    # The list of what was written counts only where it lies: a mask copied elsewhere may be a ground truth there.
    head(tmp_path / "in/a.nii")
    assert predict() == 0
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "out/a_mask.nii", tmp_path / "other")
    assert predict("--overwrite", output="other") == 2


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
    assert "a_t1w.nii: already exists among the inputs and is not as --predict wrote it" in capsys.readouterr().err
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
