"""Seven conventions: the worked example of the docs, an independent computation, and what each must not depend on."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.scoring.components import largest_component
from headtohead.scoring.conventions import (
    LARGEST,
    MEANINGS,
    ONE_TOO_FEW,
    PER_BATCH,
    PER_CASE,
    PER_SLICE,
    POOLED,
    TUMOUR_SLICES,
    conventions,
    slice_counts,
)
from headtohead.scoring.counts import dice

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "why-this-number-differs.md"
BATCH_SIZE = 3  # of the page's example
NUMBERS = ["TP", "FP", "FN", "apart"]


def page_tables() -> list[pd.DataFrame]:
    """Give the tables of the page, in order, as text."""
    tables = []
    for block in re.findall(r"(?:^\|.*\|\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        tables.append(pd.DataFrame(rows, columns=head))
    return tables


@pytest.fixture(scope="module")
def example() -> pd.DataFrame:
    """The page's slices as counts."""
    table = page_tables()[0]
    tp, fp, fn, apart = table[NUMBERS].astype(int).to_numpy().T
    return pd.DataFrame(
        {
            "case": table["patient"],
            "slice": table["slice"].astype(int) - 1,
            "tp": tp,
            "fp": fp,
            "fn": fn,
            "predicted": tp + fp,
            "truth": tp + fn,
            "largest_tp": tp,
            "largest_fp": fp - apart,
        }
    )


def scores(slices: pd.DataFrame, batch_size: int = BATCH_SIZE) -> dict[str, float]:
    return conventions(slices, batch_size).set_index("convention")["score"].to_dict()


