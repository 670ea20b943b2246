import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.predicting.files import finding
from headtohead.predicting.files.finding import Job, find_jobs
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.task import Task


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def names(root: Path, pattern: str = "", task: Task = LGG_TASK, ends: tuple[str, ...] = ()) -> list[str]:
    return [job.name for job in find_jobs(root, pattern, task, ends)]


def test_every_kind_of_file_below_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "sub/B.NII.GZ", "sub/deep er/ü c.tif", "d.TIFF", "e.png", "f.jpg", "g.JPEG", "notes.txt")
    jobs = find_jobs(tmp_path, "", NIFTI_TASK, ())
    assert [job.name for job in jobs] == ["a", "d", "e", "f", "g", "sub/B", "sub/deep er/ü c"]
    assert {job.name for job in jobs if job.kind == "nifti"} == {"a", "sub/B"}
    assert jobs[-1] == Job(
        "sub/deep er/ü c", (tmp_path / "sub/deep er/ü c.tif",), "picture", (), Path("sub/deep er/ü c.tif")
    )


def test_truths_outputs_and_hidden_files_are_no_inputs(tmp_path: Path) -> None:
    touch(
        tmp_path, "a.nii.gz", "a_mask.nii.gz", "a_desc-brain_mask.nii", "a_seg.nii", "a_MASK.png", ".a.nii", "._b.nii"
    )
    touch(tmp_path, ".git/x.nii", "a_brain.nii.gz", "a_brain.png", "a_probability.nii.gz")
    assert names(tmp_path, ends=("_brain.nii", "_Probability", "")) == ["a"]


def test_files_that_would_have_one_name_keep_their_suffix(tmp_path: Path) -> None:
    assert names(touch(tmp_path, "a.nii", "a.nii.gz", "a.png", "b.png")) == ["a.nii", "a.nii.gz", "a.png", "b"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.nii", ["a_T2w"]),
        ("**/*.nii", ["a_T2w", "s/a_T2w", "s/t/b_T1w"]),
        ("**/*_t2W.nii*", ["a_T2w", "s/a_T2w"]),
        ("s/*.nii", ["s/a_T2w"]),
        ("./s/**", ["s/a_T2w", "s/t/b_T1w", "s/t/x[1]"]),
        ("**/[!ab]*", ["s/t/x[1]"]),
        ("s/?/b*", ["s/t/b_T1w"]),
    ],
)
def test_pattern_is_a_glob_below_the_folder(tmp_path: Path, pattern: str, found: list[str]) -> None:
    touch(tmp_path, "a_T2w.nii", "s/a_T2w.nii", "s/t/b_T1w.nii", "s/t/x[1].png")
    assert names(tmp_path, pattern, NIFTI_TASK) == found


def test_nothing_that_matches_is_said_with_the_mend(tmp_path: Path) -> None:
    touch(tmp_path, "s/a.nii", "m/a_mask.nii")
    with pytest.raises(UserError, match=r"no image in it matches `pattern` \*\.nii; .*'\*\*/\*\.nii'"):
        find_jobs(tmp_path, "*.nii", NIFTI_TASK, ())
    with pytest.raises(UserError, match=r"matches `pattern` \*\*/\*\.png$"):
        find_jobs(tmp_path, "**/*.png", NIFTI_TASK, ())
    with pytest.raises(UserError, match="only masks and outputs"):
        find_jobs(tmp_path / "m", "", NIFTI_TASK, ())
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="nothing to predict in it"):
        find_jobs(tmp_path / "empty", "", NIFTI_TASK, ())
    with pytest.raises(UserError, match="no such file or folder"):
        find_jobs(tmp_path / "gone", "", NIFTI_TASK, ())


def test_slices_of_a_case_are_one_job_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    files = [f"c/TCGA_1/TCGA_1_{number}{end}.tif" for number in (10, 9, 1) for end in ("", "_mask")]
    touch(tmp_path, *files, "c/TCGA_1/other.png", "c/TCGA_1/TCGA_1_x.tif", "c/TCGA_1/TCGA_1_3.nii")
    jobs = {job.name: job for job in find_jobs(tmp_path, "", LGG_TASK, ())}
    assert sorted(jobs) == ["c/TCGA_1", "c/TCGA_1/TCGA_1_3", "c/TCGA_1/TCGA_1_x", "c/TCGA_1/other"]
    case = jobs["c/TCGA_1"]
    assert (case.kind, case.relative) == ("folder", Path("c/TCGA_1"))
    assert [path.name for path in case.files] == ["TCGA_1_1.tif", "TCGA_1_9.tif", "TCGA_1_10.tif"]


def test_the_source_may_be_the_case_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = touch(tmp_path / "T", "T_1.tif", "T_2.tif")
    [job] = find_jobs(folder, "", LGG_TASK, ())
    assert (job.name, job.relative, len(job.files)) == ("T", Path(), 2)
    monkeypatch.chdir(folder)
    [job] = find_jobs(Path(), "", LGG_TASK, ())
    assert (job.name, job.relative, job.files) == ("T", Path(), (Path("T_1.tif"), Path("T_2.tif")))


