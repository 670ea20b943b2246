"""A folder given without `--data` is read as its layout says."""

from pathlib import Path

import pytest

from headtohead import cli
from headtohead.errors import UserError
from headtohead.parsing import parse
from headtohead.readers.reader import find_reader, recognise

LGG, BRATS = "TCGA_CS_0001_20000101", "BraTS20_Training_001"
LAYOUTS = {
    "lgg": (f"{LGG}/{LGG}_1.tif", f"{LGG}/{LGG}_1_mask.tif"),
    "nnunet": ("dataset.json", "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz"),
    "brats": (f"HGG/{BRATS}/{BRATS}_flair.nii", f"HGG/{BRATS}/{BRATS}_seg.nii"),
    "nifti": ("sub-01/anat/sub-01_FLAIR.nii.gz", "derivatives/sub-01/sub-01_label-lesion_mask.nii.gz"),
    "images": ("images/a.png", "masks/a.png"),
}


def lay_out(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


@pytest.mark.parametrize("data", LAYOUTS)
@pytest.mark.parametrize("above", [False, True])
def test_each_layout_is_known_also_from_above(tmp_path: Path, data: str, above: bool) -> None:
    lay_out(tmp_path / "data", *LAYOUTS[data])
    assert recognise(tmp_path if above else tmp_path / "data") == data


@pytest.mark.parametrize("files", [(), ("notes.txt",), ("a.nii.gz",), ("a.png", "b.png")])
def test_what_is_like_no_layout_is_not_guessed(tmp_path: Path, files: tuple[str, ...]) -> None:
    assert recognise(lay_out(tmp_path, *files)) == ""
    assert recognise(tmp_path / "nowhere") == ""


def test_the_line_says_as_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(lay_out(tmp_path, *LAYOUTS["brats"]))
    assert parse(["--train", "--root_dir", root]).data.data == "brats"
    assert capsys.readouterr().out == f"{root}: read as folders of BraTS cases (--data brats)\n"
    assert parse(["--train", "--root_dir", root, "--data", "nifti"]).data.data == "nifti"
    config = tmp_path / "one.yaml"
    config.write_text("data: lgg\n")
    assert parse(["--train", "--root_dir", root, "--config", str(config)]).data.data == "lgg"
    assert parse(["--report", "--root_dir", root]).data.data == "lgg", "a report asks the runs"
    assert parse(["--train", "--root_dir", str(lay_out(tmp_path / "l", *LAYOUTS["lgg"]))]).data.data == "lgg"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"mask_dir": "m", "labels": "a=1,2,4"}, "--data nifti"),
        ({"labels": "a=1,2,4"}, "--data (nnunet, brats, nifti, images)"),
        ({"mask_dir": "m", "bits": "16", "sequences": "t1"}, "--data nifti"),
    ],
)
def test_options_that_name_no_layout_ask_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str], mend: str
) -> None:
    argv = [word for name, value in options.items() for word in (f"--{name}", value)]
    root = lay_out(tmp_path / "i", "a.nii.gz")
    assert cli.main(["--explore", "--root_dir", str(root), *argv]) == 2
    line = f"error: --root_dir {root}: its layout is none that is known here; say how to read it with {mend}\n"
    assert capsys.readouterr().err == line
    assert cli.main(["--explore", "--root_dir", str(root / "none"), *argv]) == 2
    assert "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["table", "os", "../lgg", "lgg.READER", ""])
def test_a_kind_that_is_none_is_never_imported(kind: str) -> None:
    with pytest.raises(UserError, match="no such kind of data here; known are lgg, nnunet"):
        find_reader(kind)
