"""`--predict` where something is wrong: one line each, nothing half-written, and the other files are done."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from headtohead.errors import UserError
from headtohead.predicting.results.journal import FILE as JOURNAL
from tests.predicting.scans import INSIDE, OURS, Predict, files_in, head, picture, summary_of


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--outputs", "2:_x.nii"], "--outputs 2:_x.nii"),
        (["--mask_suffix", "a/b"], "--mask_suffix"),
        (["--channels", "t9=0"], "--channels t9"),
        (["--pattern", "*.png"], "--pattern"),
        (["--save_uncertainty", "variance"], "a single model has none; average several"),
        (["--output", ""], "--predict: no output folder; name one with --output"),
    ],
)
def test_refused_before_anything_is_written(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    head(tmp_path / "in/a.nii")
    assert predict(*flags) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_places_that_cannot_be_written(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for output in ("out", "in"):
        assert predict(output=output) == 2
        assert "in: no such file or folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    head(tmp_path / "in/a.nii")
    (tmp_path / "file").touch()
    assert predict(output="file") == 2
    assert "file: not a folder" in capsys.readouterr().err
    assert predict(output="file/below") == 2
    assert "file/below: cannot be created" in capsys.readouterr().err
    (tmp_path / "out/a_probability.nii").mkdir(parents=True)
    assert predict("--save_probability", "--overwrite") == 2
    assert "a folder with the name of a file to be written" in capsys.readouterr().err
    (tmp_path / "out/summary.csv").write_text("mine\n")
    assert predict() == 2
    assert "summary.csv: not written by --predict" in capsys.readouterr().err


def test_two_files_for_one_name(tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    head(tmp_path / "in/a.nii")
    head(tmp_path / "in/a.nii.gz")
    picture(tmp_path / "in/b.jpg")
    picture(tmp_path / "in/b.png", ~INSIDE[:, :, 3])
    assert predict() == 1
    error = capsys.readouterr().err.splitlines()
    assert error == [
        "error: b.png: its b_mask.png would also be that of b.jpg; rename one of them, or use --pattern",
        f"error: 1 of 4 files could not be predicted; the reason is above and in {tmp_path / 'out' / 'summary.csv'}; "
        "fix it and run the same command again: only this is predicted",
    ]
    assert files_in(tmp_path / "out") - OURS == {"a_mask.nii", "a_mask.nii.gz", "b_mask.png", JOURNAL}


def test_a_fault_leaves_nothing_of_its_file(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "sub/b", "c"):
        head(tmp_path / f"in/{name}.nii")
    really = Path.replace

    def full(self: Path, target: Path) -> Path:
        if Path(target) == tmp_path / "out/sub/b_probability.nii":
            raise OSError(5, "Input/output error", str(target))
        return really(self, target)

    monkeypatch.setattr(Path, "replace", full)
    assert predict("--save_probability") == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith(f"error: sub/b: {tmp_path}/out")
    assert error[0].endswith(" failed while it was written; check it and run the command again")
    assert files_in(tmp_path / "out") - OURS - {JOURNAL} == {
        f"{name}_{kind}.nii" for name in "ac" for kind in ("mask", "probability")
    }
    assert summary_of(tmp_path / "out")["sub/b"]["error"].endswith("check it and run the command again")
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, None))
    assert predict("--preview", output="other") == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith("error: a: ") and "a_preview.png: cannot be written" in error[0]
    assert files_in(tmp_path / "other") == {"summary.csv"}
    assert summary_of(tmp_path / "out")["a"]["error"] == ""


def test_a_full_disk_ends_the_command_in_a_line_and_the_same_command_goes_on(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdefgh":
        head(tmp_path / f"in/{name}.nii")
    really = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name.startswith(("b", "c", "d")):
            raise OSError(28, "No space left on device", str(target))
        return really(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        assert predict() == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("error: no space left on ") and "/out/b_mask.nii; free some and run the" in said.err
    assert "h: " not in said.out, "what would be computed for nothing"
    assert {"a_mask.nii"} <= files_in(tmp_path / "out") - OURS - {JOURNAL} < {f"{name}_mask.nii" for name in "aefgh"}
    assert predict() == 0
    assert files_in(tmp_path / "out") - OURS == {f"{name}_mask.nii" for name in "abcdefgh"}
    assert not any(row["error"] for row in summary_of(tmp_path / "out").values())


def test_a_disk_that_is_full_while_a_mask_is_written_ends_the_command(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        if self.suffix == ".png":
            raise OSError(28, "No space left on device")
        return really(self, content)

    for name in "abcdefgh":
        picture(tmp_path / f"in/{name}.png")
    monkeypatch.setattr(Path, "write_bytes", full)
    assert predict() == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: no space left on ") and len(said.err.splitlines()) == 1
    assert "/out/a_mask.png; free some and run the command again" in said.err


@pytest.mark.parametrize(("number", "status", "said"), [(28, 2, "no space left on "), (5, 1, "a: ")])
@pytest.mark.parametrize("name", ["predicted.sha256", JOURNAL])
def test_what_cannot_be_listed_gets_no_name(
    tmp_path: Path,
    predict: Predict,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
    status: int,
    said: str,
) -> None:
    really = Path.open

    def fail(self: Path, mode: str = "r", **rest: Any) -> Any:
        if self.name == name and "a" in mode:
            raise OSError(number, "A fault", str(self))
        return really(self, mode, **rest)

    for case in "ab":
        head(tmp_path / f"in/{case}.nii")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fail)
        assert predict() == status
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith(f"error: {said}") and f"/out/{name}" in error[0]
    assert len(error) == (1 if status == 2 else 3)
    assert files_in(tmp_path / "out") == {"summary.csv"}
    assert predict() == 0
    assert files_in(tmp_path / "out") == {*OURS, "a_mask.nii", "b_mask.nii"}


def test_lists_that_cannot_be_written_at_the_end_are_written_by_the_same_command(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "predicted.sha256":
            raise OSError(28, "No space left on device", str(target))
        return really(self, target)

    head(tmp_path / "in/a.nii")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        assert predict() == 2
    error = capsys.readouterr().err
    assert "/out/predicted.sha256; free some and run the command again" in error and len(error.splitlines()) == 1
    assert summary_of(tmp_path / "out")["a"]["error"] == "", "masks that are there are never called failed"
    assert predict() == 0
    assert "1 of 1 file was predicted before" in capsys.readouterr().out


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_list_that_is_none_is_refused(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    head(tmp_path / "in/a.nii")
    (tmp_path / "out").mkdir()
    make(tmp_path / "out/predicted.sha256")
    assert predict() == 2
    error = capsys.readouterr().err
    assert "/out/predicted.sha256: cannot be used (is a" in error and "remove it, or choose another --output" in error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["predicted.sha256"]


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (MemoryError(), "error: a: not enough memory"),
        (ZeroDivisionError("by\nzero"), "error: a: ZeroDivisionError: by zero; run again with --debug"),
        (UserError("mend it"), "error: a: mend it"),
        (OSError("odd"), "error: a: oserror; correct this"),
    ],
)
def test_faults_in_one_line(
    tmp_path: Path,
    predict: Predict,
    brightness: Any,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
    line: str,
) -> None:
    class Broken(brightness):  # type: ignore[misc]
        def ask(self, inputs: Any) -> Any:
            raise fault

    head(tmp_path / "in/a.nii")
    assert predict(predictor=Broken()) == 1
    error = capsys.readouterr().err
    assert error.startswith(line) and len(error.splitlines()) == 2
    assert predict("--debug", predictor=Broken()) == 1
    assert "Traceback" in capsys.readouterr().err
    assert files_in(tmp_path / "out") == {"summary.csv"}


def test_an_interrupt_keeps_what_is_done(tmp_path: Path, predict: Predict, brightness: Any) -> None:
    class Stopped(brightness):  # type: ignore[misc]
        def ask(self, inputs: Any) -> Any:
            if inputs.name == "d":
                raise KeyboardInterrupt
            time.sleep(0.05)
            return super().ask(inputs)

    for name in "abcd":
        head(tmp_path / f"in/{name}.nii")
    assert predict(predictor=Stopped()) == 130
    assert "a" in summary_of(tmp_path / "out")
    assert not [name for name in files_in(tmp_path / "out") if "writing" in name]
    assert predict("--overwrite") == 0
