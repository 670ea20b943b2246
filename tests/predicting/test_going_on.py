"""An interrupted `--predict` goes on where it was, with the same command and no other."""

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from headtohead import saving
from headtohead.claiming import hold
from headtohead.errors import UserError
from headtohead.predicting import folder as verb
from headtohead.predicting import stages
from headtohead.predicting.results import journal, written
from headtohead.predicting.results.journal import FILE
from headtohead.predicting.results.written import Written
from tests.matrices import thinned
from tests.predicting.interrupted import FLAGS, NAMES, Counting, Killed, asked, contents, rows_of
from tests.predicting.scans import OURS, Predict, case_of_slices, files_in, head, summary_of

__all__ = ["asked"]  # a fixture


@pytest.mark.parametrize(
    ("stop", "stage"),
    thinned(
        itertools.product(NAMES, ("prepare", "ask", "combine")),
        kept=[("a", "prepare"), ("b", "combine"), ("d", "ask"), ("site/e", "prepare")],
    ),
)
def test_interrupted_at_any_file_it_ends_like_an_uninterrupted_one(
    tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], stop: str, stage: str
) -> None:
    assert asked(*FLAGS, output="whole") == (0, list(NAMES))
    status, _ = asked(*FLAGS, stop=stop, stage=stage)
    assert status == 130
    before = contents(tmp_path / "out") if (tmp_path / "out").is_dir() else {}
    done = [name for name in NAMES if f"{name}_mask.nii" in before]
    assert len(done) <= NAMES.index(stop) + 1 and set(summary_of(tmp_path / "out")) == set(done)
    capsys.readouterr()
    status, again = asked(*FLAGS)
    assert (status, again) == (0, [name for name in NAMES if name not in done])
    said = capsys.readouterr().out
    if done:
        assert f"{len(done)} of 5 files {'was' if len(done) == 1 else 'were'} predicted before; going on\n" in said
    assert sum(line.startswith("all 5, mean Dice") for line in said.splitlines()) == 1
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")
    assert files_in(tmp_path / "out") >= OURS and FILE not in files_in(tmp_path / "out")
    assert asked(*FLAGS)[0] == 2  # it is finished; to do it again is another thing
    assert "already exists; choose another folder with --output, or add --overwrite" in capsys.readouterr().err
    assert asked(*FLAGS, "--overwrite") == (0, list(NAMES))


def killed_while_moving(patch: pytest.MonkeyPatch, moved: int, name: str = "c") -> None:
    """Let a kill come when so many results of a file have their names: no lock, list or summary is seen to."""
    really = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if Path(target).name == f"{name}_{('mask', 'brain', 'probability')[moved]}.nii":
            raise Killed
        return really(self, target)

    patch.setattr(Path, "replace", replace)
    patch.setattr(saving, "_put_back", lambda _: None)
    patch.setattr("headtohead.predicting.folder.write_lists", lambda *_: None)
    patch.setattr(journal.Journal, "conclude", lambda *_, **__: None)


@pytest.mark.parametrize(
    ("moved", "flags"),
    thinned(itertools.product((0, 1, 2), ((), ("--overwrite",))), kept=[(0, ("--overwrite",)), (2, ()), (1, ())]),
)
def test_killed_while_results_get_their_names(
    tmp_path: Path, asked: Any, monkeypatch: pytest.MonkeyPatch, moved: int, flags: tuple[str, ...]
) -> None:
    assert asked(*FLAGS, output="whole")[0] == 0
    if flags:
        shutil.copytree(tmp_path / "whole", tmp_path / "out")
        head(tmp_path / "in/c.nii")
        assert asked(*FLAGS, *flags, output="whole")[0] == 0
    with monkeypatch.context() as patch:
        killed_while_moving(patch, moved)
        with pytest.raises(Killed):
            asked(*FLAGS, *flags)
    assert all(map(Written(tmp_path / "out").ours, (tmp_path / "out").rglob("*.nii")))
    status, again = asked(*FLAGS, *flags)
    assert status == 0 and set(again) & {"a", "b", "c"} == {"c"}
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "whole")


@pytest.mark.parametrize("before", ["write_lists", "tell_all"])
def test_killed_after_the_last_file(tmp_path: Path, asked: Any, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"headtohead.predicting.folder.{before}", kill)
        patch.setattr(journal.Journal, "conclude", lambda *_, **__: None)
        with pytest.raises(Killed):
            asked()
    assert asked() == (0, [])
    assert set(summary_of(tmp_path / "out")) == set(NAMES)


