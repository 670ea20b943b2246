"""Near-duplicate slices: planted copies are found, other patients' heads are not."""

from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd
import pytest

from headtohead.cohort import Cohort
from headtohead.cohort.known_slices import perceptual_hash, shrink
from headtohead.exploring.duplicates import ALIKE, find_duplicates, fine_detail

Change = Callable[[np.ndarray], np.ndarray]


def noisy(image: np.ndarray) -> np.ndarray:
    return np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def recompressed(image: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_COLOR)


CHANGES: dict[str, Change] = {
    "copied": lambda image: image,
    "noisy": noisy,
    "brighter": lambda image: np.clip(image * 1.2 + 4, 0, 255).astype(np.uint8),
    "recompressed": recompressed,
    "larger": lambda image: cv2.resize(image, (128, 128), interpolation=cv2.INTER_LINEAR),
}


class Heads:
    """A cohort of one slice a case, each of a head of its own; the last may repeat another."""

    def __init__(self, images: list[np.ndarray], patients: list[str]) -> None:
        self.pictures = images
        self.table = pd.DataFrame({"case": [f"case{n}" for n in range(len(images))], "patient": patients})

    def __len__(self) -> int:
        return len(self.pictures)

    def primary(self, case: int) -> np.ndarray:
        return self.pictures[case][None, ..., 1]


def heads(count: int = 12) -> list[np.ndarray]:
    """Draw heads of one outline, each with convolutions of its own."""
    rng = np.random.default_rng(1)
    rows, columns = np.indices((256, 256)) - 128
    inside = (rows / 105) ** 2 + (columns / 85) ** 2 < 1
    pictures = []
    for _ in range(count):
        folds = cv2.GaussianBlur(rng.normal(0, 1, (256, 256)).astype(np.float32), (0, 0), 5)
        grey = np.clip(90 + 30 * folds / folds.std(), 0, 255) * inside
        pictures.append(np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2))
    return pictures


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_in_another_patient_is_found(change: str) -> None:
    pictures = heads()
    cohort = Heads([*pictures, CHANGES[change](pictures[4])], [f"patient{n}" for n in range(13)])
    found = find_duplicates(cohort)  # type: ignore[arg-type]
    assert found.pairs[["case_a", "slice_a", "case_b", "slice_b"]].to_numpy().tolist() == [["case4", 1, "case12", 1]]
    assert found.pairs["correlation"].iloc[0] >= ALIKE
    assert found.compared == 13


def test_the_same_patient_may_look_like_himself() -> None:
    pictures = heads()
    cohort = Heads([*pictures, pictures[4]], [*(f"patient{n}" for n in range(12)), "patient4"])
    assert not len(find_duplicates(cohort).pairs)  # type: ignore[arg-type]


def test_made_up_patients_hold_no_duplicates_and_the_nearest_are_named(phantom_cohort: Cohort) -> None:
    found = find_duplicates(phantom_cohort)
    assert not len(found.pairs)
    assert found.compared + found.faint == phantom_cohort.n_slices
    assert found.nearest["correlation"].is_monotonic_decreasing
    assert (found.nearest["correlation"] < ALIKE).all()
    patients = phantom_cohort.table.set_index("case")["patient"]
    assert (patients[found.nearest["case_a"]].to_numpy() != patients[found.nearest["case_b"]].to_numpy()).all()


def test_empty_slices_are_no_duplicates_of_each_other() -> None:
    blank = np.zeros((256, 256, 3), np.uint8)
    found = find_duplicates(Heads([blank, blank, heads(1)[0]], ["a", "b", "c"]))  # type: ignore[arg-type]
    assert (found.faint, found.compared) == (2, 1)
    assert not len(found.pairs) and not len(found.nearest)


def test_hash_ignores_brightness_and_detail_is_a_unit_vector() -> None:
    small = shrink(heads(1)[0][..., 1])
    assert perceptual_hash(small) == perceptual_hash(small + 20) < 2**63
    assert bin(perceptual_hash(small)).count("1") == 31  # half of 63, the median itself not
    detail = fine_detail(small)
    assert detail is not None
    assert detail @ detail == pytest.approx(1, abs=1e-5)
    assert detail.sum() == pytest.approx(0, abs=1e-4)
