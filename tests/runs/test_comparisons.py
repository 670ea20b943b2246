"""Comparisons are listed by name, and one is taken without being named only where there is no other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.runs.finding import list_comparisons, only_comparison


def write(runs_dir: Path, name: str, seed: int | None = 0, **record: Any) -> None:
    folder = runs_dir / name
    folder.mkdir(parents=True)
    whole = {"status": "finished", "experiment": {"seed": seed}, **record}
    (folder / "run.json").write_text(json.dumps(whole))


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    write(tmp_path, "demo/unet-s0", tested="2026-11-20T10:00:00+00:00")
    write(tmp_path, "demo/unet-s1", tested="2026-11-21T10:00:00+00:00")
    write(tmp_path, "demo/threshold", seed=None)
    write(tmp_path, "begun/unet-s0", status="running")
    write(tmp_path, "baseline/threshold", seed=None)
    write(tmp_path, "broken/unet-s0")
    (tmp_path / "broken" / "unet-s0" / "run.json").write_text("[")
    return tmp_path


def test_the_only_one_is_taken_and_named(runs_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert only_comparison(runs_dir) == "demo"
    said = f"demo: 2 finished runs, last tested on 2026-11-21; the only comparison in {runs_dir}\n"
    assert capsys.readouterr().out == said


def test_several_are_listed_and_none_is_taken(runs_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(runs_dir, "alone/unet-s0")
    with pytest.raises(UserError, match=f"2 comparisons in {re.escape(str(runs_dir))}; choose one: `comparison` alone"):
        only_comparison(runs_dir)
    assert capsys.readouterr().out.splitlines() == [
        "alone: 1 finished run",
        "demo: 2 finished runs, last tested on 2026-11-21",
    ]


def test_none_at_all(tmp_path: Path) -> None:
    assert list_comparisons(tmp_path / "nowhere") == {}
    with pytest.raises(UserError, match="holds no finished comparison; run `compare` first"):
        only_comparison(tmp_path / "nowhere")