@pytest.mark.parametrize("cut", [1, 40])
@pytest.mark.parametrize("torn", [FILE, "predicted.sha256"])
def test_a_torn_last_line_costs_one_file_at_most(
    tmp_path: Path, asked: Any, monkeypatch: pytest.MonkeyPatch, torn: str, cut: int
) -> None:
    with monkeypatch.context() as patch:  # killed while the results of the last were taken down
        killed_while_moving(patch, 0, "e")
        with pytest.raises(Killed):
            asked(*FLAGS)
    path = tmp_path / "out" / torn
    path.write_bytes(path.read_bytes()[:-cut])
    assert asked(*FLAGS) == (0, ["site/e"])
    for name in NAMES:
        assert Written(tmp_path / "out").ours(tmp_path / f"out/{name}_mask.nii")
    text = (tmp_path / "out/predicted.sha256").read_text()
    assert len(text.splitlines()) == 15 and text.endswith("\n")
    assert asked(*FLAGS, "--overwrite")[0] == 0


def test_failed_files_are_predicted_alone(tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (tmp_path / "in/c.nii").read_bytes()
    (tmp_path / "in/c.nii").write_bytes(whole[:400])
    for expected in (["a", "b", "d", "site/e"], []):
        assert asked() == (1, expected)
        said = capsys.readouterr()
        assert "1 of 5 files could not be predicted" in said.err and "4 of 5 predicted, mean Dice" in said.out
        assert set(summary_of(tmp_path / "out")) == set(NAMES) and summary_of(tmp_path / "out")["c"]["error"]
    (tmp_path / "in/c.nii").write_bytes(whole)
    assert asked("--pattern", "**/c.nii") == (0, ["c"])  # by itself: the others are still known
    assert asked() == (0, [])
    assert "5 of 5 files were predicted before" in capsys.readouterr().out
    assert FILE not in files_in(tmp_path / "out") and summary_of(tmp_path / "out")["c"]["error"] == ""


@pytest.mark.parametrize("moment", ["find_jobs", "Work", "refuse_replacing", "overlap", "write_lists"])
def test_a_second_command_is_refused_whenever_it_begins(
    tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    really, second = getattr(verb, moment), []

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(verb, moment, really)
        second.append(asked("--threshold", "0.1", "--pattern", "*.nii"))
        return really(*given)

    monkeypatch.setattr(verb, moment, meanwhile)
    assert asked() == (0, list(NAMES))
    assert second == [(2, [])]
    error = capsys.readouterr().err
    assert "another --predict is writing there" in error and len(error.splitlines()) == 1
    listed = {line.split("  ")[1] for line in (tmp_path / "out/predicted.sha256").read_text().splitlines()}
    assert listed == files_in(tmp_path / "out") - OURS == {f"{name}_mask.nii" for name in NAMES}
    assert asked("--overwrite") == (0, list(NAMES))


def test_a_command_that_ends_while_another_begins_is_known_to_it(
    tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_comes(path: Path, make: bool) -> int:
        monkeypatch.setattr(journal, "hold", hold)
        assert asked(stop="site/e")[0] == 130
        return hold(path, make)

    monkeypatch.setattr(journal, "hold", first_comes)
    assert asked("--tta") == (2, [])
    assert "from an interrupted command (without --tta)" in capsys.readouterr().err
    status, predicted = asked()
    assert status == 0 and "site/e" in predicted
    assert len(predicted) < len(NAMES), "what was waiting to be written when it stopped is predicted again, no more"


@pytest.mark.parametrize("output", ["out", "in"])
def test_folders_of_slices_and_truths_in_the_same_folder(
    tmp_path: Path, predict: Predict, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        case_of_slices(tmp_path / "in" / name)
    head(tmp_path / "in/volume.nii")
    said: list[str] = []
    stopping = Counting(asked=(said,), stop="volume")
    assert predict(predictor=stopping, output=output) == 130
    predict(predictor=stopping, output=output)
    said.clear()
    assert predict(predictor=Counting(asked=(said,)), output=output) == 0
    assert said == ["volume"]
    assert set(summary_of(tmp_path / output)) == {"one", "two", "three", "volume"}
    assert {row["dice"] for row in summary_of(tmp_path / output).values()} == {""}


def test_a_summary_that_could_not_be_written_is_written_by_the_same_command(
    tmp_path: Path, asked: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise UserError("no space left; free some and run the command again")

    with monkeypatch.context() as patch:
        patch.setattr("headtohead.predicting.results.summary.write_summary", full)
        assert asked() == (2, list(NAMES))
        assert "run the command again" in capsys.readouterr().err
    assert asked() == (0, [])
    assert set(summary_of(tmp_path / "out")) == set(NAMES) and FILE not in files_in(tmp_path / "out")


def test_each_result_is_hashed_once(tmp_path: Path, asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    really = written.checksum

    def count(path: Path) -> str:
        hashed.append(path.name)
        return really(path)

    for module in (stages, journal, written):
        monkeypatch.setattr(module, "checksum", count)
    assert asked(*FLAGS)[0] == 0
    assert sorted(hashed) == sorted(name for name in map(os.path.basename, files_in(tmp_path / "out") - OURS))
