"""NIfTI cases of several sequences, masks in other places, and labels by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.cohort import open_cohort
from headtohead.errors import UserError
from headtohead.options.input import InputOptions
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.labels import targets_of
from headtohead.readers.nifti import list_cases, task
from headtohead.readers.reader import Reading
from headtohead.task.targets import CLASSES, REGIONS
from headtohead.trained.facts import ModelFacts

WriteVolume = Callable[..., Path]
Scan = Callable[..., None]
SHAPE = (8, 9, 4)


@pytest.fixture
def write(write_volume: WriteVolume) -> Scan:
    """Give `write("x_flair", "x_t1", ..., mask="x_seg")`: volumes of noise, and a label map of 0, 1, 2, 4."""

    def volumes(*stems: str, mask: str = "", end: str = ".nii.gz") -> None:
        for stem in stems:
            rng = np.random.default_rng(len(stem))
            write_volume(f"{stem}{end}", rng.integers(1, 1000, SHAPE).astype(np.int16))
        if mask:
            labels = np.zeros(SHAPE, np.uint8)
            labels[1:7, 1:7, 1:3], labels[2:5, 2:5, 1:3], labels[3, 3, 1] = 2, 1, 4
            write_volume(f"{mask}{end}", labels)

    return volumes


def listed(root: Path, **options: str) -> list[tuple[str, tuple[str, ...], list[str]]]:
    """Name, sequences and files of all cases."""
    return [
        (case.name, case.sequences, [path.name.partition(".")[0] for path in (*case.images, *case.masks)])
        for case in list_cases(root, Reading(**options))
    ]


LABELS = "whole tumour=1,2,4;core=1,4;enhancing=4"


def test_the_sequences_of_a_case_are_its_channels(volumes: Path, tmp_path: Path, write: Scan) -> None:
    for case in "xy":
        write(f"{case}_t1ce", f"{case}_flair", f"{case}_t1", f"{case}_t2", mask=f"{case}_seg")
    order = ("pre", "post", "flair", "t2")
    assert listed(volumes) == [
        (case, order, [f"{case}_{word}" for word in ("t1", "t1ce", "flair", "t2", "seg")]) for case in "xy"
    ]
    cohort = open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels=LABELS))
    assert (cohort.task.sequences, cohort.task.primary, cohort.task.targets.kind) == (order, "flair", REGIONS)
    assert cohort.images(0).shape == (4, 9, 8, 4)
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [72, 18, 1]
    assert len({cohort.images(0)[..., channel].tobytes() for channel in range(4)}) > 1


@pytest.mark.parametrize(
    ("files", "mask", "case", "sequences"),
    [
        (("sub-01/anat/sub-01_T1w", "sub-01/anat/sub-01_FLAIR"), "sub-01/anat/sub-01_dseg", "sub-01", ("pre", "flair")),
        (("sub-01_T1w", "sub-01_FLAIR"), "derivatives/m/sub-01_label-lesion_mask", "sub-01", ("pre", "flair")),
        (("x_flair", "x_t2"), "x_flair_mask", "x", ("flair", "t2")),
        (("p1/flair", "p1/t1"), "p1/seg", "p1", ("pre", "flair")),
    ],
)
def test_masks_of_a_case_or_of_one_of_its_sequences(
    volumes: Path, write: Scan, files: tuple[str, ...], mask: str, case: str, sequences: tuple[str, ...]
) -> None:
    write(*files, mask=mask)
    [(name, found, names)] = listed(volumes)
    assert (name, found, names[-1]) == (case, sequences, Path(mask).name)


def test_a_sequence_that_a_case_lacks_is_named_with_the_mend(volumes: Path, write: Scan) -> None:
    write("x_flair", "x_t1", mask="x_seg")
    write("y_flair", mask="y_seg")
    with pytest.raises(UserError, match=r"y_flair.*: its case has no T1 \(FLAIR\), which 1 of 2 .* `sequences` flair"):
        list_cases(volumes)
    assert listed(volumes, sequences="flair") == [
        ("x_flair", ("flair",), ["x_flair", "x_seg"]),
        ("y_flair", ("flair",), ["y_flair", "y_seg"]),
    ]
    with pytest.raises(
        UserError, match=r"x_flair.*has no T2 \(FLAIR, T1\), nor has any other case; .* `sequences` flair,t1"
    ):
        list_cases(volumes, Reading(sequences="t2"))


@pytest.mark.parametrize("sequences", ["flair", "t1,t2"])
def test_sequences_that_were_not_asked_for_lack_no_mask(
    volumes: Path, write: Scan, capsys: pytest.CaptureFixture[str], sequences: str
) -> None:
    for case in "xy":
        write(f"{case}_flair", f"{case}_t1", f"{case}_t2", mask=f"{case}_seg")
    assert len(listed(volumes, sequences=sequences)) == 2
    assert "left out" not in capsys.readouterr().out
    write("z_flair")
    assert len(listed(volumes, sequences=sequences)) == 2
    left = f"images left out because they have no mask: 1 of 7, such as {volumes / 'z_flair.nii.gz'}\n"
    assert capsys.readouterr().out.startswith(f"{volumes}: {left}")


def test_sequences_are_taken_in_the_order_asked_for(volumes: Path, write: Scan) -> None:
    write("x_flair", "x_t1", "x_t2", mask="x_seg")
    reading = Reading(sequences="t2, t1")
    cases = list_cases(volumes, reading)
    assert (cases[0].sequences, task(volumes, reading, cases).primary) == (("t2", "pre"), "t2")
    for wrong in ("t2,t2", "blue", ","):
        with pytest.raises(UserError, match=f"`sequences` {wrong}: "):
            list_cases(volumes, Reading(sequences=wrong))


def test_two_files_of_one_sequence_are_refused(volumes: Path, write: Scan) -> None:
    write("x_flair", "x_t1", "x_t1_bet", mask="x_flair_mask")
    with pytest.raises(UserError, match=r"two files of one case's T1, x_t1.nii.gz and x_t1_bet.nii.gz; move one away"):
        list_cases(volumes)
    assert listed(volumes, sequences="flair") == [("x_flair", ("flair",), ["x_flair", "x_flair_mask"])]


def test_masks_in_a_folder_of_their_own(volumes: Path, write: Scan, tmp_path: Path) -> None:
    write("images/x", mask="masks/x")
    write("images/y", mask="masks/y")
    assert listed(volumes, mask_dir=str(volumes / "masks")) == [("x", (), ["x", "x"]), ("y", (), ["y", "y"])]
    (volumes / "masks").rename(tmp_path / "elsewhere")
    cohort = open_cohort(
        volumes, tmp_path / "packed", "nifti", Reading(mask_dir=str(tmp_path / "elsewhere"), labels=LABELS)
    )
    assert cohort.table["case"].tolist() == ["x", "y"]
    again = open_cohort(
        volumes, tmp_path / "packed", "nifti", Reading(mask_dir=str(tmp_path / "elsewhere"), labels=LABELS)
    )
    assert again.key == cohort.key


def test_masks_of_other_names_in_a_folder_of_their_own_need_a_pattern(volumes: Path, write: Scan) -> None:
    write("images/x", mask="masks/x_manual")
    with pytest.raises(UserError, match=r"without its image x_manual\.nii\.gz; .* named with `mask_pattern`$"):
        list_cases(volumes / "images", Reading(mask_dir=str(volumes / "masks")))


def test_masks_of_a_mirrored_tree_belong_to_their_own_folder(volumes: Path, write: Scan) -> None:
    for patient in ("p1", "p2"):
        write(f"images/{patient}/flair", mask=f"masks/{patient}/flair")
    found = list_cases(volumes / "images", Reading(mask_dir=str(volumes / "masks")))
    assert [(case.images[0].parent.name, case.masks[0].parent.name) for case in found] == [("p1", "p1"), ("p2", "p2")]


def test_masks_of_a_pattern_whatever_others_there_are(volumes: Path, write: Scan) -> None:
    write("x_flair", "x_t1", mask="x_manual")
    write(mask="x_auto_seg")
    for pattern in ("*_manual.nii.gz", "*_manual"):
        assert [names[-1] for *_, names in listed(volumes, mask_pattern=pattern)] == ["x_manual"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mask_dir": "nowhere"}, "`mask_dir` nowhere: no such folder"),
        ({"mask_pattern": "*_expert"}, r"`mask_pattern` \*_expert: no volume in .* is named so, but there is x.nii.gz"),
        ({"mask_pattern": "manual"}, r"`mask_pattern` manual: write the name of a mask with one \*"),
        ({"mask_pattern": "masks/*"}, "folders go to `mask_dir`"),
    ],
)
def test_masks_that_are_not_there(volumes: Path, write: Scan, options: dict[str, str], words: str) -> None:
    write("x", mask="x_mask")
    with pytest.raises(UserError, match=words):
        list_cases(volumes, Reading(**options))


def test_a_label_without_a_name_is_refused(volumes: Path, tmp_path: Path, write: Scan) -> None:
    write("x", mask="x_seg")
    with pytest.raises(UserError, match=r"x_seg.nii.gz: .* 0, 1, 2, 4"):
        open_cohort(volumes, tmp_path / "packed", "nifti")
    with pytest.raises(UserError, match=r"x_seg.nii.gz: label 4 belongs to no target; .* 1, 2;"):
        open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels="core=1;rest=2"))
    cohort = open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels="core=1;rest=2;background=4"))
    assert cohort.truth(0).sum(axis=(1, 2, 3)).tolist() == [17, 54]


def test_one_target_is_its_value_and_no_other(volumes: Path, tmp_path: Path, write: Scan) -> None:
    """Without --labels a mask may have any one value; with it, another value is another label."""
    write("x", mask="x_seg")
    reading = Reading(labels="enhancing=4;background=1,2")
    cohort = open_cohort(volumes, tmp_path / "packed", "nifti", reading)
    assert cohort.truth(0).sum() == 1
    mend = "or train with `labels` that name it too: as background=1,2, or as a target's"
    with pytest.raises(UserError, match=f"label 1 belongs to no target; .* 4; correct the map, {mend}$"):
        open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels="enhancing=4"))


def test_other_labels_are_other_data(volumes: Path, tmp_path: Path, write: Scan) -> None:
    write("x", mask="x_seg")
    first, second = (
        open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels=labels)).key
        for labels in (LABELS, "lesion=1,2,4")
    )
    assert first != second


def test_targets_that_share_a_label_are_regions_others_classes() -> None:
    assert targets_of("whole = 1,2 ; core=2").kind == REGIONS
    assert targets_of("grey=1;white=2").kind == CLASSES
    assert targets_of("lesion=7").kind == REGIONS
    made = targets_of("grey matter=3,1;white=2;background=0,9")
    assert (made.names, made.labels, made.others) == (("grey matter", "white"), (1, 2, 3), (9,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tumour", "tumour is not name=values; an example"),
        ("=1", "=1 is not name=values"),
        ("a=1;a=2", "names a twice"),
        ("a=one", "values of a are not whole numbers"),
        ("a=1_2", "values of a are not whole numbers"),
        ("a=1.5", "values of a are not whole numbers"),
        ("a=0", "a: labels must be whole numbers from 1 to 65535, not 0$"),
        ("a=0,3", "a: labels must be whole numbers from 1 to 65535, not 0, 3$"),
        ("a=1,2;b=2,1", "a and b have the same labels; leave one of them out$"),
        ("a=70000", "labels must be whole numbers from 1"),
        ("core=1;whole=1,2", "name the outer regions first"),
        ("a=1;background=1", "cannot count as background"),
        ("background=1", "a task needs a target"),
        (";", "a task needs a target"),
    ],
)
def test_labels_that_make_no_targets(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        targets_of(text)
    assert str(refused.value).startswith(f"`labels` {text}: ")


def test_grey_levels_are_kept_in_the_bits_that_are_asked_for(volumes: Path, tmp_path: Path, write: Scan) -> None:
    for case in "xy":
        write(f"{case}", mask=f"{case}_mask")
    coarse, fine, same = (
        open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels=LABELS, bits=bits))
        for bits in ("", "16", "8")
    )
    assert [cohort.images(0).dtype for cohort in (coarse, fine, same)] == [np.uint8, np.uint16, np.uint8]
    assert len({coarse.key, fine.key, same.key}) == 2 and coarse.key == same.key
    with pytest.raises(UserError, match="bits"):
        open_cohort(volumes, tmp_path / "packed", "lgg", Reading(bits="16"))


def test_a_run_of_sixteen_bits_predicts_what_it_trained_on(volumes: Path, tmp_path: Path, write: Scan) -> None:
    for case in "xyz":
        write(f"{case}", mask=f"{case}_mask")
    cohort = open_cohort(volumes, tmp_path / "packed", "nifti", Reading(labels=LABELS, bits="16"))
    recipe = InputRecipe.of(InputOptions(image_size=32, neighbours=0), cohort.task, "", cohort.images(0).dtype.name)
    facts = ModelFacts("made up", "unet", 0, 1, recipe.to_dict(), task=cohort.task)
    [job] = find_jobs(volumes / "x.nii.gz", "", cohort.task, ())
    scan = read_scan(job, facts, "", "auto")
    np.testing.assert_array_equal(scan.volume, cohort.images(0))
