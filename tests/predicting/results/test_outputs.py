"""Names of what `--predict` writes, and what is refused as a name."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results.outputs import Outputs, name_of, read_outputs, without_extension

FETAL = "0.0:_brain.nii,0.2:_overlay02.nii"


def outputs(**changes: Any) -> Outputs:
    return read_outputs(from_flat(changes).files)


def job(*files: str, kind: Any = "nifti", relative: str = "") -> Job:
    paths = tuple(Path("in", file) for file in files)
    return Job(relative or without_extension(files[0]), paths, kind, (), Path(relative or files[0]))


def test_defaults() -> None:
    assert outputs() == Outputs("_mask.nii")
    assert outputs(mask_suffix="").suffixes == {}
    masked = {"_brain.nii": 0.0, "_overlay02.nii": 0.2}
    assert outputs(outputs=" 0.0:_brain.nii, 0.2:_overlay02.nii").masked == masked


@pytest.mark.parametrize(
    ("file", "suffix", "name"),
    [
        ("a.nii", "_mask.nii", "a_mask.nii"),
        ("a.nii.gz", "_mask.nii", "a_mask.nii.gz"),
        ("a.nii", "_mask.nii.gz", "a_mask.nii.gz"),
        ("a.NII.GZ", "_mask", "a_mask.nii.gz"),
        ("a.b.nii", "_v1.2", "a.b_v1.2.nii"),
        ("a.tif", "_mask.nii", "a_mask.tif"),
        ("a.tiff", "_mask.nii.gz", "a_mask.tiff"),
        ("a.png", "_mask.nii", "a_mask.png"),
        ("a.jpg", "_mask.nii", "a_mask.png"),
        ("a.JPEG", "_mask", "a_mask.png"),
        ("a.tif", "_mask.png", "a_mask.png"),
        ("a.nii", "_mask.png", "a_mask.nii"),
    ],
)
def test_extension_is_that_of_the_input(file: str, suffix: str, name: str) -> None:
    assert name_of(Path(file), suffix) == name


def test_maps_of_pictures_are_png_because_tiff_readers_differ() -> None:
    assert name_of(Path("a.tif"), "_probability", "probability") == "a_probability.png"
    assert name_of(Path("a.nii.gz"), "_probability", "probability") == "a_probability.nii.gz"


def test_a_volume_of_freesurfer_gets_files_of_its_own_kind() -> None:
    assert name_of(Path("a.mgz"), "_mask.nii") == "a_mask.mgz"
    assert name_of(Path("a_flair.MGH"), "_mask.nii.gz") == "a_flair_mask.mgh"
    assert name_of(Path("a.mgz"), "_probability", "probability") == "a_probability.mgz"


def test_folders_are_mirrored() -> None:
    wanted = outputs(outputs=FETAL, save_probability=True, save_uncertainty="entropy", preview=True)
    assert wanted.paths(job("sub/a.nii.gz"), Path("out")) == {
        "mask": (Path("out/sub/a_mask.nii.gz"),),
        "image_brain.nii": (Path("out/sub/a_brain.nii.gz"),),
        "image_overlay02.nii": (Path("out/sub/a_overlay02.nii.gz"),),
        "probability": (Path("out/sub/a_probability.nii.gz"),),
        "uncertainty": (Path("out/sub/a_uncertainty.nii.gz"),),
        "preview": (Path("out/sub/a_preview.png"),),
        "scroll": (Path("out/sub/a_preview.gif"),),
    }


def test_a_folder_of_slices_has_one_mask_a_slice_and_one_preview() -> None:
    case = job("x/c/c_1.tif", "x/c/c_2.tif", kind="folder", relative="x/c")
    paths = outputs(preview=True).paths(case, Path("out"))
    assert paths == {
        "mask": (Path("out/x/c/c_1_mask.tif"), Path("out/x/c/c_2_mask.tif")),
        "preview": (Path("out/x/c/c_preview.png"),),
        "scroll": (Path("out/x/c/c_preview.gif"),),
    }


def test_previews_of_files_that_differ_by_extension_alone() -> None:
    twins = [Job(name, (Path("in", name),), "nifti", (), Path(name)) for name in ("a.nii", "a.png")]
    assert [outputs(preview=True).paths(one, Path("out"))["preview"][0].name for one in twins] == [
        "a.nii_preview.png",
        "a.png_preview.png",
    ]


def test_a_group_of_sequences_is_named_after_its_first_file() -> None:
    group = job("p_flair.nii.gz", "p_t1.nii.gz")
    assert outputs().paths(group, Path("out")) == {"mask": (Path("out/p_flair_mask.nii.gz"),)}


def test_ends_hold_every_name_that_may_be_ours() -> None:
    assert outputs(mask_suffix="_m.nii", outputs="1:_copy.nii.gz").ends == (
        "_mask",
        "_probability",
        "_uncertainty",
        "_preview",
        "_m",
        "_copy",
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outputs": "0.5_brain.nii"}, "`outputs` 0.5_brain.nii: not MULT:SUFFIX"),
        ({"outputs": "x:_brain.nii"}, "not MULT:SUFFIX"),
        ({"outputs": "nan:_brain.nii"}, "MULT from 0 to 1"),
        ({"outputs": "1.5:_brain.nii"}, "MULT from 0 to 1"),
        ({"outputs": "-0.1:_brain.nii"}, "MULT from 0 to 1"),
        ({"outputs": "inf:_brain.nii"}, "MULT from 0 to 1"),
        ({"outputs": "0:_a.nii,"}, "not MULT:SUFFIX"),
        ({"outputs": "0:"}, "name of its image"),
        ({"outputs": "0:..nii"}, "name of its image"),
        ({"outputs": "0:../_a.nii"}, "cannot hold a slash"),
        ({"outputs": "0:_a\\b.nii"}, "cannot hold a slash"),
        ({"outputs": "0:_a\nb.nii"}, "cannot hold a slash"),
        ({"outputs": "0:_a.nii,1:_A.nii.gz"}, "`outputs` _A.nii.gz: another output"),
        ({"outputs": "0:_mask.nii"}, "another output"),
        ({"outputs": "0:_probability.nii", "save_probability": True}, "another output"),
        ({"mask_suffix": "_preview.png", "preview": True}, "`mask_suffix` _preview.png: another output"),
        ({"mask_suffix": "a/_mask.nii"}, "`mask_suffix` 'a/_mask.nii': .*cannot hold a slash"),
        ({"mask_suffix": ".."}, "name of its image"),
        ({"mask_suffix": "_0000.nii.gz"}, "`mask_suffix` _0000.nii.gz: names a channel of nnU-Net"),
        ({"mask_suffix": "_m_0001"}, "names a channel of nnU-Net"),
        ({"outputs": "0:_0002.nii"}, "`outputs` _0002.nii: names a channel of nnU-Net"),
        ({"mask_suffix": "_mask.jpg"}, ".jpg files are not written"),
        ({"mask_suffix": "_mask.mha"}, ".mha files are not written"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        outputs(**changes)


def test_a_name_that_is_not_taken_is_free() -> None:
    assert outputs(outputs="0:_mask.nii", mask_suffix="").suffixes == {"image_mask.nii": "_mask.nii"}
    assert outputs(outputs="0:_probability.nii").masked
