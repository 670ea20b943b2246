"""Label maps as channels and channels as label maps."""

import json
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.task.targets import CLASSES, REGIONS, Target, Targets

WHOLE = Target("whole tumour", (1, 2, 4))
CORE = Target("tumour core", (1, 4), (31, 119, 180))
ENHANCING = Target("enhancing", (4,))
BRATS = Targets((WHOLE, CORE, ENHANCING))
TISSUES = Targets((Target("white matter", (2, 41)), Target("grey matter", (3, 42)), Target("stem", (16,))), CLASSES)


def test_regions_overlap() -> None:
    labels = np.array([[0, 1], [2, 4]], np.uint8)
    assert BRATS.encode(labels).tolist() == [
        [[False, True], [True, True]],
        [[False, True], [False, True]],
        [[False, False], [False, True]],
    ]


@pytest.mark.parametrize("values", [(1, 2, 4), (1, 2, 3)], ids=["2020", "2023"])
def test_nested_regions_go_round(values: tuple[int, int, int]) -> None:
    necrosis, oedema, enhancing = values
    targets = Targets(
        (
            Target("whole tumour", tuple(sorted(values))),
            Target("tumour core", tuple(sorted((necrosis, enhancing)))),
            Target("enhancing", (enhancing,)),
        )
    )
    labels = np.random.default_rng(0).choice([0, *values], (3, 5, 7)).astype(np.uint8)
    assert (targets.decode(targets.encode(labels)) == labels).all()
    assert oedema in targets.decode(targets.encode(np.array([oedema], np.uint8)))


@pytest.mark.parametrize(("one", "other"), [((1, 3), (2, 3)), ((1, 2), (2, 4))])
def test_regions_of_which_none_lies_within_the_other_go_round(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    targets = Targets((Target("one", one), Target("other", other)))
    labels = np.array([0, *targets.labels], np.uint8)
    assert targets.decode(targets.encode(labels)).tolist() == labels.tolist()
    far = Targets((Target("one", (1, 400)), Target("other", (2, 400))))
    assert far.decode(np.array([[True], [True]])).tolist() == [400]


@given(st.lists(st.sets(st.integers(1, 6), min_size=1), min_size=1, max_size=4))
def test_encoding_what_was_decoded_changes_no_region(labels: list[set[int]]) -> None:
    try:
        targets = Targets(tuple(Target(str(place), tuple(sorted(one))) for place, one in enumerate(labels)))
    except ValueError:
        return  # no label of its own
    encoded = targets.encode(np.array([0, *targets.labels], np.uint8))
    assert (targets.encode(targets.decode(encoded)) == encoded).all()


def test_regions_that_leave_one_no_label_of_its_own_are_refused() -> None:
    for order in permutations(BRATS.all):
        if order != BRATS.all:
            with pytest.raises(ValueError, match="name the outer regions first"):
                Targets(order)


def test_a_later_region_is_written_over_an_earlier_one() -> None:
    everywhere = np.ones((3, 2), bool)
    assert BRATS.decode(everywhere).tolist() == [4, 4]
    everywhere[2] = False
    assert BRATS.decode(everywhere).tolist() == [1, 1]


def test_a_class_of_several_labels_is_written_as_its_first() -> None:
    labels = np.array([2, 41, 3, 42, 16, 0], np.uint8)
    assert TISSUES.decode(TISSUES.encode(labels)).tolist() == [2, 2, 3, 3, 16, 0]


@pytest.mark.parametrize("kind", [REGIONS, CLASSES])
def test_one_target_of_one_label_goes_round(kind: str) -> None:
    targets = Targets((Target("lesion", (1,)),), kind)
    labels = np.array([0, 1, 1, 0], np.uint8)
    assert (targets.encode(labels)[0] == labels.astype(bool)).all()
    assert (targets.decode(targets.encode(labels)) == labels).all()
    assert targets.logits == (1 if kind == REGIONS else 2)


def probabilities(seed: int, targets: int) -> np.ndarray:
    """Of three targets and a background, in steps of a quarter: many are equal, and many at the threshold."""
    shares = np.random.default_rng(seed).multinomial(4, [1 / (targets + 1)] * (targets + 1), 500)
    return (shares[:, 1:].T / 4).astype(np.float32)


@given(st.integers(0, 1000), st.sampled_from([0.25, 0.5, 0.6, 1.0]))
def test_a_region_holds_what_is_at_its_threshold_and_all_of_those_within_it(seed: int, threshold: float) -> None:
    probability = probabilities(seed, 3)
    over = probability >= threshold
    prediction = BRATS.encode(BRATS.decide(probability, threshold))
    whole, core, enhancing = prediction
    assert (enhancing == over[2]).all()
    assert (core == (over[1] | over[2])).all()
    assert (whole == over.any(axis=0)).all()


@given(st.integers(0, 1000))
def test_of_classes_the_most_probable_is_taken(seed: int) -> None:
    probability = probabilities(seed, 3)
    decided = TISSUES.decide(probability, 0.9)
    assert (decided == TISSUES.decide(probability, 0.1)).all(), "no threshold"
    for voxel, label in zip(probability.T, decided, strict=True):
        odds = {0: 1 - voxel.sum(), 2: voxel[0], 3: voxel[1], 16: voxel[2]}
        assert odds[int(label)] == max(odds.values())
    assert TISSUES.decide(np.array([[0.5], [0.5], [0.0]], np.float32), 0.5) == 2, "the first of equals"
    assert TISSUES.decide(np.array([[0.0], [0.5], [0.0]], np.float32), 0.5) == 3, "before the background"


@given(st.integers(0, 1000), st.sampled_from([BRATS, TISSUES]))
def test_what_is_decided_can_be_written_and_read_again(seed: int, targets: Targets) -> None:
    decided = targets.decide(probabilities(seed, 3), 0.5)
    prediction = targets.encode(decided)
    assert (targets.decode(prediction) == decided).all()
    if targets.kind == CLASSES:
        assert prediction.sum(axis=0).max() <= 1


@pytest.mark.parametrize("kind", [REGIONS, CLASSES])
@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.75])
def test_one_target_is_decided_by_the_threshold(kind: str, threshold: float) -> None:
    targets, probability = Targets((Target("lesion", (3, 7)),), kind), probabilities(0, 1)
    assert (targets.encode(targets.decide(probability, threshold)) == (probability >= threshold)).all()
    assert set(np.unique(targets.decide(probability, threshold))) == {0, 3}


