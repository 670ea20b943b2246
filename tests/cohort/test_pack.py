import json
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest

from headtohead.cohort import Cohort, listing, open_cohort, pack
from headtohead.errors import UserError
from headtohead.preparing.head import head_mask, inner_head
from headtohead.readers import lgg
from headtohead.readers.lgg import list_cases, read_case
from headtohead.readers.reader import AS_NAMED


@pytest.fixture
def own_root(phantom_root: Path, tmp_path: Path) -> Path:
    """A copy of three patients that a test may change."""
    root = tmp_path / "own"
    for folder in sorted(path for path in phantom_root.iterdir() if path.is_dir())[:3]:
        shutil.copytree(folder, root / folder.name)
    return root


def test_the_packed_copy_holds_every_pixel_in_its_place(phantom_root: Path, phantom_cohort: Cohort) -> None:
    for case, files in enumerate(list_cases(phantom_root)):
        found = read_case(files)
        assert found.labels is not None
        np.testing.assert_array_equal(phantom_cohort.images(case), found.images)
        np.testing.assert_array_equal(phantom_cohort.labels(case), found.labels)
        np.testing.assert_array_equal(phantom_cohort.truth(case), [found.labels == 1])
        np.testing.assert_array_equal(phantom_cohort.masks(case), found.labels)
        np.testing.assert_array_equal(phantom_cohort.inner_heads(case), inner_head(head_mask(found.images)))


def test_global_slice_numbers_lead_to_their_case(phantom_cohort: Cohort) -> None:
    listed = [
        (case, index) for case in range(len(phantom_cohort)) for index in range(phantom_cohort.table["slices"][case])
    ]
    assert [phantom_cohort.case_of(number) for number in range(phantom_cohort.n_slices)] == listed
    assert [phantom_cohort.slices_of(1)[0], phantom_cohort.slices_of(1)[-1] + 1] == phantom_cohort.table["first"][
        1:3
    ].tolist()


def test_missing_sequences_are_seen_in_the_pixels(own_root: Path, tmp_path: Path) -> None:
    files = list_cases(own_root)[0]
    for path in files.images:
        image = cv2.imread(str(path))
        image[..., 0] = image[..., 1]  # blue is post-contrast, green is FLAIR
        cv2.imwrite(str(path), image)
    table = open_cohort(own_root, tmp_path / "packed").table
    assert table["missing"][0] in ("post", "pre post")
    assert "post" in table["missing"][0].split()


