"""Provenance: what runs share is said once, what tells them apart stands in the table."""

from headtohead.reporting.page.provenance import shared_and_own

RUNS = [
    {"name": "a", "status": "finished", "command": "python main.py", "versions": {"torch": "2.13.0"}, "seconds": 896.0},
    {"name": "b", "status": "failed", "command": "python main.py", "error": "out of memory", "seconds": None},
    {"name": "baseline", "status": "finished", "gpus": ["H200", "H200"], "seconds": 1.2},
]


def test_what_is_shared_is_said_once() -> None:
    shared, table = shared_and_own(RUNS)
    assert ("command", "python main.py") in shared
    assert ("versions.torch", "2.13.0") in shared  # the baseline says nothing of it
    assert ("gpus", "H200, H200") in shared
    assert [column.name for column in table.columns] == ["name", "status", "time"]


def test_runs_keep_their_order_and_times_sort_as_numbers() -> None:
    _, table = shared_and_own(RUNS)
    assert [row[0].text for row in table.rows] == ["a", "b", "baseline"]
    assert [row[2].text for row in table.rows] == ["15 min", "–", "1 s"]
    assert table.rows[0][2].order == 896.0


def test_no_runs() -> None:
    shared, table = shared_and_own([])
    assert shared == [] and table.rows == []