@pytest.mark.parametrize("other", ["T_1.png", "T_01.tif"])
def test_slices_of_two_kinds_or_numbers_are_single_pictures(tmp_path: Path, other: str) -> None:
    folder = touch(tmp_path / "T", "T_1.tif", "T_2.tif", other)
    assert {job.kind for job in find_jobs(folder, "", LGG_TASK, ())} == {"picture"}


def test_sequences_of_a_case_are_one_job_flair_first(tmp_path: Path) -> None:
    touch(tmp_path, *(f"p1/p1_{end}.nii.gz" for end in ("t1", "t1ce", "t2", "flair", "seg")))
    touch(tmp_path, "p2/flair.nii", "p2/T1.nii", "p3_T1w.nii", "p4_T2w.nii", "p5.nii", "p6_flair.png", "p6_t1.png")
    jobs = {job.name: job for job in find_jobs(tmp_path, "", LGG_TASK, ())}
    assert sorted(jobs) == ["p1/p1_flair", "p2/flair", "p3_T1w", "p4_T2w", "p5", "p6_flair", "p6_t1"]
    assert jobs["p1/p1_flair"].sequences == ("flair", "pre", "post")
    assert [path.name for path in jobs["p1/p1_flair"].files] == ["p1_flair.nii.gz", "p1_t1.nii.gz", "p1_t1ce.nii.gz"]
    assert jobs["p2/flair"].sequences == ("flair", "pre")
    assert jobs["p3_T1w"].sequences == ("pre",)
    assert jobs["p4_T2w"].sequences == ("t2",)
    assert jobs["p5"].sequences == jobs["p6_t1"].sequences == ()
    assert [path.name for path in jobs["p1/p1_flair"].unused] == ["p1_t2.nii.gz"]


def test_a_model_of_one_sequence_takes_each_file(tmp_path: Path) -> None:
    touch(tmp_path, "p_t1.nii", "p_flair.nii")
    assert names(tmp_path, task=NIFTI_TASK) == ["p_flair", "p_t1"]


def test_a_single_file_and_what_belongs_to_it(tmp_path: Path) -> None:
    touch(tmp_path, "p_t1.nii", "p_flair.nii", "q.nii", "r_1.tif", "p_mask.nii", "x.txt", "p_brain.nii")
    [job] = find_jobs(tmp_path / "p_t1.nii", "", LGG_TASK, ())
    assert [path.name for path in job.files] == ["p_flair.nii", "p_t1.nii"]
    assert (job.name, job.relative) == ("p_flair", Path("p_flair.nii"))
    [job] = find_jobs(tmp_path / "q.nii", "", LGG_TASK, ())
    assert job == Job("q", (tmp_path / "q.nii",), "nifti", (), Path("q.nii"))
    [job] = find_jobs(tmp_path / "r_1.tif", "", LGG_TASK, ())
    assert job == Job("r_1", (tmp_path / "r_1.tif",), "picture", (), Path("r_1.tif"))
    with pytest.raises(UserError, match=r"^`predict` .*mask or an output"):
        find_jobs(tmp_path / "p_mask.nii", "", LGG_TASK, ())
    with pytest.raises(UserError, match="mask or an output"):
        find_jobs(tmp_path / "p_brain.nii", "", LGG_TASK, ("_brain.nii",))
    with pytest.raises(UserError, match="not a file this program reads"):
        find_jobs(tmp_path / "x.txt", "", LGG_TASK, ())


def test_links_lead_everywhere_once(tmp_path: Path) -> None:
    touch(tmp_path, "data/a.nii", "data/sub/b.nii", "elsewhere/c.nii")
    (tmp_path / "data/sub/up").symlink_to(tmp_path / "data")
    (tmp_path / "data/self").symlink_to("self")
    (tmp_path / "data/0_link").symlink_to("sub")
    (tmp_path / "data/out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/d.nii").symlink_to("a.nii")
    assert names(tmp_path / "data") == ["a", "d", "out/c", "sub/b"]


def test_what_only_has_the_name_of_a_file_is_a_job(tmp_path: Path) -> None:
    """Reading it says what is wrong; passing over it would hide it."""
    touch(tmp_path, "a.nii", "unpacked.nii/unpacked.nii")
    (tmp_path / "x.nii").mkdir()
    (tmp_path / "x.png").mkdir()
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    (tmp_path / "broken.nii").symlink_to("gone.nii")
    os.mkfifo(tmp_path / "pipe.nii")
    assert names(tmp_path) == ["a", "broken", "loop", "pipe", "unpacked.nii/unpacked", "x.nii", "x.png"]


def test_a_folder_that_may_not_be_read_is_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.nii", "shut/b.nii")
    real = os.access
    monkeypatch.setattr(finding.os, "access", lambda path, how: path.name != "shut" and real(path, how))
    listed = Path.iterdir

    def shut(folder: Path) -> Iterator[Path]:
        if folder.name == "shut":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", shut)
    jobs = find_jobs(tmp_path, "", LGG_TASK, ())
    assert [job.files[0].name for job in jobs] == ["a.nii", "shut"]


