"""Files that are named as nnU-Net has it: one case with a file for each channel."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.assigning import refuse_ignored_channels
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts


def names(folder: Path, task: Task = LGG_TASK, pattern: str = "") -> list[tuple[str, int]]:
    return [(job.name, len(job.files)) for job in find_jobs(folder, pattern, task, ())]


def touch(folder: Path, *files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        (folder / name).touch()


@pytest.fixture
def three(tmp_path: Path, save: Callable, texture: np.ndarray) -> Path:
    """The folder of a case of three channels: T2, FLAIR, T1."""
    for number, values in enumerate((texture[::-1], texture, texture[:, ::-1])):
        save(f"imagesTs/case_{number:04d}.nii.gz", values)
    return tmp_path / "imagesTs"


def test_channels_of_a_case_are_one_job(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{case}_{number:04d}.nii.gz" for case in ("a", "b") for number in range(4)))
    assert names(tmp_path) == names(tmp_path, NIFTI_TASK) == [("a", 4), ("b", 4)]
    assert names(tmp_path, pattern="b_0002*") == [("b", 4)]
    [job] = find_jobs(tmp_path / "a_0001.nii.gz", "", LGG_TASK, ())
    assert (job.name, job.channels, job.relative) == ("a", (0, 1, 2, 3), Path("a.nii.gz"))


@pytest.mark.parametrize(
    "files",
    [
        ("a_0001.nii.gz", "a_0002.nii.gz"),  # points in time
        ("a_1.nii.gz", "a_2.nii.gz"),
        ("a_000.nii.gz", "a_001.nii.gz"),
        ("a_00000.nii.gz", "a_00001.nii.gz"),
        ("a_0000.png", "a_0001.png"),
        ("a_0000.nii.gz", "b_0000.nii.gz"),  # a channel each: as good as unnamed
        tuple(f"scan_{number:04d}.nii.gz" for number in range(20)),
    ],
)
def test_other_numbers_are_cases_of_their_own(tmp_path: Path, files: tuple[str, ...]) -> None:
    touch(tmp_path, *files)
    assert [count for _, count in names(tmp_path)] == [1] * len(files)


def test_two_files_of_one_channel_are_refused(
    three: Path, save: Callable, lgg: ModelFacts, texture: np.ndarray
) -> None:
    """Whichever of the two is meant: neither is a case of its own."""
    save("imagesTs/case_0002.nii", texture)
    for channels in ("", "flair=1,t1=2"):
        [job] = find_jobs(three, "", lgg.task, ())
        with pytest.raises(UserError, match=r"case_0002\.nii and case_0002\.nii\.gz are both channel 2 of one case"):
            read_scan(job, lgg, channels, "auto")


def test_slices_of_lgg_are_no_channels(tmp_path: Path) -> None:
    touch(tmp_path / "case", "case_0000.tif", "case_0001.tif")
    [job] = find_jobs(tmp_path, "", LGG_TASK, ())
    assert job.kind == "folder" and job.channels == ()


def test_unnamed_channels_are_refused_with_the_mend_and_the_mend_works(
    three: Path, lgg: ModelFacts, lone: ModelFacts, texture: np.ndarray
) -> None:
    [job] = find_jobs(three, "", lgg.task, ())
    with pytest.raises(UserError) as refused:
        read_scan(job, lgg, "", "auto")
    said = str(refused.value)
    assert "3 files are named like channels of one nnU-Net case (_0000, _0001, _0002)" in said
    assert "no dataset.json says what they are; name them, for example `channels` flair=0,pre=1,post=2" in said
    refuse_ignored_channels([job], "flair=1,t1=2", lgg.task)
    scan = read_scan(job, lgg, "flair=1,t1=2", "auto")
    assert scan.missing == ("post",) and scan.notes == ("not used: case_0000.nii.gz",)
    flair, t1 = scan.volume[..., 1], scan.volume[..., 0]
    np.testing.assert_array_equal(flair, t1[:, ::-1])  # as the files were written: turned front to back
    with pytest.raises(UserError, match="its channels are 0, 1, 2, but `channels` asks for flair=3"):
        read_scan(job, lgg, "flair=3", "auto")
    with pytest.raises(UserError, match="`channels` names no FLAIR"):
        read_scan(job, lgg, "t1=0", "auto")
    [job] = find_jobs(three, "", lone.task, ())
    with pytest.raises(
        UserError, match="but the model takes one image; say which, for example `channels` image=0, leave"
    ):
        read_scan(job, lone, "", "auto")
    assert read_scan(job, lone, "image=1", "auto").volume.shape[-1] == 1


@pytest.mark.parametrize("key", ["channel_names", "modality"])
@pytest.mark.parametrize("above", [False, True])
def test_a_description_says_what_the_channels_are(three: Path, lgg: ModelFacts, key: str, above: bool) -> None:
    place = three.parent if above else three
    (place / "dataset.json").write_text(json.dumps({key: {"0": "T2w", "1": "FLAIR", "2": "T1"}}))
    [job] = find_jobs(three, "", lgg.task, ())
    assert (job.name, job.sequences, job.channels) == ("case", ("flair", "t2", "pre"), (1, 0, 2))
    assert job.relative == Path("case.nii.gz")
    scan = read_scan(job, lgg, "", "auto")
    assert scan.missing == ("post",) and scan.notes == ("not used: case_0000.nii.gz",)


@pytest.mark.parametrize("described", [True, False])
def test_a_model_of_one_image_is_not_told_of_a_description(three: Path, lone: ModelFacts, described: bool) -> None:
    if described:
        (three / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T2", "1": "FLAIR", "2": "T1"}}))
    [job] = find_jobs(three, "", lone.task, ())
    with pytest.raises(UserError) as refused:
        read_scan(job, lone, "", "auto")
    assert str(refused.value).endswith(
        "case_0000.nii.gz: 3 files are named like channels of one nnU-Net case (_0000, _0001, _0002), but the model "
        "takes one image; say which, for example `channels` image=0, leave the others out, or rename them if they are "
        "separate cases"
    )


def test_a_model_trained_on_data_of_nnunet_knows_the_order(three: Path, lgg: ModelFacts, texture: np.ndarray) -> None:
    task = Task("nn", ("t2", "flair", "pre"), "flair", LGG_TASK.targets)
    own = replace(lgg, task=task, data={"kind": "nnunet"})
    [job] = find_jobs(three, "", task, ())
    scan = read_scan(job, own, "", "auto")
    order = "no dataset.json says what its channels are: taken as T2, FLAIR, T1, as in the training data"
    assert scan.missing == () and scan.notes == (order,)
    (three / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T2", "1": "FLAIR", "2": "T1"}}))
    [described] = find_jobs(three, "", task, ())
    again = read_scan(described, own, "", "auto")
    assert again.notes == ()
    np.testing.assert_array_equal(scan.volume, again.volume)
    (three / "dataset.json").unlink()
    with pytest.raises(
        UserError, match=r"no dataset\.json says what they are; .* their sequences \(X_flair\.nii\.gz\)"
    ):
        read_scan(job, replace(own, data={"kind": "brats"}), "", "auto")
    with pytest.raises(UserError, match=r"no dataset\.json says what they are"):
        read_scan(job, replace(own, data={"kind": "nnunet", "sequences": "t2,flair,t1"}), "", "auto")
    (three / "case_0001.nii.gz").unlink()
    [lacking] = find_jobs(three, "", task, ())
    with pytest.raises(UserError, match=r"no FLAIR among .* case_0000\.nii\.gz \(T2\), case_0002\.nii\.gz \(T1\)"):
        read_scan(lacking, own, "", "auto")


def test_a_description_without_flair_refuses(three: Path, lgg: ModelFacts) -> None:
    (three / "dataset.json").write_text(json.dumps({"channel_names": {"0": "T2", "1": "CT", "2": "T1"}}))
    [job] = find_jobs(three, "", lgg.task, ())
    with pytest.raises(UserError, match=r"no FLAIR among the files of this case, case_0000\.nii\.gz \(T2\)"):
        read_scan(job, lgg, "", "auto")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"channel_names": [1]}',
        b'{"channel_names": {"x": "FLAIR"}}',
        b'{"channel_names": {"0": "\xff"}}',
        b'{"x": ' + b"[" * 100_000,
        b'{"channel_names": {"0": "FLAIR"}, "x": ' + b"9" * 5_000 + b"}",
        b'{"channel_names": {"0": "FLAIR"}, "x": "' + b"x" * (1 << 20) + b'"}',
        None,
    ],
)
def test_a_description_that_says_nothing_is_none(three: Path, content: bytes | None) -> None:
    path = three / "dataset.json"
    path.write_bytes(content) if content is not None else os.mkfifo(path)
    [job] = find_jobs(three, "", LGG_TASK, ())
    assert job.sequences == () and len(job.files) == 3


def test_a_lone_channel_that_is_described_as_t1_is_refused(
    save: Callable, texture: np.ndarray, lgg: ModelFacts
) -> None:
    path = save("a_0000.nii.gz", texture)
    path.with_name("dataset.json").write_text(json.dumps({"channel_names": {"0": "T1"}}))
    [job] = find_jobs(path, "", lgg.task, ())
    with pytest.raises(UserError, match="named as T1, but the model needs FLAIR"):
        read_scan(job, lgg, "", "auto")
