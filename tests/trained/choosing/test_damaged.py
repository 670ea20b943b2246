"""A run whose files cannot be read is named in a line, and another one is taken."""

from pathlib import Path

import pytest

from headtohead.errors import UserError
from tests.trained.choosing.choice import MakeRun, choose


@pytest.mark.parametrize("file", ["run.json", "model.json"])
@pytest.mark.parametrize("content", [b"null", b"[]", b"\xff", b"[" * 100_000])
def test_the_next_best_is_taken(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, content: bytes
) -> None:
    damaged, healthy = make_run("lgg/best", 0.9), make_run("lgg/next", 0.8)
    (damaged.path / file).write_bytes(content)
    assert choose(tmp_path).run == healthy
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and line.startswith(f"warning: {damaged.path / file}: damaged")
    assert line.endswith("; this run is left out\n")


def test_named_it_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    damaged = make_run("lgg/best")
    (damaged.path / "run.json").write_bytes(b"null")
    with pytest.raises(UserError, match=r"run\.json: damaged"):
        choose(tmp_path, run_name="best")
