"""A task checks itself and travels as plain data."""

import json
from typing import Any

import pytest

from headtohead.task import Target, Targets, Task

LESION = Targets((Target("lesion", (1,)),))
ALL: dict[str, Any] = {
    "name": "LGG",
    "sequences": ("pre", "flair", "post"),
    "primary": "flair",
    "targets": LESION,
    "stand_ins": {"pre": "flair", "post": "flair"},
    "plane": "axial",
    "licence": "CC BY-NC-SA 4.0",
    "citation": "Buda 2019",
}


def test_plain_data_goes_round() -> None:
    task = Task(**ALL)
    again = Task.from_dict(json.loads(json.dumps(task.to_dict())))
    assert again == task
    assert hash(again) == hash(task)
    assert again.primary_channel == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sequences": ()}, "needs sequences of different names"),
        ({"sequences": ("flair", "flair")}, "needs sequences of different names"),
        ({"primary": "t2"}, "the primary sequence t2 is not among"),
        ({"stand_ins": {"flair": "pre"}}, "the primary sequence flair cannot be missing"),
        ({"stand_ins": {"t2": "flair"}}, "t2 is not among the sequences"),
        ({"stand_ins": {"pre": "post", "post": "flair"}}, "post stands in for another, so it cannot be missing"),
        ({"stand_ins": {"pre": "t2"}}, "t2 is not among the sequences"),
        ({"plane": "oblique"}, "the plane is one of"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Task(**ALL | changed)


@pytest.mark.parametrize("name", list(ALL))
def test_plain_data_must_be_whole(name: str) -> None:
    found = Task(**ALL).to_dict()
    for damaged in ({**found, name: 7}, {key: value for key, value in found.items() if key != name}):
        with pytest.raises(ValueError):  # noqa: PT011  the reasons differ, the kind counts
            Task.from_dict(damaged)


@pytest.mark.parametrize("found", [None, [], "task", {}])
def test_what_is_no_task_is_refused(found: object) -> None:
    with pytest.raises(ValueError, match="not a task"):
        Task.from_dict(found)
