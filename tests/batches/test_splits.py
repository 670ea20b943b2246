"""The split keeps patients apart, is fair to sites and lesion sizes, and says aloud when it leaks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.batches.splits import PARTS, Split, make_split
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.readers.lgg import TASK as LGG_TASK

# As many patients a site as in the real data set, 110 together, and its 3929 slices.
SITES = {"CS": 16, "DU": 45, "EZ": 1, "FG": 14, "HT": 34}
SLICES = 3929


def cohort_of(folder: Path, patients: list[str], slices: list[int], volumes: list[int]) -> Cohort:
    """A cohort of one-pixel slices."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, channels in (("images", 3), ("labels", 1), ("inner", 1)):
        np.zeros(sum(slices) * channels, np.uint8).tofile(folder / f"{name}.u8")
    table = pd.DataFrame(
        {
            "case": [f"{patient}_{place}" for place, patient in enumerate(patients)],
            "patient": patients,
            "site": [patient.split("_")[0] for patient in patients],
            "slices": slices,
            "height": 1,
            "width": 1,
            "first": np.cumsum([0, *slices[:-1]]),
            "lesion_voxels": volumes,
        }
    )
    return Cohort(folder, "key", table, folder, task=LGG_TASK)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """The size and the sites of the real data set."""
    rng = np.random.default_rng(0)
    patients = [f"{site}_{number:03d}" for site, count in SITES.items() for number in range(count)]
    slices = np.full(len(patients), 35)
    slices[: SLICES - slices.sum()] += 1
    assert slices.sum() == SLICES
    volumes = np.exp(rng.normal(9, 1.5, len(patients))).astype(int)
    return cohort_of(tmp_path_factory.mktemp("table"), patients, slices.tolist(), volumes.tolist())


def patients_of(split: Split, cohort: Cohort, part: str) -> set[str]:
    return set(cohort.table["patient"].iloc[split.cases(cohort, part)])