def test_a_second_run_reads_no_pixel_again(own_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_cohort(own_root, tmp_path / "packed")
    monkeypatch.setattr(pack, "_pack", None)
    monkeypatch.setattr(listing.DataFiles, "content_key", None)
    assert open_cohort(own_root, tmp_path / "packed").key == first.key


def test_an_edit_makes_a_new_copy_and_undoing_it_finds_the_old_one(own_root: Path, tmp_path: Path) -> None:
    before = open_cohort(own_root, tmp_path / "packed")
    path = list_cases(own_root)[0].masks[0]
    original = path.read_bytes()
    cv2.imwrite(str(path), 255 - cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    edited = open_cohort(own_root, tmp_path / "packed")
    assert edited.key != before.key
    assert edited.masks(0)[0].sum() != before.masks(0)[0].sum()
    path.write_bytes(original)
    assert open_cohort(own_root, tmp_path / "packed").key == before.key


def test_the_key_does_not_depend_on_where_the_data_lie(own_root: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(own_root, tmp_path / "elsewhere")
    assert open_cohort(own_root, tmp_path / "a").key == open_cohort(elsewhere, tmp_path / "b").key


def test_two_processes_may_pack_at_once(own_root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "packed"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        one, other = [pool.submit(open_cohort, own_root, cache) for _ in range(2)]
    assert one.result().key == other.result().key
    np.testing.assert_array_equal(one.result().images(0), other.result().images(0))
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [one.result().packed.name]


def test_nothing_is_left_of_a_packing_that_failed(own_root: Path, tmp_path: Path) -> None:
    path = list_cases(own_root)[-1].masks[0]
    cv2.imwrite(str(path), np.full((64, 64), 9, np.uint8))
    with pytest.raises(UserError, match="only 0 and 255"):
        open_cohort(own_root, tmp_path / "packed")
    assert [entry for entry in (tmp_path / "packed").iterdir() if entry.suffix != ".lock"] == []


def test_cases_of_different_size_live_in_one_cohort(own_root: Path, tmp_path: Path) -> None:
    for path in list_cases(own_root)[1].images + list_cases(own_root)[1].masks:
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), pixels[:40])
    cohort = open_cohort(own_root, tmp_path / "packed")
    assert cohort.images(0).shape[1:] == (64, 64, 3)
    assert cohort.images(1).shape[1:] == (40, 64, 3)
    np.testing.assert_array_equal(cohort.images(2)[0], read_case(list_cases(own_root)[2]).images[0])


@pytest.mark.exhaustive
def test_the_real_data_set_is_as_published(shared_lgg: Path, tmp_path: Path) -> None:
    cohort = open_cohort(shared_lgg, tmp_path / "packed")
    table = cohort.table
    assert (len(cohort), cohort.n_slices, int(table["lesion_slices"].sum())) == (110, 3929, 1373)
    assert int(table["lesion_voxels"].sum()) == 2_651_854
    assert table["site"].value_counts().to_dict() == {"DU": 45, "HT": 34, "CS": 16, "FG": 14, "EZ": 1}
    assert (table["slices"].min(), table["slices"].max()) == (20, 88)
    assert table["lesion_slices"].min() >= 1
    missing = table[table["missing"] != ""].set_index("patient")["missing"].str.removeprefix("TCGA_").to_dict()
    only_flair = {"DU_7013", "FG_A60K", "HT_7877", "HT_8105", "HT_A616", "HT_A61B"}
    no_post = {"DU_6407", "DU_7301", "DU_8165", "FG_7634"}
    assert {name.removeprefix("TCGA_") for name, lost in missing.items() if lost == "pre post"} == only_flair
    assert {name.removeprefix("TCGA_") for name, lost in missing.items() if lost == "post"} == no_post
    assert table["neoplasm_histologic_grade"].ne("").sum() > 100
    assert lgg.TASK.primary_channel == 1


def test_content_key_is_known_without_packing(phantom_root: Path, phantom_cohort: Cohort) -> None:
    assert listing.list_data(phantom_root, "lgg", AS_NAMED).content_key() == phantom_cohort.key


def test_a_pipe_among_its_files_is_refused(own_root: Path) -> None:
    path = next(own_root.glob("*/*_2.tif"))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=f"{path}: .*a pipe or a device"):
        listing.list_data(own_root, "lgg", AS_NAMED).content_key()


def damage_copy(copy: Path, how: str) -> None:
    """Damage a packed copy."""
    if how == "cut short":
        os.truncate(copy / "images.u8", 1000)
    elif how == "grown":
        with (copy / "labels.u8").open("ab") as file:
            file.write(b"\0")
    elif how == "no pixels":
        (copy / "inner.u8").unlink()
    elif how == "no statistics":
        (copy / "statistics.npz").write_bytes(b"PK\x03\x04")
    elif how == "statistics of other cases":
        np.savez(copy / "statistics.npz", zscore=np.ones((1, 3, 2), "f4"), inner=np.ones((1, 3, 2), "f4"))
    elif how == "statistics that are objects":
        np.savez(copy / "statistics.npz", zscore=np.array([{}]), inner=np.array([{}]))
    elif how == "another table":
        (copy / "cases.csv").write_bytes(b"case,slices\na,b\n")
    else:
        (copy / "cases.csv").write_bytes(b"\xff")


@pytest.mark.parametrize(
    "how",
    ["cut short", "grown", "no pixels", "no statistics", "statistics of other cases", "statistics that are objects",
     "another table", "a table that is no text"],
)  # fmt: skip
def test_a_damaged_copy_is_packed_again(own_root: Path, tmp_path: Path, how: str) -> None:
    before = open_cohort(own_root, tmp_path / "packed")
    expected = before.images(0).copy()
    damage_copy(before.packed, how)
    again = open_cohort(own_root, tmp_path / "packed")
    assert again.key == before.key
    np.testing.assert_array_equal(again.images(0), expected)
    assert [path.name for path in (tmp_path / "packed").glob(".packing-*")] == []


@pytest.mark.parametrize(
    "content",
    [b"null", b"[]", b'"text"', b"\xff", b"[" * 100_000, b"{}", b'{"fingerprint": %b}',
     b'{"fingerprint": %b, "key": 5}', b'{"fingerprint": %b, "key": "../../etc"}',
     b'{"fingerprint": %b, "key": ["a"]}'],
)  # fmt: skip
def test_a_damaged_note_is_written_again(own_root: Path, tmp_path: Path, content: bytes) -> None:
    key = open_cohort(own_root, tmp_path / "packed").key
    note = next((tmp_path / "packed").glob("*.json"))
    whole = note.read_bytes()
    note.write_bytes(content.replace(b"%b", json.dumps(json.loads(whole)["fingerprint"]).encode()))
    assert open_cohort(own_root, tmp_path / "packed").key == key
    assert note.read_bytes() == whole


def test_a_note_leads_to_no_copy_elsewhere(own_root: Path, tmp_path: Path) -> None:
    before = open_cohort(own_root, tmp_path / "packed")
    shutil.copytree(before.packed, tmp_path / "planted" / before.packed.name)
    note = next((tmp_path / "packed").glob("*.json"))
    note.write_text(json.dumps(json.loads(note.read_text()) | {"key": f"../planted/{before.key}"}))
    again = open_cohort(own_root, tmp_path / "packed")
    assert (again.key, again.packed) == (before.key, before.packed)


@pytest.mark.parametrize("file", ["image", "mask", "data.csv"])
def test_a_pipe_in_place_of_a_file_is_refused(own_root: Path, tmp_path: Path, file: str) -> None:
    files = list_cases(own_root)[0]
    path = {"image": files.images[0], "mask": files.masks[0], "data.csv": own_root / "data.csv"}[file]
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(UserError, match=rf"{path.name}: .*a pipe or a device"):
        open_cohort(own_root, tmp_path / "packed")


def test_patients_that_are_numbers_are_text(own_root: Path, tmp_path: Path) -> None:
    (own_root / "data.csv").write_text("Patient,gender\n1,2\n2,1\n,\n")
    table = open_cohort(own_root, tmp_path / "packed").table
    assert len(table) == 3 and table["gender"].eq("").all()


@pytest.mark.parametrize("content", ["Patient\na,b\n", "Patient,x\na,b,c,d\n", "", "\0\0", 'Patient\n"a'])
def test_a_ragged_table_of_patients_is_named(own_root: Path, tmp_path: Path, content: str) -> None:
    (own_root / "data.csv").write_text(content)
    with pytest.raises(UserError, match=r"data\.csv: (not a readable CSV table|no column Patient)"):
        open_cohort(own_root, tmp_path / "packed")
    assert not list((tmp_path / "packed").glob("*.json")) and not list((tmp_path / "packed").glob(".packing-*"))