def drawn(example: pd.DataFrame, case: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw masks with the page's counts: slices of one row, the false alarm apart at its far end."""
    rows = example[example["case"] == case]
    prediction, truth = np.zeros((2, len(rows), 1, 400), bool)
    for number, (_, row) in enumerate(rows.iterrows()):
        apart = row["fp"] - row["largest_fp"]
        truth[number, 0, : row["truth"]] = True
        prediction[number, 0, row["fn"] : row["truth"] + row["largest_fp"]] = True
        prediction[number, 0, 400 - apart :] = True
    return prediction, truth


def made_up(seed: int, cases: int = 4) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Cases of random size, with slices and whole cases without lesion or prediction."""
    rng = np.random.default_rng(seed)
    found = []
    for case in range(cases):
        shape = (int(rng.integers(1, 7)), 6, 6)
        keep = rng.random((2, shape[0], 1, 1)) < 0.6
        prediction, truth = (rng.random((2, *shape)) < 0.3) & keep
        found.append((f"case {case}", prediction, truth & (case != 0)))
    return found


def counted(cases: list[tuple[str, np.ndarray, np.ndarray]]) -> pd.DataFrame:
    return pd.concat([slice_counts(p, t, case) for case, p, t in cases], ignore_index=True)


def overlap(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Dice from the masks themselves."""
    both = prediction.sum() + truth.sum()
    return 2 * (prediction & truth).sum() / both if both else math.nan


# The page


def test_page_scores_are_those_of_its_slices(example: pd.DataFrame) -> None:
    wanted = page_tables()[1]
    found = conventions(example, BATCH_SIZE)
    assert wanted["convention"].tolist() == found["convention"].tolist() == list(MEANINGS)
    assert wanted["score"].tolist() == [f"{score:.3f}".removeprefix("0") for score in found["score"]]
    assert wanted["n"].astype(int).tolist() == found["n"].tolist()


def test_page_headings_say_the_same_scores(example: pd.DataFrame) -> None:
    headings = dict(re.findall(r"^### (.+): ([\d.]+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    found = {name.lower(): f"{score:.3f}".removeprefix("0") for name, score in scores(example).items()}
    assert {name.lower(): score for name, score in headings.items()} == found


def test_page_slices_have_the_dice_they_say(example: pd.DataFrame) -> None:
    found = dice(example["tp"], example["fp"], example["fn"])
    wanted = ["0/0" if math.isnan(one) else f"{one:.3f}".removeprefix("0") for one in found]
    assert page_tables()[0]["Dice"].tolist() == wanted


@pytest.mark.parametrize(("number", "column"), [(2, "patient"), (3, "batch")])
def test_page_sums_and_divisions_are_right(example: pd.DataFrame, number: int, column: str) -> None:
    table = page_tables()[number]
    groups = example["case"] if column == "patient" else np.arange(len(example)) // BATCH_SIZE + 1
    sums = example.groupby(groups)[["tp", "fp", "fn"]].sum()
    assert table[column].tolist() == [str(name) for name in sums.index]
    assert table[["TP", "FP", "FN"]].astype(int).to_numpy().tolist() == sums.to_numpy().tolist()
    for text, (tp, fp, fn) in zip(table["Dice"], sums.to_numpy(), strict=True):
        if tp + fp + fn:
            assert text == f"{2 * tp} / {2 * tp + fp + fn} = {dice(tp, fp, fn):.3f}".replace("= 0.", "= .")
        else:
            assert text == "1"


def test_page_equations_hold() -> None:
    """Each `a = b = c` of the page's indented lines, as far as it is numbers only, to the last digit printed."""
    checked = 0
    for line in re.findall(r"^    (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        for equation in re.split(r"\s{2,}", re.sub(r"\b[A-Z]: ", "", line)):
            if not re.fullmatch(r"[\d\s.,+*x/()=-]+", equation) or "=" not in equation:
                continue
            sides = [eval(side.replace("x", "*").replace(",", ""), {}) for side in equation.split("=")]
            assert sides == pytest.approx([sides[-1]] * len(sides), abs=0.0011), equation
            checked += 1
    assert checked >= 8


def test_page_example_can_be_drawn(example: pd.DataFrame) -> None:
    found = pd.concat([slice_counts(*drawn(example, case), case) for case in "ABC"], ignore_index=True)
    pd.testing.assert_frame_equal(found, example, check_dtype=False)


def test_page_is_right_about_other_batch_sizes(example: pd.DataFrame) -> None:
    text = PAGE.read_text(encoding="utf-8").replace("\n", " ")
    said = {int(size): float(score) for size, score in re.findall(r"batch(?:es)? of (\d+).{0,50}?score (\.\d+)", text)}
    assert said.keys() == {4, 1, 12}
    for size, score in said.items():
        assert scores(example, size)[PER_BATCH] == pytest.approx(score, abs=0.0005)
    assert scores(example, 4)[PER_BATCH] == scores(example)[PER_CASE]
    assert scores(example, 1)[PER_BATCH] == scores(example)[PER_SLICE]
    assert scores(example, 12)[PER_BATCH] == scores(example)[POOLED]


@given(seed=st.integers(0, 2**32 - 1))
def test_page_rule_dice_of_all_is_the_weighted_mean_of_the_parts(seed: int) -> None:
    tp, fp, fn = np.random.default_rng(seed).integers(1, 1000, (3, 8))
    weights = 2 * tp + fp + fn
    assert float(dice(tp.sum(), fp.sum(), fn.sum())) == pytest.approx(np.average(dice(tp, fp, fn), weights=weights))


def test_page_has_its_place_for_a_run() -> None:
    assert re.search(r"^## On real data$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


# The code


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), batch_size=st.integers(1, 9))
def test_agrees_with_dice_taken_from_the_masks_themselves(seed: int, batch_size: int) -> None:
    cases = made_up(seed)
    found = scores(counted(cases), batch_size)
    planes = [pair for _, prediction, truth in cases for pair in zip(prediction, truth, strict=True)]
    batches = [planes[start : start + batch_size] for start in range(0, len(planes), batch_size)]
    flat = [tuple(np.concatenate(part) for part in zip(*batch, strict=True)) for batch in batches]
    everything = tuple(np.concatenate(part) for part in zip(*planes, strict=True))

    def mean(values: list[float], empty: float = math.nan) -> float:
        filled = [empty if math.isnan(value) else value for value in values]
        defined = [value for value in filled if not math.isnan(value)]
        return sum(defined) / len(defined) if defined else math.nan

    per_batch = mean([overlap(*batch) for batch in flat], empty=1)
    wanted = {
        PER_CASE: mean([overlap(p, t) for _, p, t in cases if t.any()]),
        PER_SLICE: mean([overlap(*plane) for plane in planes], empty=1),
        TUMOUR_SLICES: mean([overlap(p, t) for p, t in planes if t.any()]),
        POOLED: overlap(*everything),
        PER_BATCH: per_batch,
        ONE_TOO_FEW: per_batch * len(batches) / (len(batches) - 1) if len(batches) > 1 else math.nan,
        LARGEST: mean([overlap(largest_component(p), t) for _, p, t in cases if t.any()]),
    }
    assert found == pytest.approx(wanted, nan_ok=True)


def test_n_is_the_number_of_votes() -> None:
    cases = made_up(3)
    found = conventions(counted(cases), 5).set_index("convention")["n"]
    slices = sum(len(truth) for _, _, truth in cases)
    assert found[PER_CASE] == sum(bool(t.any()) for _, _, t in cases)
    assert found[PER_SLICE] == slices
    assert found[TUMOUR_SLICES] == sum(int(t.any(axis=(1, 2)).sum()) for _, _, t in cases)
    assert found[POOLED] == 1
    assert found[PER_BATCH] == found[ONE_TOO_FEW] == math.ceil(slices / 5)


def test_columns_and_meanings() -> None:
    found = conventions(counted(made_up(0)), 4)
    assert list(found.columns) == ["convention", "score", "n", "meaning"]
    assert dict(zip(found["convention"], found["meaning"], strict=True)) == MEANINGS


def test_only_batches_depend_on_order_and_size() -> None:
    slices = counted(made_up(7, cases=8))
    shuffled = slices.sample(frac=1, random_state=1)
    one, other = scores(slices, 4), scores(shuffled, 5)
    for name in (PER_CASE, PER_SLICE, TUMOUR_SLICES, POOLED, LARGEST):
        assert one[name] == pytest.approx(other[name])
    for name in (PER_BATCH, ONE_TOO_FEW):
        assert one[name] != pytest.approx(other[name])


def test_thirteen_batches_divided_by_twelve() -> None:
    cases = [("a", *(np.ones((2, 393, 1, 1), bool)))]
    found = scores(counted(cases), 32)
    assert found[PER_BATCH] == 1
    assert found[ONE_TOO_FEW] == pytest.approx(13 / 12)


@pytest.mark.filterwarnings("error")
def test_one_batch_divided_by_none_is_undefined() -> None:
    assert math.isnan(scores(counted(made_up(1)), 1000)[ONE_TOO_FEW])


@pytest.mark.filterwarnings("error")
def test_where_nothing_is_there_and_nothing_was_predicted() -> None:
    nothing = np.zeros((3, 4, 4), bool)
    found = conventions(counted([("a", nothing, nothing)]), 2).set_index("convention")
    undefined = [PER_CASE, TUMOUR_SLICES, POOLED, LARGEST]
    assert found.loc[undefined, "score"].isna().all()
    assert (found.loc[undefined, "n"] == 0).all()
    assert found.loc[[PER_SLICE, PER_BATCH], "score"].tolist() == [1, 1]


@pytest.mark.filterwarnings("error")
def test_part_of_a_case_has_no_components() -> None:
    slices = pd.concat([slice_counts(p, t, case, whole=False) for case, p, t in made_up(2)], ignore_index=True)
    whole = counted(made_up(2))
    assert slices[["largest_tp", "largest_fp"]].isna().all(axis=None)
    found, wanted = scores(slices, 4), scores(whole, 4)
    assert math.isnan(found.pop(LARGEST))
    wanted.pop(LARGEST)
    assert found == pytest.approx(wanted)


def test_one_slice_of_unknown_components_leaves_its_case_out() -> None:
    ones = np.ones((2, 1, 1), bool)
    slices = counted([("a", ones, ones), ("b", ones & False, ones)]).astype({"largest_tp": float, "largest_fp": float})
    slices.loc[0, ["largest_tp", "largest_fp"]] = math.nan
    found = conventions(slices, 2).set_index("convention").loc[LARGEST]
    assert (found["score"], found["n"]) == (0, 1)


def test_slice_counts_of_a_case() -> None:
    prediction, truth = np.zeros((2, 2, 3, 8), bool)
    prediction[0, 0, :4], prediction[0, 2, 6:], truth[0, 0, 1:6], truth[0, 2, 6] = True, True, True, True
    found = slice_counts(prediction, truth, "a")
    assert found.iloc[0].tolist() == ["a", 0, 4, 2, 2, 6, 6, 3, 1]
    assert found.iloc[1].tolist() == ["a", 1, 0, 0, 0, 0, 0, 0, 0]


def test_masks_of_two_lengths_or_types_are_refused() -> None:
    mask = np.zeros((3, 4, 4), bool)
    with pytest.raises(ValueError, match="differ in shape"):
        slice_counts(mask[:2], mask, "a")
    with pytest.raises(ValueError, match="bool"):
        slice_counts(mask.astype(np.uint8), mask, "a")


def test_a_batch_of_no_slices_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        conventions(counted(made_up(0)), 0)