@pytest.mark.parametrize("kind", ["patient", "slice"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_slice_is_in_exactly_one_part(cohort: Cohort, kind: str, seed: int) -> None:
    split = make_split(cohort, kind, seed)
    together = np.concatenate([getattr(split, part) for part in PARTS])
    assert sorted(together.tolist()) == list(range(cohort.n_slices))
    assert all((np.diff(getattr(split, part)) > 0).all() for part in PARTS)


@pytest.mark.parametrize("seed", range(5))
def test_patients_are_kept_apart_80_10_10(cohort: Cohort, seed: int) -> None:
    split = make_split(cohort, "patient", seed)
    train, val, test = (patients_of(split, cohort, part) for part in PARTS)
    assert not train & val and not train & test and not val & test
    assert (len(train), len(val), len(test)) == (88, 11, 11)
    assert split.leaking_patients(cohort) == 0
    assert "WARNING" not in split.describe(cohort)


def test_two_scans_of_one_patient_stay_together(tmp_path: Path) -> None:
    patients = [f"CS_{number // 2:02d}" for number in range(40)]
    twins = cohort_of(tmp_path, patients, [3] * 40, list(range(40)))
    for seed in range(10):
        split = make_split(twins, "patient", seed)
        train, val, test = (patients_of(split, twins, part) for part in PARTS)
        assert not train & val and not train & test and not val & test
        assert len(split.test) == 2 * 2 * 3


@pytest.fixture(scope="module")
def splits(cohort: Cohort) -> list[Split]:
    return [make_split(cohort, "patient", seed) for seed in range(80)]


@pytest.mark.parametrize("part", ["val", "test"])
def test_sites_have_their_share(cohort: Cohort, splits: list[Split], part: str) -> None:
    for split in splits:
        sites = [patient.split("_")[0] for patient in patients_of(split, cohort, part)]
        for site, count in SITES.items():
            assert abs(sites.count(site) - count / 10) < 2


def test_small_and_large_lesions_have_their_share(cohort: Cohort, splits: list[Split]) -> None:
    """The parts' mean rank of lesion volume wanders less from seed to seed than that of eleven drawn at random."""
    ranks = cohort.table["lesion_voxels"].rank(pct=True).to_numpy()
    ours = [ranks[split.cases(cohort, part)].mean() for split in splits for part in ("val", "test")]
    rng = np.random.default_rng(0)
    random = [ranks[rng.choice(110, 11, replace=False)].mean() for _ in range(400)]
    assert np.std(ours) < 0.85 * np.std(random)


@pytest.mark.parametrize("kind", ["patient", "slice"])
def test_the_seed_decides(cohort: Cohort, kind: str) -> None:
    first, again, other = (make_split(cohort, kind, seed) for seed in (0, 0, 1))
    assert all((getattr(first, part) == getattr(again, part)).all() for part in PARTS)
    assert first.key == again.key
    assert first.key != other.key
    assert set(first.test) != set(other.test)


def test_by_slice_has_the_sizes_of_the_old_protocol_and_says_that_it_leaks(cohort: Cohort) -> None:
    split = make_split(cohort, "slice", 0)
    assert [len(getattr(split, part)) for part in PARTS] == [3143, 393, 393]
    leaking = split.leaking_patients(cohort)
    assert leaking > 100
    assert f"WARNING: {leaking} patients leak" in split.describe(cohort)


def test_one_patient_that_leaks_is_told_in_the_singular(cohort: Cohort) -> None:
    said = Split("slice", 0, *(np.array([place]) for place in range(3))).describe(cohort)
    assert said.endswith("; WARNING: 1 patient leaks from training into validation or test")


def test_key_tells_who_is_where() -> None:
    one, two, three = np.arange(3), np.arange(3, 5), np.arange(5, 7)
    split = Split("patient", 0, one, two, three)
    assert split.key == Split("slice", 9, one, two, three).key
    assert split.key != Split("patient", 0, one, three, two).key


def test_cases_of_a_part(cohort: Cohort) -> None:
    firsts = cohort.table["first"].to_numpy()
    split = Split("slice", 0, np.array([firsts[3]]), np.array([firsts[4] - 1]), np.array([firsts[4], firsts[7] + 2]))
    assert [split.cases(cohort, part).tolist() for part in PARTS] == [[3], [3], [4, 7]]
    assert split.leaking_patients(cohort) == 1


@pytest.mark.parametrize("kind", ["patient", "slice"])
def test_too_little_data_is_refused_in_a_line(tmp_path: Path, kind: str) -> None:
    tiny = cohort_of(tmp_path, ["CS_1", "CS_2"], [1, 1], [1, 1])
    with pytest.raises(UserError, match=rf"`root_dir` .*: 2 {kind}s cannot be split into three parts; add"):
        make_split(tiny, kind, 0)


@pytest.mark.parametrize("kind", ["patient", "slice"])
def test_three_are_enough(tmp_path: Path, kind: str) -> None:
    split = make_split(cohort_of(tmp_path, ["CS_1", "CS_2", "CS_3"], [1, 1, 1], [1, 1, 1]), kind, 0)
    assert [len(getattr(split, part)) for part in PARTS] == [1, 1, 1]


def test_written_as_a_table(cohort: Cohort, tmp_path: Path) -> None:
    split = make_split(cohort, "patient", 0)
    split.write(cohort, tmp_path / "split.csv")
    table = pd.read_csv(tmp_path / "split.csv")
    assert list(table.columns) == ["case", "slice", "part"]
    assert len(table) == SLICES
    assert table.groupby("case")["slice"].min().eq(1).all()
    assert set(table.loc[table["part"] == "test", "case"]) == set(
        cohort.table["case"].iloc[split.cases(cohort, "test")]
    )


def test_the_published_split_is_that_of_pythons_generator(cohort: Cohort) -> None:
    import random

    split = make_split(cohort, "buda", seed=7)
    random.seed(42)
    expected = set(random.sample(sorted(set(cohort.table["patient"])), 10))
    assert patients_of(split, cohort, "val") == patients_of(split, cohort, "test") == expected
    assert patients_of(split, cohort, "train") == set(cohort.table["patient"]) - expected
    assert split.key == make_split(cohort, "buda", seed=0).key
    assert split.chosen_on_test and not make_split(cohort, "patient", 0).chosen_on_test
    assert "validation cases are test cases" in split.describe(cohort)
    assert "leak" not in split.describe(cohort)


def test_the_published_split_needs_more_than_ten_patients(tmp_path: Path) -> None:
    few = cohort_of(tmp_path, [f"CS_{number}" for number in range(10)], [2] * 10, [5] * 10)
    with pytest.raises(UserError, match=r"sets 10 patients apart, and .* has 10 patients; use `split=patient`"):
        make_split(few, "buda", 0)