def test_large_labels_need_two_bytes() -> None:
    targets = Targets((Target("cortex", (1035, 2035)),))
    labels = np.array([0, 1035, 2035], np.uint16)
    decoded = targets.decode(targets.encode(labels))
    assert decoded.dtype == np.uint16
    assert decoded.tolist() == [0, 1035, 1035]
    assert not targets.encode(np.array([11], np.uint8)).any()  # 1035 modulo 256


def test_strays_are_named() -> None:
    targets = Targets((Target("lesion", (1,)),), others=(7,))
    assert targets.strays(np.array([0, 1, 3, 7, 9, 3], np.uint8)) == (3, 9)


def test_no_two_targets_share_a_channel() -> None:
    encoded = TISSUES.encode(np.arange(256, dtype=np.uint8))
    assert not any((first & second).any() for first, second in combinations(encoded, 2))


@pytest.mark.parametrize("targets", [BRATS, TISSUES, Targets((ENHANCING,), others=(1, 2))])
def test_plain_data_goes_round(targets: Targets) -> None:
    assert Targets.from_dict(json.loads(json.dumps(targets.to_dict()))) == targets


@pytest.mark.parametrize(
    ("names", "labels", "kind", "reason"),
    [
        ((), (), REGIONS, "a task needs a target"),
        (("a", "a"), ((1,), (2,)), REGIONS, "two targets have the same name: a, a"),
        (("a", "b"), ((1,), (1, 2)), REGIONS, "a: all its labels belong to targets that come after it"),
        (("a", "b"), ((1,), (1,)), REGIONS, "a and b have the same labels; leave one of them out"),
        (("a", "b"), ((1, 2), (2,)), CLASSES, "label 2 belongs to two classes"),
        (("a",), ((1,),), "softmax", "targets are regions or classes, not softmax"),
        (("a",), ((),), REGIONS, "a: labels must be whole numbers from 1"),
        (("a",), ((0, 1),), REGIONS, "a: labels must be whole numbers from 1"),
        (("a",), ((70000,),), REGIONS, "a: labels must be whole numbers from 1"),
        (("a",), ((2, 1),), REGIONS, "a: labels must ascend"),
        ((" ",), ((1,),), REGIONS, "a target needs a name"),
        (("core ",), ((1,),), REGIONS, "outer spaces, not 'core '"),
        (("core;all",), ((1,),), REGIONS, "without a semicolon or outer spaces, not 'core;all'"),
        (("core\nall",), ((1,),), REGIONS, "a line without"),
    ],
)
def test_what_cannot_be_is_refused(
    names: tuple[str, ...], labels: tuple[tuple[int, ...], ...], kind: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Targets(tuple(Target(*pair) for pair in zip(names, labels, strict=True)), kind)


def test_a_label_is_not_both_a_target_and_background() -> None:
    with pytest.raises(ValueError, match="label 4 is a target's"):
        Targets((ENHANCING,), others=(4,))


def test_a_colour_is_three_bytes() -> None:
    with pytest.raises(ValueError, match="a colour is three numbers"):
        Target("a", (1,), (0, 0, 256))


def test_labels_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8 or uint16, not float32"):
        BRATS.encode(np.zeros(3, np.float32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bool channels of 3 targets"):
        BRATS.decode(np.zeros((2, 4), bool))


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"kind": "regions", "labels": None, "colours": {}, "others": []},
        {"kind": "regions", "labels": {"a": [1]}, "colours": {}, "others": []},
        {"kind": "regions", "labels": {"a": [True]}, "colours": {"a": [0, 0, 0]}, "others": []},
        {"kind": "regions", "labels": {"a": [1.5]}, "colours": {"a": [0, 0, 0]}, "others": []},
        {"kind": "regions", "labels": {"a": [1]}, "colours": {"a": [0, 0]}, "others": []},
        {"kind": "regions", "labels": {"a": "1"}, "colours": {"a": [0, 0, 0]}, "others": []},
        {"kind": "regions", "labels": {"a": [1]}, "colours": {"a": [0, 0, 0]}, "others": 3},
    ],
)
def test_damaged_plain_data_is_refused(found: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the reasons differ, the kind counts
        Targets.from_dict(found)
