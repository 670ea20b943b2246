"""Steps of a clean-up: what each does, along which axes, and at the edges."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

import headtohead
from headtohead.predicting.cleaning.postprocessing import UNITS, clean, parse_steps
from headtohead.scoring.components import largest_component
from headtohead.trained.foreign.fetal_h5 import CLEAN_UP

MASKS = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 12)).flatmap(lambda s: arrays.arrays(bool, s))
ALL = (
    "largest",
    "fill",
    "min_size=3vox",
    "min_size=0.01ml",
    "close=2mm",
    "close=2cube",
    "open=1vox",
    "dilate=2px",
    "erode=1px",
)
SPACING = (4.0, 1.0, 1.0)


def cleaned(mask: np.ndarray, text: str, spacing: tuple[float, float, float] | None = SPACING) -> np.ndarray:
    return clean(mask, parse_steps(text), spacing)


def dot(shape: tuple[int, int, int], *places: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for place in places:
        mask[place] = True
    return mask


# What each does.


@pytest.mark.parametrize("text", ALL)
def test_an_empty_mask_stays_empty_and_a_full_one_full(text: str) -> None:
    for shape in ((1, 1, 1), (1, 6, 6), (3, 7, 5)):
        assert not cleaned(np.zeros(shape, bool), text).any()
        if shape != (1, 1, 1):
            assert cleaned(np.ones(shape, bool), text).all()


@given(MASKS, st.sampled_from(ALL))
def test_shape_type_and_input_are_kept(mask: np.ndarray, text: str) -> None:
    before = mask.copy()
    result = cleaned(mask, text)
    assert result.dtype == bool and result.shape == mask.shape
    assert np.array_equal(mask, before)


@given(MASKS, st.sampled_from(["largest", "fill", "min_size=3vox", "largest,fill"]))
def test_once_is_enough(mask: np.ndarray, text: str) -> None:
    once = cleaned(mask, text)
    assert np.array_equal(cleaned(once, text), once)


@given(MASKS)
def test_largest_is_the_one_that_is_scored_after(mask: np.ndarray) -> None:
    assert np.array_equal(cleaned(mask, "largest"), largest_component(mask))


@given(
    MASKS, st.data(), st.sampled_from(["dilate=2px", "dilate=1.5vox", "dilate=5mm", "erode=1px", "close=2vox", "fill"])
)
def test_more_in_is_never_less_out(mask: np.ndarray, data: st.DataObject, text: str) -> None:
    less = mask & data.draw(arrays.arrays(bool, mask.shape))
    assert not (cleaned(less, text) & ~cleaned(mask, text)).any()


@given(
    MASKS, st.sampled_from([("erode=1px", "dilate=1px"), ("open=2vox", "close=2vox"), ("open=2cube", "close=2cube")])
)
def test_one_shrinks_and_the_other_grows(mask: np.ndarray, pair: tuple[str, str]) -> None:
    small, large = (cleaned(mask, text) for text in pair)
    assert not (small & ~mask).any() and not (mask & ~large).any()


@given(MASKS, st.sampled_from(ALL))
def test_mirrored_and_turned_masks_are_cleaned_alike(mask: np.ndarray, text: str) -> None:
    if text in ("largest", "close=2cube"):  # of equal pieces the first; an even cube has no middle
        return
    for copy in (lambda one: one[::-1], lambda one: one[:, ::-1], lambda one: one.transpose(0, 2, 1)):
        assert np.array_equal(cleaned(copy(mask), text), copy(cleaned(mask, text)))


@given(MASKS, st.sampled_from([one for one in ALL if "largest" not in one]), st.integers(1, 3))
def test_empty_surroundings_change_nothing_but_at_the_edges(mask: np.ndarray, text: str, more: int) -> None:
    """The work is done in a box around the mask: the same box within a larger volume gives the same."""
    room = np.pad(mask, ((2, 2), (6, 6), (6, 6)))
    wide = np.pad(room, more)
    assert np.array_equal(cleaned(wide, text)[(slice(more, -more),) * 3], cleaned(room, text))


def test_min_size_counts_in_each_unit() -> None:
    mask = dot((5, 9, 9), (0, 0, 0), (3, 4, 4), (4, 5, 5))  # one voxel; two that meet by a corner
    for text, kept in (
        ("min_size=1vox", 3),
        ("min_size=2vox", 2),
        ("min_size=3vox", 0),
        ("min_size=8mm3", 2),  # a voxel has 4 mm3
        ("min_size=8.1mm3", 0),
        ("min_size=0.004ml", 3),
        ("min_size=0.0041ml", 2),
    ):
        assert cleaned(mask, text).sum() == kept, text


# Along which axes.


@pytest.mark.parametrize(
    ("text", "spacing", "extent"),
    [
        ("dilate=2mm", (4, 1, 1), (1, 5, 5)),
        ("dilate=2mm", (1, 1, 4), (5, 5, 1)),
        ("dilate=2mm", (1, 2, 4), (5, 3, 1)),
        ("dilate=4mm", (4, 1, 1), (3, 9, 9)),
        ("dilate=2mm", (1.0000001, 1, 0.9999999), (5, 5, 5)),
        ("dilate=0.5mm", (4, 1, 1), (1, 1, 1)),
        ("dilate=2px", (0.1, 1, 1), (1, 5, 5)),
        ("dilate=2px", None, (1, 5, 5)),
        ("dilate=2vox", (4, 1, 1), (5, 5, 5)),
        ("dilate=2vox", None, (5, 5, 5)),
    ],
)
def test_a_dot_grows_into_an_ellipsoid(
    text: str, spacing: tuple[float, float, float] | None, extent: tuple[int, int, int]
) -> None:
    grown = cleaned(dot((11, 11, 11), (5, 5, 5)), text, spacing)
    where = np.argwhere(grown)
    assert tuple(np.ptp(where, axis=0) + 1) == extent
    assert np.array_equal(where.mean(axis=0), (5, 5, 5))
    if "mm" in text and spacing:
        distances = np.sqrt(((where - 5) ** 2 * np.array(spacing) ** 2).sum(axis=1))
        outside = np.sqrt(((np.argwhere(~grown) - 5) ** 2 * np.array(spacing) ** 2).sum(axis=1))
        radius = parse_steps(text)[0].amount
        assert distances.max() <= radius * 1.0001 < outside.min()


@given(MASKS, st.sampled_from(["dilate=2mm", "erode=2mm", "close=2mm", "open=2mm", "dilate=2px", "close=3px"]))
def test_two_millimetres_never_cross_slices_of_four(mask: np.ndarray, text: str) -> None:
    whole = cleaned(mask, text)
    assert np.array_equal(whole, np.concatenate([cleaned(one[None], text) for one in mask]))


def test_a_lone_slice_is_cleaned_as_a_plane_whatever_the_unit() -> None:
    mask = np.zeros((1, 20, 20), bool)
    mask[0, 5:9, 5:9] = mask[0, 5:9, 10:14] = True
    mask[0, 0:3, 15] = True
    for step in ("close", "erode", "open", "dilate"):
        planes = [cleaned(mask, f"{step}=2{unit}", (1, 1, 1)) for unit in ("px", "vox", "mm")]
        assert np.array_equal(planes[0], planes[1]) and np.array_equal(planes[0], planes[2])
    assert cleaned(mask, "close=2vox")[0, 6, 9], "the gap is closed"


# At the edges.


def test_what_the_edge_cuts_is_not_worn_away() -> None:
    mask = np.zeros((4, 10, 10), bool)
    mask[:, :3] = True
    assert np.array_equal(cleaned(mask, "open=2vox"), mask)
    mask[2:] = False
    assert np.argwhere(cleaned(mask, "erode=1vox")).max(axis=0).tolist() == [0, 1, 9]


def test_growth_stops_at_the_edge_and_comes_out_nowhere_else() -> None:
    grown = cleaned(dot((3, 9, 9), (0, 0, 8)), "dilate=2vox", None)
    assert (
        np.argwhere(grown).tolist()
        == np.argwhere(
            sum((axis - place) ** 2 for axis, place in zip(np.ogrid[:3, :9, :9], (0, 0, 8), strict=True)) <= 4
        ).tolist()
    )


# As other programs do it.


def test_the_clean_up_of_the_fetal_masks() -> None:
    """Step by step as its authors did with SciPy's and scikit-image's operators, away from the edges."""
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(12, 40, 40)), (0.7, 2, 2))
    mask = np.pad(noise > 0.2, 4)
    rows, columns = np.ogrid[-2:3, -2:3]
    disk = rows**2 + columns**2 <= 4
    grown = ndimage.binary_dilation(mask, disk[None])
    closed = ndimage.binary_closing(grown, np.ones((2, 2, 2)))
    labels, number = ndimage.label(closed, np.ones((3, 3, 3)))
    assert number > 1 and (closed != grown).any(), "or nothing is put to the test"
    expected = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    assert np.array_equal(cleaned(mask, CLEAN_UP, None), expected)


def test_every_step_is_tested_here() -> None:
    assert {text.partition("=")[0] for text in ALL} == set(UNITS)


# As fast as a mask deserves.


def test_nothing_slow_is_imported() -> None:
    source = str(Path(headtohead.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {source!r})\n"
        "import numpy as np\n"
        "from headtohead.predicting.cleaning.postprocessing import clean, parse_steps\n"
        f"clean(np.eye(9, dtype=bool)[None], parse_steps({','.join(ALL)!r}), (4., 1., 1.))\n"
        "print(sorted({'scipy', 'torch', 'pandas', 'matplotlib', 'yaml'} & sys.modules.keys()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n", run.stderr
