import csv
import hashlib
import json
import os

import cv2
import numpy as np
import pytest

from headtohead.cohort.phantom import make_phantoms, writing
from headtohead.cohort.phantom.planning import Parameters, plan_cases
from headtohead.cohort.phantom.writing import draw_case
from headtohead.errors import UserError

SMALL = {"n_cases": 4, "seed": 3, "size": 48, "slices": (8, 11)}
COLUMNS = [
    "Patient",
    "RNASeqCluster",
    "MethylationCluster",
    "miRNACluster",
    "CNCluster",
    "RPPACluster",
    "OncosignCluster",
    "COCCluster",
    "histological_type",
    "neoplasm_histologic_grade",
    "tumor_tissue_site",
    "laterality",
    "tumor_location",
    "gender",
    "age_at_initial_pathologic",
    "race",
    "ethnicity",
    "death01",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms") / "deep" / "kaggle_3m"
    make_phantoms(folder, **SMALL)
    return folder


@pytest.fixture(scope="module")
def drawn():
    """Twelve cases of 96 x 96 pixels as (case, volume, mask)."""
    cases = plan_cases(Parameters(n_cases=12, seed=0, size=96, slices=(12, 20)))
    return [(case, *draw_case(case, 96)) for case in cases]


def digests(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def best_threshold_dice(value, mask, inside):
    """Best mean over cases of the 3-D Dice that one threshold for all cases can reach."""
    thresholds = np.linspace(-2, 6, 161)
    curves = []
    for v, m, i in zip(value, mask, inside, strict=True):
        positive = (v[..., None][i] > thresholds).sum(axis=0)
        hits = (v[..., None][i & m] > thresholds).sum(axis=0)
        curves.append(2 * hits / (positive + m.sum()))
    return np.mean(curves, axis=0).max()


def test_layout_is_that_of_the_real_data(made):
    note = json.loads((made / "phantoms.json").read_text())
    folders = sorted(path.name for path in made.iterdir() if path.is_dir())
    assert sorted(case["case"] for case in note["cases"]) == folders and len(folders) == SMALL["n_cases"]
    for case in note["cases"]:
        name, n = case["case"], case["slices"]
        assert SMALL["slices"][0] <= n <= SMALL["slices"][1]
        expected = {f"{name}_{k}{end}" for k in range(1, n + 1) for end in (".tif", "_mask.tif")}
        assert {file.name for file in (made / name).iterdir()} == expected
        masks = []
        for k in range(1, n + 1):
            image = cv2.imread(str(made / name / f"{name}_{k}.tif"), cv2.IMREAD_UNCHANGED)
            mask = cv2.imread(str(made / name / f"{name}_{k}_mask.tif"), cv2.IMREAD_UNCHANGED)
            assert image.shape == (48, 48, 3) and image.dtype == np.uint8
            assert mask.shape == (48, 48) and mask.dtype == np.uint8 and set(np.unique(mask)) <= {0, 255}
            masks.append(mask.any())
        assert sum(masks) == case["lesion_slices"] >= 1
        size = (made / name / f"{name}_1.tif").stat().st_size
        assert 48 * 48 * 3 <= size < 48 * 48 * 3 + 2000  # uncompressed, as the real files are


def test_files_hold_pre_flair_post_as_red_green_blue(made):
    case = plan_cases(Parameters(**SMALL))[0]
    volume, mask = draw_case(case, 48)
    for k in range(case.slices):
        rgb = cv2.imread(str(made / case.name / f"{case.name}_{k + 1}.tif"))[..., ::-1]
        np.testing.assert_array_equal(rgb, volume[k])
        saved = cv2.imread(str(made / case.name / f"{case.name}_{k + 1}_mask.tif"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(saved > 0, mask[k])


def test_clinical_table_lists_each_patient_once_without_date(made):
    with (made / "data.csv").open() as file:
        rows = list(csv.DictReader(file))
    patients = {path.name.rsplit("_", 1)[0] for path in made.iterdir() if path.is_dir()}
    assert {row["Patient"] for row in rows} == patients and len(rows) == SMALL["n_cases"]
    assert all(int(patient.rsplit("_", 1)[1]) > 9000 for patient in patients)  # made-up numbers
    assert list(rows[0]) == COLUMNS


def test_same_seed_same_bytes_another_seed_others(made, tmp_path):
    make_phantoms(tmp_path / "again", **SMALL)
    assert digests(tmp_path / "again") == digests(made)
    make_phantoms(tmp_path / "other", **(SMALL | {"seed": 4}))
    slices = {digest for name, digest in digests(made).items() if name.endswith("_5.tif")}
    assert not slices & set(digests(tmp_path / "other").values())


def test_whole_folder_is_kept(made, monkeypatch):
    before = {file: file.stat().st_mtime_ns for file in made.rglob("*")}
    monkeypatch.setattr(writing, "draw_case", lambda *_: pytest.fail("drew a case again"))
    make_phantoms(made, **SMALL)
    assert {file: file.stat().st_mtime_ns for file in made.rglob("*")} == before


def test_empty_folder_is_filled(tmp_path):
    make_phantoms(tmp_path, n_cases=1, size=32, slices=(4, 4))
    assert (tmp_path / "phantoms.json").is_file()


def spoil_foreign(folder):
    (folder / "phantoms.json").unlink()


def spoil_case(folder):
    next(folder.glob("TCGA_*/*_2.tif")).unlink()


def spoil_note(folder):
    (folder / "phantoms.json").write_text("{")


def spoil_note_by(content):
    return lambda folder: (folder / "phantoms.json").write_bytes(content)


def pipe_for_note(folder):
    (folder / "phantoms.json").unlink()
    os.mkfifo(folder / "phantoms.json")


def spoil_table(folder):
    (folder / "data.csv").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_foreign, "is not empty"),
        (spoil_case, "files are missing"),
        (spoil_note, "cannot be read"),
        (spoil_note_by(b"null"), "cannot be read"),
        (spoil_note_by(b"[]"), "cannot be read"),
        (spoil_note_by(b"{}"), "other parameters"),
        (spoil_note_by(b'{"parameters": "\xff"}'), "cannot be read"),
        (spoil_note_by(b'{"parameters": ' + b"[" * 100_000), "cannot be read"),
        (spoil_note_by(b'{"parameters": {"seed": 1e999, "size": ' + b"9" * 5_000 + b"}}"), "cannot be read"),
        (spoil_note_by(b" " * (1 << 21)), "cannot be read"),
        (pipe_for_note, "cannot be read"),
        (spoil_table, "data.csv"),
    ],
)
def test_folder_that_holds_anything_else_is_refused_and_left_alone(tmp_path, spoil, said):
    folder = tmp_path / "p"
    make_phantoms(folder, n_cases=1, size=32, slices=(4, 4))
    spoil(folder)
    before = digests(folder)
    with pytest.raises(UserError, match=said) as raised:
        make_phantoms(folder, n_cases=1, size=32, slices=(4, 4))
    assert "\n" not in str(raised.value) and str(folder) in str(raised.value)
    assert digests(folder) == before


def test_other_parameters_and_a_file_are_refused(made):
    with pytest.raises(UserError, match="other parameters"):
        make_phantoms(made, **(SMALL | {"seed": 9}))
    with pytest.raises(UserError, match="is a file"):
        make_phantoms(made / "data.csv", **SMALL)
    with pytest.raises(UserError, match="name a folder"):
        make_phantoms(made / "data.csv" / "below", **SMALL)


@pytest.mark.parametrize(
    "wrong", [{"n_cases": 0}, {"n_cases": 1000}, {"size": 16}, {"slices": (3, 5)}, {"slices": (9, 8)}, {"seed": -1}]
)
def test_parameters_out_of_range_name_the_mend(tmp_path, wrong):
    with pytest.raises(UserError, match=f"phantoms: {next(iter(wrong))} is .*; give"):
        make_phantoms(tmp_path / "p", **(SMALL | wrong))
    assert not any(tmp_path.iterdir())


def test_interruption_leaves_nothing(tmp_path, monkeypatch):
    def stop_at_third(case, size, real=draw_case):
        if case.patient.endswith("9003"):
            raise KeyboardInterrupt
        return real(case, size)

    monkeypatch.setattr(writing, "draw_case", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        make_phantoms(tmp_path / "p", **SMALL)
    assert not any(tmp_path.iterdir())


def test_second_run_that_finishes_later_accepts_the_first(tmp_path, monkeypatch):
    small = {"n_cases": 1, "size": 32, "slices": (4, 4)}

    def overtaken(case, size, real=draw_case):
        monkeypatch.setattr(writing, "draw_case", real)
        make_phantoms(tmp_path / "p", **small)
        return real(case, size)

    monkeypatch.setattr(writing, "draw_case", overtaken)
    make_phantoms(tmp_path / "p", **small)
    make_phantoms(tmp_path / "p", **small)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_tenth_lacks_post_and_most_of_these_pre(drawn):
    plans = plan_cases(Parameters(n_cases=40, seed=0, size=256, slices=(12, 20)))
    kinds = [case.missing for case in plans]
    assert (kinds.count("pre post"), kinds.count("post"), kinds.count("")) == (3, 1, 36)
    assert len({case.site for case in plans}) >= 4
    for case, volume, _ in drawn:
        for channel, sequence in ((0, "pre"), (2, "post")):
            repeats = np.array_equal(volume[..., channel], volume[..., 1])
            assert repeats == (sequence in case.missing)


def test_lesion_is_in_a_third_of_the_slices_and_in_one_piece_through_them(drawn):
    shares = [mask.any(axis=(1, 2)).mean() for _, _, mask in drawn]
    assert min(shares) > 0 and 0.25 < np.mean(shares) < 0.45
    for _, _, mask in drawn:
        positive = np.flatnonzero(mask.any(axis=(1, 2)))
        assert positive[-1] - positive[0] + 1 == len(positive)


def test_lesion_looks_as_described(drawn):
    """Against the brain around it: bright on FLAIR, dark before contrast, with parts that enhance after it."""
    flair, pre, post = [], [], []
    for case, volume, mask in drawn:
        near = np.stack([cv2.dilate(m.astype(np.uint8), np.ones((9, 9))) for m in mask]).astype(bool) & ~mask
        ratio = [volume[..., c][mask].astype(float) / np.median(volume[..., c][near]) for c in range(3)]
        flair.append(np.median(ratio[1]))
        if not case.missing:
            pre.append(np.median(ratio[0]))
            post.append(np.percentile(ratio[2], 97) / np.percentile(ratio[0], 97))
    assert np.median(flair) > 1.25 and np.median(pre) < 0.9 and np.median(post) > 1.15


def test_scalp_is_brighter_than_brain_in_some_cases_far_brighter(drawn):
    ratios = []
    for _, volume, _ in drawn:
        middle = volume[int(len(volume) * 0.6), ..., 1].astype(float)
        ratios.append(np.percentile(middle, 98) / np.median(middle[middle > 20]))
    assert np.median(ratios) > 1.3 and max(ratios) > 2


def test_no_threshold_on_flair_finds_the_lesions(drawn):
    """Easy phantoms would teach nothing: the best threshold for all stays far below what a trained net reaches."""
    raw, normal, masks, heads, inner = [], [], [], [], []
    for _, volume, mask in drawn:
        flair = volume[..., 1].astype(np.float32)
        head = volume.max(axis=-1) > 20
        depth = np.stack([cv2.distanceTransform(h.astype(np.uint8), cv2.DIST_L2, 3) for h in head])
        deep = depth > 0.3 * depth.max()
        low, middle, high = np.percentile(flair[deep], [10, 50, 90])
        raw.append(flair / 255 * 8 - 2)
        normal.append((flair - middle) / (high - low))
        masks.append(mask)
        heads.append(head)
        inner.append(deep)
    assert best_threshold_dice(raw, masks, heads) < 0.3
    assert best_threshold_dice(normal, masks, heads) < 0.3
    assert 0.05 < best_threshold_dice(normal, masks, inner) < 0.45  # the lesion shows, but so does more
