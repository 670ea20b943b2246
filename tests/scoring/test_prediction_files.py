"""masks.npz and probabilities.npz: what comes back, whole files or none, one case in memory, clear errors."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.errors import UserError
from headtohead.scoring.prediction_files import MASKS, PROBABILITIES, read_mask, writing


def random_mask(seed: int, shape: tuple[int, ...] = (5, 7, 9)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < 0.3


def random_histogram(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**32, (seed + 1, 2, 256), np.uint32)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    path = tmp_path / "run" / MASKS
    with writing(path) as writer:
        writer.add_mask("TCGA_CS_1", random_mask(1))
        writer.add_mask("TCGA_CS_2", random_mask(2, (4, 16, 16)))
    return path


@settings(max_examples=25)
@given(shape=st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9)), seed=st.integers(0, 99))
def test_a_mask_of_any_shape_comes_back(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...], seed: int
) -> None:
    path = tmp_path_factory.mktemp("any") / MASKS
    with writing(path) as writer:
        writer.add_mask("a", random_mask(seed, shape))
    found = read_mask(path, "a", shape)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, random_mask(seed, shape))


def test_cases_are_kept_apart_and_in_order(masks: Path) -> None:
    assert np.load(masks).files == ["TCGA_CS_1", "TCGA_CS_2"]
    assert (read_mask(masks, "TCGA_CS_1", (5, 7, 9)) == random_mask(1)).all()
    assert (read_mask(masks, "TCGA_CS_2", (4, 16, 16)) == random_mask(2, (4, 16, 16))).all()


def test_histograms_come_back(tmp_path: Path) -> None:
    path = tmp_path / PROBABILITIES
    with writing(path) as writer:
        for seed in range(3):
            writer.add_histogram(f"case {seed}", random_histogram(seed))
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["case 0"].dtype == np.uint32
        assert (arrays["case 0"] == random_histogram(0)[0]).all(), "one target has no axis of its own"
        assert all((arrays[f"case {seed}"] == random_histogram(seed)).all() for seed in (1, 2))


def test_numpy_reads_them_without_us(masks: Path) -> None:
    with np.load(masks, allow_pickle=False) as arrays:
        found = np.unpackbits(arrays["TCGA_CS_1"], count=5 * 7 * 9).reshape(5, 7, 9)
    assert (found == random_mask(1)).all()


def test_the_same_predictions_give_the_same_bytes(masks: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.npz"
    with writing(again) as writer:
        writer.add_mask("TCGA_CS_1", random_mask(1))
        writer.add_mask("TCGA_CS_2", random_mask(2, (4, 16, 16)))
    assert again.read_bytes() == masks.read_bytes()


def test_a_writing_that_fails_leaves_the_old_file_as_it_was(masks: Path) -> None:
    before = masks.read_bytes()
    with pytest.raises(ValueError, match="bool"), writing(masks) as writer:
        _ = writer.add_mask("new", random_mask(3)), writer.add_mask("worse", np.zeros(3))
    assert masks.read_bytes() == before
    assert list(masks.parent.iterdir()) == [masks]


def test_memory_holds_one_case_at_a_time(tmp_path: Path) -> None:
    shape, cases = (20, 128, 128), 30
    path = tmp_path / MASKS
    tracemalloc.start()
    with writing(path) as writer:
        for seed in range(cases):
            writer.add_mask(str(seed), random_mask(seed, shape))
    _, writing_peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    for seed in range(cases):
        read_mask(path, str(seed), shape)
    _, reading_peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    voxels = int(np.prod(shape))
    assert writing_peak < 12 * voxels  # a case's float64 noise and its mask
    assert reading_peak < 4 * voxels
    assert writing_peak + reading_peak < cases * voxels, "or this test could not see a file in memory"


def test_a_case_stands_once_in_a_file(tmp_path: Path) -> None:
    with writing(tmp_path / MASKS) as writer:
        writer.add_mask("a", random_mask(1))
        with pytest.raises(ValueError, match="a was added before"):
            writer.add_mask("a", random_mask(2))


def test_arrays_of_another_kind_are_refused(tmp_path: Path) -> None:
    with writing(tmp_path / MASKS) as writer:
        with pytest.raises(ValueError, match="bool"):
            writer.add_mask("a", random_mask(1).astype(np.uint8))
        with pytest.raises(ValueError, match="uint32"):
            writer.add_histogram("a", np.zeros((1, 2, 256)))
        with pytest.raises(ValueError, match="256"):
            writer.add_histogram("a", np.zeros((1, 2, 255), np.uint32))


def test_an_unknown_case_is_named(masks: Path) -> None:
    with pytest.raises(UserError, match="no prediction of TCGA_XX"):
        read_mask(masks, "TCGA_XX", (5, 7, 9))


def test_a_case_that_has_other_slices_now_is_refused(masks: Path) -> None:
    with pytest.raises(UserError, match=r"TCGA_CS_1 is of another size than its images; .* run `test` again"):
        read_mask(masks, "TCGA_CS_1", (6, 7, 9))


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`test`"):
        read_mask(tmp_path / MASKS, "a", (1, 1, 1))


@pytest.mark.parametrize("damage", ["cut short", "not an archive", "empty", "a byte turned"])
def test_a_damaged_file_is_named_as_such(masks: Path, damage: str) -> None:
    whole = masks.read_bytes()
    turned = bytearray(whole)
    turned[90] ^= 0xFF
    spoilt = {"cut short": whole[:-40], "not an archive": b"hello", "empty": b"", "a byte turned": bytes(turned)}
    masks.write_bytes(spoilt[damage])
    with pytest.raises(UserError, match="damaged"):
        read_mask(masks, "TCGA_CS_1", (5, 7, 9))