def test_names_are_shown_on_one_line(tmp_path: Path) -> None:
    touch(tmp_path, "two\nlines.nii")
    (tmp_path / os.fsdecode(b"latin\xe9.nii")).touch()
    assert names(tmp_path) == ["latin?", "two?lines"]


def test_a_pattern_takes_the_other_sequences_along(tmp_path: Path) -> None:
    touch(tmp_path, *(f"s/{name}.nii.gz" for name in ("a_flair", "a_t1", "a_t1ce", "a_t2", "b_flair", "a_other")))
    touch(tmp_path, "a_t1.nii.gz")
    for pattern in ("s/a_flair*", "s/a_t1.*"):
        [job] = find_jobs(tmp_path, pattern, LGG_TASK, ())
        assert [path.name for path in job.files] == ["a_flair.nii.gz", "a_t1.nii.gz", "a_t1ce.nii.gz"]
    [job] = find_jobs(tmp_path, "s/a_t2*", LGG_TASK, ())  # meant by itself: --channels flair=0 may say that it is FLAIR
    assert [path.name for path in job.files] == ["a_t2.nii.gz"]
    assert names(tmp_path, "s/a_flair*", NIFTI_TASK) == ["s/a_flair"]


def test_our_own_results_are_no_inputs(tmp_path: Path) -> None:
    touch(tmp_path, "a_flair.nii", "a_t1.nii", "b.nii")

    def ours(path: Path) -> bool:
        return path.name == "a_t1.nii"

    assert [job.files for job in find_jobs(tmp_path, "", LGG_TASK, (), ours)] == [
        (tmp_path / "a_flair.nii",),
        (tmp_path / "b.nii",),
    ]
    [job] = find_jobs(tmp_path / "a_flair.nii", "", LGG_TASK, (), ours)
    assert len(job.files) == 1
    for source, pattern in ((tmp_path, "a_t1*"), (tmp_path / "a_t1.nii", "")):
        with pytest.raises(UserError, match="it holds only results of `predict`"):
            find_jobs(source, pattern, NIFTI_TASK, (), ours)


def test_a_sequence_that_its_case_does_not_use_may_be_named_by_itself(tmp_path: Path) -> None:
    touch(tmp_path, "a_flair.nii", "a_t2.nii", "a_t1.nii", "a_t1_bet.nii")
    for name, sequence in (("a_t2.nii", "t2"), ("a_t1_bet.nii", "pre")):
        [job] = find_jobs(tmp_path / name, "", LGG_TASK, ())
        assert (job.files, job.sequences) == ((tmp_path / name,), (sequence,))


def test_sequences_go_with_the_flair_that_was_treated_alike(tmp_path: Path) -> None:
    touch(tmp_path, "a_flair.nii", "a_flair_bet.nii", "a_t1.nii", "a_t1_bet.nii", "a_t1ce_reg.nii", "a_t2.nii")
    jobs = {job.name: job for job in find_jobs(tmp_path, "", LGG_TASK, ())}
    assert {name: [path.stem for path in job.files] for name, job in jobs.items()} == {
        "a_flair": ["a_flair", "a_t1", "a_t1ce_reg"],
        "a_flair_bet": ["a_flair_bet", "a_t1_bet", "a_t1ce_reg"],
    }
    assert [path.stem for job in jobs.values() for path in job.unused] == ["a_t2"]


def test_masks_of_volumes_have_many_names(tmp_path: Path) -> None:
    ends = (
        "_seg",
        "-seg",
        "_label",
        "-label",
        "_lesion",
        "_label-lesion_mask",
        "_desc-csf_mask",
        "_dseg",
        "_lesion_mask",
    )
    touch(tmp_path, "a.nii", "a_lesion.png", *(f"a{end}.nii" for end in ends))
    assert names(tmp_path) == ["a"]


def test_masks_in_a_folder_of_their_own_are_no_inputs(tmp_path: Path) -> None:
    lay = ("images/a.png", "masks/a.png", "imagesTr/c_0000.nii", "imagesTr/c_0001.nii", "labelsTr/c.nii")
    touch(tmp_path, *lay, "alone/labels/d.nii")
    assert names(tmp_path) == ["alone/labels/d", "images/a", "imagesTr/c"]


def test_two_files_of_one_channel_or_sequence_are_of_one_case(tmp_path: Path) -> None:
    touch(tmp_path, "nn/c_0000.nii", "nn/c_0001.nii", "nn/c_0001.nii.gz", "a_flair.nii", "a_flair.nii.gz", "a_t1.nii")
    touch(tmp_path, "b.nii", "b.nii.gz")  # nobody says that they are of one case
    assert names(tmp_path) == ["a_flair", "b.nii", "b.nii.gz", "nn/c"]
    one, *_, other = find_jobs(tmp_path, "", LGG_TASK, ())
    assert [path.name for path in one.files] == ["a_flair.nii", "a_t1.nii", "a_flair.nii.gz"]
    assert other.channels == (0, 1, 1)
