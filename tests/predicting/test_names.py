"""What a file's name says wins, as a user of `--predict` sees it: refusals, notes, totals, summary.csv."""

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.predicting.results.journal import FILE as JOURNAL
from tests.predicting.scans import INSIDE, OURS, drawn, files_in, head, summary_of

Predict = Callable[..., int]


def test_other_sequences_are_refused_and_counted_apart(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x_t1_bet", "x_t1c_bet", "x_t2_bet", "y_T2w", "p_flair", "p_t2", "lone"):
        head(tmp_path / f"in/{name}.nii.gz")
    drawn(tmp_path / "in/somebody.nii.gz")
    assert predict() == 1
    said = capsys.readouterr()
    assert files_in(tmp_path / "out") - OURS - {JOURNAL} == {"p_flair_mask.nii.gz", "lone_mask.nii.gz"}
    errors = said.err.splitlines()
    assert len(errors) == 4
    assert errors[0].startswith("error: somebody: its values (0, 1) are those of a mask or label map, not of a scan")
    assert errors[1].startswith(
        "error: x_t1_bet: no FLAIR among the files of this case, x_t1_bet.nii.gz (T1), x_t1c_bet.nii.gz (T1+contrast), "
        "x_t2_bet.nii.gz (T2), but the model needs FLAIR"
    )
    assert errors[2].startswith("error: y_T2w: named as T2, but the model needs FLAIR")
    assert errors[3].startswith("error: 3 of 5 files could not be predicted")
    lines = said.out.splitlines()
    assert "p_flair: note: not used: p_t2.nii.gz" in lines
    assert "lone: note: its name does not say which sequence it is: taken as FLAIR" in lines
    [total] = [line for line in lines if line.startswith("2 of 5 predicted")]
    assert total.split()[5] == f"{2 * INSIDE.sum():,}"
    rows = summary_of(tmp_path / "out")
    assert {name for name, row in rows.items() if row["error"]} == {"somebody", "x_t1_bet", "y_T2w"}
    assert rows["p_flair"]["notes"] == "not used: p_t2.nii.gz" and rows["y_T2w"]["notes"] == ""
    assert predict("--pattern", "y_*", "--channels", "flair=0", output="told") == 0  # who says so is believed


def test_channels_of_nnunet_give_one_mask_a_patient(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in ("a", "b"):
        for number in range(4):
            head(tmp_path / f"in/{case}_{number:04d}.nii.gz", INSIDE if number == 2 else ~INSIDE)
    assert predict() == 1
    assert "error: 2 of 2 files could not be predicted" in capsys.readouterr().err
    assert predict("--channels", "flair=2,t1=0") == 0
    assert files_in(tmp_path / "out") - OURS == {"a_mask.nii.gz", "b_mask.nii.gz"}
    found = np.asarray(nibabel.load(tmp_path / "out/a_mask.nii.gz").dataobj)
    np.testing.assert_array_equal(found, INSIDE)
    (tmp_path / "in/dataset.json").write_text('{"channel_names": {"0": "T1", "1": "T2", "2": "FLAIR", "3": "T1Gd"}}')
    assert predict(output="described") == 0
    assert "a: note: not used: a_0001.nii.gz" in capsys.readouterr().out


def test_resampled_sequences_are_told(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/p_flair.nii.gz")
    head(tmp_path / "in/p_t1.nii.gz", INSIDE[::2, ::2, ::2], (2, 2, 8))
    note = "T1 was resampled onto the grid of p_flair.nii.gz"
    for source in ("in", "in/p_flair.nii.gz"):
        assert predict("--overwrite", source=source) == 0
        assert f"p_flair: note: {note}" in capsys.readouterr().out
        assert summary_of(tmp_path / "out")["p_flair"]["notes"].startswith(note)


@pytest.mark.parametrize("name", ["FLAIR", "MRI", "CT"])
def test_a_lone_channel_of_nnunet_is_a_case(tmp_path: Path, predict: Predict, name: str) -> None:
    head(tmp_path / "in/imagesTs/a_0000.nii.gz")
    (tmp_path / "in/dataset.json").write_text(f'{{"channel_names": {{"0": "{name}"}}}}')
    assert predict("--mask_suffix", ".nii.gz") == (1 if name == "CT" else 0)
    assert name == "CT" or files_in(tmp_path / "out") - OURS == {"imagesTs/a.nii.gz"}


def test_masks_of_nnunet_may_have_the_names_of_their_cases(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    """As nnU-Net's own evaluation expects them; nowhere else, where a mask would pass for an image."""
    for number in range(2):
        head(tmp_path / f"in/a_{number:04d}.nii.gz")
    flags = ("--channels", "flair=1,t1=0", "--mask_suffix", ".nii.gz")
    assert predict(*flags) == 0
    assert files_in(tmp_path / "out") - OURS == {"a.nii.gz"}
    capsys.readouterr()
    assert predict(*flags, output="in") == 2
    assert "--mask_suffix .nii.gz: masks would pass for images; name another folder" in capsys.readouterr().err
    head(tmp_path / "in/b_flair.nii.gz")
    assert predict(*flags, output="other") == 2
    assert "would give the mask of b_flair the name of its image; only channels of nnU-Net" in capsys.readouterr().err
