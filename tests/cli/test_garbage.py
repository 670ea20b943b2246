"""Garbage is collected in every command that runs for long, though `main.py` begins without."""

import gc
from pathlib import Path
from types import SimpleNamespace

import pytest

from headtohead import cli
from headtohead.options.table import from_flat


@pytest.mark.parametrize("verb", cli.VERBS)
def test_only_a_single_image_does_without(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    collects = []
    run = SimpleNamespace(run=lambda options: collects.append(gc.isenabled()))
    monkeypatch.setattr(cli, "VERBS", {verb: "made.up:run"})
    monkeypatch.setattr(cli.importlib, "import_module", {"made.up": run}.__getitem__)
    gc.disable()
    try:
        cli.run_verb(verb, from_flat({}))
    finally:
        gc.enable()
    assert collects == [verb != "image_path"]
    assert "gc.disable()" in (Path(__file__).resolve().parents[2] / "main.py").read_text()
