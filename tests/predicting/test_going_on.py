"""An interrupted `--predict` goes on where it was, with the same command and no other."""

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.claiming import hold
from headtohead.errors import UserError
from headtohead.predicting import folder as verb
from headtohead.predicting.results import finishing, journal
from headtohead.predicting.results.journal import FILE
from headtohead.predicting.results.written import Written
from tests.matrices import thinned
from tests.predicting.conftest import Brightness
from tests.predicting.scans import INSIDE, OURS, Predict, case_of_slices, drawn, files_in, head, summary_of

NAMES = ("a", "b", "c", "d", "site/e")
FLAGS = ("--save_probability", "--outputs", "0:_brain.nii")


class Killed(BaseException):
    """Nothing in the program catches it, as nothing catches a kill."""


@dataclass(frozen=True)
class Counting(Brightness):
    """Takes down what it is asked, and stops at one."""

    asked: tuple[list[str], ...] = ()
    stop: str = ""
    stage: str = "ask"
    how: Callable[[], BaseException] = KeyboardInterrupt

    def prepare(self, scan: Any, /) -> Any:
        return self._pass("prepare", scan)

    def ask(self, scan: Any, /) -> Any:
        self.asked[0].append(scan.name)
        return super().ask(self._pass("ask", scan))

    def combine(self, scan: Any, answers: Any, /) -> Any:
        return super().combine(self._pass("combine", scan), answers)

    def _pass(self, stage: str, scan: Any) -> Any:
        if (stage, scan.name) == (self.stage, self.stop):
            raise self.how()
        return scan


@pytest.fixture
def asked(tmp_path: Path, predict: Predict) -> Callable[..., tuple[int, list[str]]]:
    """Give a function that predicts five volumes: exit status, and what the models were asked."""
    for number, name in enumerate(NAMES):
        head(tmp_path / f"in/{name}.nii", np.roll(INSIDE, number, axis=0))
    drawn(tmp_path / "in/b_seg.nii")

    def run(*flags: str, stop: str = "", stage: str = "ask", how: Any = KeyboardInterrupt, **places: str) -> Any:
        said: list[str] = []
        return predict(*flags, predictor=Counting(asked=(said,), stop=stop, stage=stage, how=how), **places), said

    return run


def contents(folder: Path) -> dict[str, bytes]:
    """Give the bytes of all files but the summary."""
    return {name: (folder / name).read_bytes() for name in files_in(folder) - {"summary.csv"}}


def rows_of(folder: Path) -> dict[str, dict[str, str]]:
    """Give the summary without what no two commands have in common."""
    return {name: row | {"seconds": ""} for name, row in summary_of(folder).items()}


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
    patch.setattr(finishing, "_put_back", lambda _: None)
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


