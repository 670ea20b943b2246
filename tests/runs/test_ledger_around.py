"""The ledger around one run: itself and what it compares with, whatever else lies in the folder."""

from pathlib import Path
from typing import Any

from headtohead.runs.reading import read_ledger_around


def test_only_what_may_stand_in_one_table(comparison: Path, write_run: Any) -> None:
    tested = write_run("unet", "none", name="mine", recipe={"image_size": 32})
    write_run("buda", "none", recipe={"image_size": 64})
    write_run("unet", "none", name="again")  # the same experiment under another name
    write_run("unet", "cosine", data={"key": "other"})
    write_run("resnext", "none", split={"kind": "patient", "key": "other"})
    write_run("unet", "none", seed=1, recipe={"image_size": 64})  # a repeat on other input
    (comparison / "broken").mkdir()
    (comparison / "broken" / "run.json").write_text("{")
    assert sorted(run.name for run in read_ledger_around(tested).finished) == ["buda-none-s0-f0", "mine"]
