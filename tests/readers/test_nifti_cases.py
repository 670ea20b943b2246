"""Which NIfTI files make a case: an image and its mask, by their names and folders."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.readers.nifti import TASK, list_cases
from headtohead.readers.reader import CaseFiles, Reading
from headtohead.readers.volumes import read_volumes

BRAIN = "_desc-brain_mask"


def only_case(folder: Path) -> CaseFiles:
    """The one case of a folder."""
    (case,) = list_cases(folder)
    return case


def names(folder: Path) -> list[tuple[str, str]]:
    """Case and patient of all cases."""
    return [(case.name, case.patient) for case in list_cases(folder)]


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
@pytest.mark.parametrize("mask", ["_mask", BRAIN])
def test_an_image_is_found_with_its_mask(volumes: Path, write_pair: Callable[..., Any], mask: str, end: str) -> None:
    write_pair("a b ü", mask, end)
    case = only_case(volumes)
    assert (case.name, case.patient, case.site) == ("a b ü", "a b ü", "")
    assert [path.name for path in (*case.images, *case.masks)] == [f"a b ü{end}", f"a b ü{mask}{end}"]


def test_a_mask_may_be_compressed_where_its_image_is_not(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("x", end=".nii")
    mask = volumes / "x_mask.nii"
    (volumes / "x_mask.nii.gz").write_bytes(gzip.compress(mask.read_bytes()))
    mask.unlink()
    labels = read_volumes(only_case(volumes), TASK).labels
    assert labels is not None and labels.any()


def test_runs_of_one_subject_are_cases_of_one_patient(volumes: Path, write_pair: Callable[..., Any]) -> None:
    for run in (5, 1, 3):
        write_pair(f"sub-01_run-{run}_T2w", BRAIN)
    write_pair("sub-02_T2w", BRAIN)
    assert names(volumes) == [
        ("sub-01_run-1_T2w", "sub-01"),
        ("sub-01_run-3_T2w", "sub-01"),
        ("sub-01_run-5_T2w", "sub-01"),
        ("sub-02_T2w", "sub-02"),
    ]


def test_folders_of_bids_are_searched(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("sub-01/ses-1/anat/sub-01_ses-1_T2w", BRAIN)
    write_pair("sub-02/anat/T2w", BRAIN)
    assert names(volumes) == [("T2w", "sub-02"), ("sub-01_ses-1_T2w", "sub-01")]


def test_cases_of_one_name_are_told_apart_by_their_folders(volumes: Path, write_pair: Callable[..., Any]) -> None:
    for subject in ("sub-01", "sub-02"):
        write_pair(f"{subject}/T2w")
    write_pair("other")
    assert names(volumes) == [("other", "other"), ("sub-01_T2w", "sub-01"), ("sub-02_T2w", "sub-02")]


def test_names_that_meet_are_refused(volumes: Path, write_pair: Callable[..., Any]) -> None:
    for stem in ("a/b_c", "d/b_c", "a_b_c"):
        write_pair(stem)
    with pytest.raises(UserError, match="also has the name a_b_c; rename"):
        list_cases(volumes)


def test_masks_may_lie_in_a_tree_of_derivatives(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("sub-01/anat/sub-01_T2w", BRAIN)
    derivatives = volumes / "derivatives" / "masks" / "sub-01"
    derivatives.mkdir(parents=True)
    # As BIDS names a derivative: the word for the kind of image gives way to the description.
    (volumes / f"sub-01/anat/sub-01_T2w{BRAIN}.nii.gz").rename(derivatives / f"sub-01{BRAIN}.nii.gz")
    case = only_case(volumes)
    assert (case.images[0].name, case.masks[0].parent) == ("sub-01_T2w.nii.gz", derivatives)


def test_a_mask_that_fits_two_images_is_refused(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("sub-01_run-1_T2w", BRAIN)
    (volumes / f"sub-01_run-1_T2w{BRAIN}.nii.gz").rename(volumes / f"sub-01_run-1{BRAIN}.nii.gz")
    (volumes / "sub-01_run-1_acq-tse_T2w.nii.gz").write_bytes(b"")
    with pytest.raises(UserError, match=r"fits both .*T2w.* and .*T2w.*rename"):
        list_cases(volumes)


@pytest.mark.parametrize(
    ("files", "mask", "words"),
    [
        (
            ("x_flair.nii", "x_t1.nii", "x_t1.nii.gz"),
            "x_seg.nii",
            "two files of one image, x_t1.nii and x_t1.nii.gz; move",
        ),
        (("x.mgz", "x.nii.gz"), "x_mask.nii", r"two files of one image, x.mgz and x.nii.gz; move one of them away$"),
        (
            ("x_flair.nii", "x_t1.nii", "x_t1_bet.nii"),
            "x_seg.nii",
            r"fits both \S+/x_t1.nii and \S+/x_t1_bet.nii; rename",
        ),
    ],
)
def test_two_files_of_one_image_are_named(volumes: Path, files: tuple[str, ...], mask: str, words: str) -> None:
    for name in (*files, mask):
        (volumes / name).touch()
    with pytest.raises(UserError, match=words):
        list_cases(volumes)


def test_an_image_with_two_masks_is_refused(volumes: Path, write_pair: Callable[..., Any]) -> None:
    for mask in ("_mask", BRAIN):
        write_pair("x", mask)
    with pytest.raises(UserError, match=r"has two masks, x_desc-brain_mask\.nii\.gz and x_mask\.nii\.gz"):
        list_cases(volumes)


@pytest.mark.parametrize(
    "other", ["other/sub-01_label-lesion_mask", "other/sub-01_desc-lesion_mask", "one/sub-01_desc-x_mask"]
)
def test_masks_of_two_derivatives_are_refused_until_one_is_named(tmp_path: Path, other: str) -> None:
    one = "derivatives/one/sub-01_desc-lesion_mask.nii.gz"
    touch(tmp_path, "sub-01/anat/sub-01_T2w.nii.gz", one, f"derivatives/{other}.nii.gz")
    with pytest.raises(
        UserError, match=r"T2w\.nii\.gz: has two masks, .*; move one .* `mask_dir` or `mask_pattern`$"
    ) as refused:
        list_cases(tmp_path)
    assert Path(one).name in str(refused.value) and Path(other).name in str(refused.value)
    if other.startswith("other"):
        assert f"{one} and " in str(refused.value) or f" and {tmp_path / one}" in str(refused.value)
        [case] = list_cases(tmp_path, Reading(mask_dir=str(tmp_path / "derivatives" / "one")))
    else:
        [case] = list_cases(tmp_path, Reading(mask_pattern="*_desc-lesion_mask.nii.gz"))
    assert case.masks == (tmp_path / one,)


def test_the_mask_of_the_brain_counts_before_others_of_another_derivative(tmp_path: Path) -> None:
    brain = "derivatives/b/sub-01_desc-brain_mask.nii.gz"
    others = [f"derivatives/a/sub-01_desc-{tissue}_mask.nii.gz" for tissue in ("csf", "wm")]
    touch(tmp_path, "sub-01/anat/sub-01_T2w.nii.gz", brain, *others)
    assert [case.masks for case in list_cases(tmp_path)] == [(tmp_path / brain,)]


def test_a_mask_without_its_image_is_refused(volumes: Path, write_pair: Callable[..., Any]) -> None:
    write_pair("x")
    (volumes / "x.nii.gz").unlink()
    with pytest.raises(UserError, match=r"a mask without its image x\.nii\.gz"):
        list_cases(volumes)


def test_what_is_no_pair_is_left_out_and_said(
    volumes: Path, write_pair: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write_pair("x")
    for name in ("alone.nii", "x_desc-lesion_mask.nii.gz", "._x.nii.gz", "notes.nii.txt"):
        (volumes / name).write_bytes(b"")
    (volumes / "folder_mask.nii").mkdir()
    assert names(volumes) == [("x", "x")]
    assert "images left out because they have no mask: 1 of 2" in capsys.readouterr().out


def test_a_folder_without_pairs_is_refused(volumes: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        list_cases(volumes / "nowhere")
    with pytest.raises(UserError, match=r"no image in it has a mask .*name the folder that holds the volumes"):
        list_cases(volumes)
    (volumes / "x.nii").write_bytes(b"")
    with pytest.raises(UserError, match=r"it holds volumes, such as .*x\.nii, but no masks"):
        list_cases(volumes)
    (tmp_path / "lgg" / "TCGA_CS_4941_19960909").mkdir(parents=True)
    with pytest.raises(UserError, match="leave `data` out"):
        list_cases(tmp_path / "lgg")


@pytest.mark.parametrize("mask", ["_seg", "-seg", "_label", "-label", "_lesion", "_label-lesion_mask", "_lesion_mask"])
def test_masks_have_many_names(volumes: Path, write_pair: Callable[..., Any], mask: str) -> None:
    write_pair("x", mask)
    case = only_case(volumes)
    assert (case.images[0].name, case.masks[0].name) == ("x.nii.gz", f"x{mask}.nii.gz")


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("sub-01_ses-1_acq-3D_FLAIR", "sub-01_ses-1_label-lesion_mask"),
        ("sub-01_T2w", "sub-01_dseg"),
        ("sub-01", "sub-01_T2w_mask"),
        ("BraTS-GLI-00000-000-t2f", "BraTS-GLI-00000-000-seg"),
        ("x_flair_bet", "x_flair_seg"),
        ("flair", "seg"),
    ],
)
def test_a_mask_of_one_word_more_or_less_finds_its_image(
    volumes: Path, write_pair: Callable[..., Any], image: str, mask: str
) -> None:
    write_pair(f"p/{image}")
    (volumes / f"p/{image}_mask.nii.gz").rename(volumes / f"p/{mask}.nii.gz")
    case = only_case(volumes)
    assert (case.images[0].name, case.masks[0].name) == (f"{image}.nii.gz", f"{mask}.nii.gz")


def test_a_number_is_no_word_more(volumes: Path, write_pair: Callable[..., Any]) -> None:
    """x_1 and x are two cases, one of which has lost its image."""
    write_pair("x_1")
    (volumes / "x_1_mask.nii.gz").rename(volumes / "x_mask.nii.gz")
    with pytest.raises(UserError, match="a mask without its image x"):
        list_cases(volumes)
    (volumes / "x_mask.nii.gz").rename(volumes / "x_1_2_mask.nii.gz")
    with pytest.raises(UserError, match="a mask without its image x_1_2"):
        list_cases(volumes)


# --- laid out for other programs ------------------------------------------------------------------------------------


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            ("imagesTr/a_0000.nii.gz", "imagesTr/b_0000.nii.gz", "labelsTr/a.nii.gz", "labelsTr/b.nii.gz"),
            "labelsTr and imagesTr are laid out for nnU-Net; give `data=nnunet` `root_dir` .*, which needs its dataset",
        ),
        (("D1/imagesTr/a_0000.nii", "D1/imagesTr/a_0001.nii", "D1/labelsTr/a.nii"), "`data=nnunet` `root_dir` .*/D1, "),
        (
            ("images/a.nii.gz", "Masks/a.nii.gz"),
            "the masks lie in Masks under the names of their images in images; add `mask_dir` .*/Masks$",
        ),
        (
            ("a_0000.nii.gz", "a_0001.nii.gz", "a_mask.nii.gz"),
            r"a_mask.nii.gz: its image is named as channels of nnU-Net, a_0000.nii.gz, a_0001.nii.gz; name them after "
            r"their sequences \(a_flair.nii.gz\), or lay the data out for `data=nnunet`",
        ),
        (("x/a_0000.nii.gz", "y/a_label-lesion_mask.nii.gz"), "named as channels of nnU-Net, a_0000.nii.gz; "),
        (("images/a.nii.gz", "labels/b.nii.gz"), "holds volumes, such as .*images/a.nii.gz, but no masks"),
        (("a_0000.nii.gz", "b_mask.nii.gz"), "a mask without its image b.nii.gz"),
    ],
)
def test_other_layouts_are_refused_with_the_reason(tmp_path: Path, files: tuple[str, ...], words: str) -> None:
    touch(tmp_path, *files)
    with pytest.raises(UserError) as refused:
        list_cases(tmp_path)
    assert re.search(words, str(refused.value)), refused.value


def test_images_of_nnunet_alone_find_their_labels_beside_them(tmp_path: Path) -> None:
    touch(tmp_path, "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")
    with pytest.raises(UserError, match=r"labelsTr and imagesTr are laid out for nnU-Net"):
        list_cases(tmp_path / "imagesTr")