class TestWhatIsNotTakenOver:
    """Four files are done, then something changes."""

    @pytest.fixture(autouse=True)
    def _interrupted(self, asked: Any, tmp_path: Path) -> None:
        assert asked(*FLAGS, stop="site/e")[0] == 130
        assert {f"{name}_mask.nii" for name in "abc"} <= files_in(tmp_path / "out")
        asked(*FLAGS, stop="site/e")  # all before it are done now, whatever was still being written
        assert asked(*FLAGS, stop="site/e")[1] == ["site/e"]

    def test_a_changed_input(self, tmp_path: Path, asked: Any) -> None:
        head(tmp_path / "in/b.nii", ~INSIDE)
        assert asked(*FLAGS) == (0, ["b", "site/e"])
        assert float(summary_of(tmp_path / "out")["b"]["dice"]) < 0.1

    @pytest.mark.parametrize("flags", [[], ["again"]])
    def test_a_changed_truth(self, tmp_path: Path, asked: Any, flags: list[str]) -> None:
        if flags:
            drawn(tmp_path / "in/b_seg.nii", np.roll(INSIDE, 5, axis=0))
            os.utime(tmp_path / "in/b_seg.nii", ns=(1, 1))
        else:
            (tmp_path / "in/b_seg.nii").unlink()
        assert asked(*FLAGS) == (0, ["b", "site/e"])
        assert bool(summary_of(tmp_path / "out")["b"]["dice"]) == bool(flags)

    @pytest.mark.parametrize("end", ["mask", "brain", "probability"])
    def test_a_removed_result(self, tmp_path: Path, asked: Any, end: str) -> None:
        before = contents(tmp_path / "out")
        (tmp_path / f"out/c_{end}.nii").unlink()
        assert asked(*FLAGS) == (0, ["c", "site/e"])
        after = contents(tmp_path / "out")
        assert all(after[name] == content for name, content in before.items() if name.endswith(".nii"))

    @pytest.mark.parametrize("more", [(), ("--overwrite",)])
    def test_a_corrected_mask_is_somebodys(
        self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
    ) -> None:
        mine = drawn(tmp_path / "out/c_mask.nii", ~INSIDE).read_bytes()
        before = contents(tmp_path / "out")
        assert asked(*FLAGS, *more) == (2, [])
        assert "may be a ground truth, which is never overwritten; move it away, or" in capsys.readouterr().err
        assert contents(tmp_path / "out") == before
        (tmp_path / "out/c_mask.nii").rename(tmp_path / "mine.nii")
        assert asked(*FLAGS) == (0, ["c", "site/e"])
        assert (tmp_path / "mine.nii").read_bytes() == mine

    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            ((*FLAGS, "--tta"), "without --tta"),
            ((*FLAGS, "--plane", "coronal"), "--plane auto"),
            (FLAGS[:1], "--outputs 0:_brain.nii"),
            ((*FLAGS, "--mask_suffix", "_probability_mask.nii"), "--mask_suffix _mask.nii"),
        ],
    )
    def test_other_options(
        self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
    ) -> None:
        before = contents(tmp_path / "out")
        assert asked(*flags) == (2, [])
        error = capsys.readouterr().err
        assert f"already exists, from an interrupted command ({said}); repeat that one to go on with it" in error
        assert contents(tmp_path / "out") == before
        assert asked(*FLAGS) == (0, ["site/e"])

    def test_other_models(
        self, tmp_path: Path, predict: Predict, brightness: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert predict(*FLAGS, predictor=brightness(threshold=0.4)) == 2
        assert "(--threshold 0.5); repeat" in capsys.readouterr().err
        assert predict(*FLAGS, predictor=brightness(name="other")) == 2
        assert "(model brightness); repeat" in capsys.readouterr().err

    def test_a_list_that_was_lost_is_made_good(self, tmp_path: Path, asked: Any) -> None:
        path = tmp_path / "out/predicted.sha256"
        path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "b_mask" not in line))
        assert asked(*FLAGS) == (0, ["site/e"])
        assert all(Written(tmp_path / "out").ours(tmp_path / f"out/{name}_mask.nii") for name in NAMES)

    def test_overwriting_begins_anew_and_goes_on_itself(self, tmp_path: Path, asked: Any) -> None:
        status, again = asked(*FLAGS, "--overwrite", stop="site/e")
        assert (status, again) == (130, list(NAMES))
        asked(*FLAGS, "--overwrite", stop="site/e")
        assert asked(*FLAGS, "--overwrite") == (0, ["site/e"])
        assert FILE not in files_in(tmp_path / "out")
        assert asked(*FLAGS, "--overwrite") == (0, list(NAMES))

    def test_another_command_with_other_results_leaves_the_journal(self, tmp_path: Path, asked: Any) -> None:
        flags = ("--mask_suffix", "_other.nii")
        assert asked(*flags, stop="b")[0] == 130
        assert asked(*flags)[0] == 0
        assert asked(*FLAGS) == (0, ["site/e"])
        assert FILE not in files_in(tmp_path / "out")

    def test_one_command_at_a_time(self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
        before = contents(tmp_path / "out")
        handle = hold(tmp_path / "out" / FILE, make=False)
        assert asked(*FLAGS, "--overwrite") == (2, [])
        error = capsys.readouterr().err
        assert f"error: --output {tmp_path / 'out'}: another --predict is writing there; wait until" in error
        assert len(error.splitlines()) == 1 and contents(tmp_path / "out") == before
        os.close(handle)
        assert asked(*FLAGS) == (0, ["site/e"])


@pytest.mark.parametrize("moment", ["find_jobs", "name_all", "refuse_replacing", "overlap", "write_lists"])
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
    really = finishing.checksum

    def count(path: Path) -> str:
        hashed.append(path.name)
        return really(path)

    for module in ("finishing", "journal", "written"):
        monkeypatch.setattr(f"headtohead.predicting.results.{module}.checksum", count)
    assert asked(*FLAGS)[0] == 0
    assert sorted(hashed) == sorted(name for name in map(os.path.basename, files_in(tmp_path / "out") - OURS))
