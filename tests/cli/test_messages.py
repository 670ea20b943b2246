"""Errors are one line of readable text, whatever was given: control bytes, thousands of characters, odd names."""

import errno
import io
import os
import sys
from pathlib import Path

import pytest

from headtohead import cli
from headtohead.cli import explain
from headtohead.errors import LONGEST, one_line
from headtohead.predicting.files.finding import find_jobs
from headtohead.readers.lgg import TASK as LGG_TASK

BYTE = os.fsdecode(b"caf\xe9.nii")  # a name that is not UTF-8


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\nc", "a b c"),
        ("a\x1b[31mb\x00\x7f\t", r"a\x1b[31mb\x00\x7f\t"),
        ("a\u202eb\x9b", r"a\u202eb\x9b"),
        (BYTE, r"caf\xe9.nii"),
        ("\ud800", r"\ud800"),
        ("Müller 脳 \\", "Müller 脳 \\"),
        ("x" * LONGEST, "x" * LONGEST),
    ],
)
def test_one_line_is_readable(text: str, line: str) -> None:
    assert one_line(text) == line


def test_of_a_long_one_cause_and_mend_are_left() -> None:
    line = one_line(f"--model {'x' * 5000}: no such model")
    assert len(line) < LONGEST + 50 and " more characters] " in line
    assert line.startswith("--model xxx") and line.endswith("xxx: no such model")


@pytest.mark.parametrize(
    "words",
    [
        ["--train", "--model", "x\x1b[31m" + "y" * 5000],
        ["--no\x1bsuch" + "y" * 5000],
        ["--image_path", "z\x07" * 2500],
        ["--image_path", BYTE],
        ["--config", "\x1b]0;title\x07" + "y" * 200],
    ],
)
def test_what_was_given_is_escaped_and_shortened(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.endswith("\n") and told[:-1].isprintable()
    assert len(told) < LONGEST + 50


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (f"--compare --folds {'9' * 20}", f"--folds {'9' * 20}: too large a number"),
        (f"--compare --folds {'9' * 5000}", "9: too large a number"),
        (f"--compare --folds {'0' * 20}", "takes a number of folds (2 or more), or the word patients or sites"),
        (f"--train --fold {'9' * 20}", f"--fold {'9' * 20}: too large a number"),
        (f"--train --num_epochs {'9' * 5000}", "9: too large a number"),
        (f"--train --batch_size {'9' * 30}", f"--batch_size {'9' * 30}: too large a number"),
        (f"--train --gpus {'9' * 30}", f"--gpus {'9' * 30}: too large a number"),
        (f"--train --learning_rate {'9' * 5000}", "9: takes a number"),
    ],
)
def test_huge_numbers_are_refused(words: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words.split()) == 2
    assert capsys.readouterr().err.endswith(f"{line}\n")


def test_a_name_that_is_not_utf8_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the language of the system lets Python write UTF-8 and nothing else."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "utf-8", "strict"))
    assert cli.main(["--version"]) == 0
    print(BYTE, flush=True)
    assert written.getvalue().decode().endswith("\ncaf\\udce9.nii\n")


@pytest.mark.parametrize("name", [".nii", "..nii", "...nii", "..nii.gz", "a..nii"])
def test_a_name_of_dots_is_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    (job,) = find_jobs(tmp_path / name, "", LGG_TASK, ())
    assert job.name == ("a." if name.startswith("a") else name)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_told_whoever_met_it(wrapped: bool) -> None:
    problem: Exception = OSError(errno.ENOSPC, "No space left on device", "/proc/some.csv")
    if wrapped:
        problem, problem.__cause__ = RuntimeError("a library failed"), problem
    line, status = explain(problem)
    assert line.startswith("error: no space left on /proc for /proc/some.csv; free some") and status == 2
