"""What `main` does with options that are in order: which things it calls, what it prints, how it fails."""

import importlib
import inspect
import io
import os
from pathlib import Path

import pytest

from headtohead import cli
from headtohead.errors import UserError
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS, Options
from headtohead.parsing import parse


class SIGTERMException(SystemExit):
    """Named as Lightning's own, whose import would need torchvision mended."""


@pytest.fixture(autouse=True)
def allocator_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the allocator of the process that runs the tests as it is."""
    monkeypatch.setattr(cli.machine, "tune_allocator", lambda: None)


@pytest.fixture(autouse=True)
def folder_with_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder where the default data set seems to be."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "kaggle_3m").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the verbs that run, in place of running them."""
    verbs: list[str] = []

    def note(verb: str, options: Options) -> Path:
        verbs.append(verb)
        return Path(options.comparison.runs_dir) / ("run" if verb in ("train", "test") else verb)

    monkeypatch.setattr(cli, "run_verb", note)
    return verbs


def fail_with(problem: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every verb end in `problem`."""

    def fail(verb: str, options: Options) -> Path:
        raise problem

    monkeypatch.setattr(cli, "run_verb", fail)


def test_verbs_are_the_options_that_say_what_to_do() -> None:
    assert list(cli.VERBS) == [one.name for one in declarations(GROUPS["verbs"])]


def test_verbs_run_in_their_order(called: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["--image_path", __file__, "--explore", "--report", "--test", "--train", "--view_aug", "--download"]
    assert cli.main([*argv, "--make_phantoms", "x"]) == 0
    assert called == ["download", "make_phantoms", "view_aug", "train", "test", "report", "explore", "image_path"]


def test_words_of_this_process_are_the_default(called: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["headtohead", "--train"])
    assert cli.main() == 0
    assert called == ["train", "test"]


def test_last_line_says_where_the_results_are(called: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--view_aug", "--train", "--test"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"results: {Path('runs/view_aug')}, {Path('runs/run')}"


@pytest.mark.parametrize("argv", [[], ["--train", "False"], ["--model", "unet"]])
def test_nothing_to_do(argv: list[str], called: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    assert called == []
    assert capsys.readouterr().err.startswith("nothing to do; for example:\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--image_path", "nowhere.tif"], "error: --image_path nowhere.tif: no such file"),
        (["--train", "--image_path", "data"], "error: --image_path data: a folder; name an image"),
        (["--image_path", "/dev/null"], "error: --image_path /dev/null: not a regular file; name an image"),
        *((["--root_dir", "nowhere", verb], "error: --root_dir nowhere: no such folder; see data/README.md")
          for verb in ("--view_aug", "--train", "--test", "--compare", "--explore")),
        (["--train", "--fold_file", "nowhere.csv"], "error: --fold_file nowhere.csv: no such file"),
    ],
)  # fmt: skip
def test_missing_files_are_refused_before_anything_runs(
    argv: list[str], message: str, called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(argv) == 2
    assert capsys.readouterr().err.startswith(message)
    assert called == []


def test_a_report_needs_no_data(called: list[str]) -> None:
    assert cli.main(["--report", "--root_dir", "nowhere"]) == 0
    assert called == ["report"]


def test_files_may_be_made_by_the_same_command(called: list[str]) -> None:
    assert cli.main(["--make_phantoms", "new", "--root_dir", "new", "--train", "--image_path", "new/a.tif"]) == 0
    assert called == ["make_phantoms", "train", "test", "image_path"]


@pytest.mark.parametrize(
    ("problem", "line", "status"),
    [
        (UserError("--root_dir nowhere: no such folder"), "error: --root_dir nowhere: no such folder", 2),
        (UserError("two\nlines"), "error: two lines", 2),
        (RuntimeError("shapes\ndiffer"), "internal error: RuntimeError: shapes differ; run again with --debug", 1),
        (KeyboardInterrupt(), f"interrupted; {cli.KEPT}", 130),
        (SIGTERMException(), f"stopped; {cli.KEPT}", 143),
        (SystemExit(143), "stopped; what was finished is kept", 143),
        (BrokenPipeError(32, "of a worker"),
         "internal error: BrokenPipeError: [Errno 32] of a worker; run again with --debug", 1),
        (ModuleNotFoundError("No module named 'torch'", name="torch"),
         "error: the package torch is not installed; run pip install -r requirements.txt", 2),
        (ModuleNotFoundError("No module named 'headtohead.x'", name="headtohead.x"),
         "internal error: ModuleNotFoundError: No module named 'headtohead.x'; run again with --debug", 1),
    ],
)  # fmt: skip
def test_failure_is_one_line(
    problem: BaseException, line: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(problem, monkeypatch)
    assert cli.main(["--train"]) == status
    assert capsys.readouterr().err == f"{line}\n"


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fail_with(RuntimeError("shapes differ"), monkeypatch)
    assert cli.main(["--train", "--debug"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.splitlines()[-1].startswith("internal error: RuntimeError: shapes differ")


@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_who_has_seen_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], buffered: bool
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    raw = os.fdopen(writing, "wb", buffering=-1 if buffered else 0)
    with io.TextIOWrapper(raw, write_through=not buffered) as nobody, monkeypatch.context() as patch:
        patch.setattr("sys.stdout", nobody)
        patch.setattr(cli, "run_verb", lambda *_: print("a: 1 ml", flush=True))
        assert cli.main(["--train"]) == 141
        print("more", file=nobody, flush=True)  # goes nowhere
    assert capsys.readouterr().err == ""


def test_interrupt_that_lightning_turned_into_an_exit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(verb: str, options: Options) -> Path:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise SystemExit(1)  # noqa: B904 - as Lightning does

    monkeypatch.setattr(cli, "run_verb", fail)
    assert cli.main(["--train"]) == 130
    assert capsys.readouterr().err.startswith("interrupted")


def test_allocator_is_tuned_before_the_first_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(cli.machine, "tune_allocator", lambda: order.append("tuned"))
    monkeypatch.setattr(cli, "run_verb", lambda verb, options: order.append(verb) or Path("x"))
    cli.main(["--train"])
    assert order == ["tuned", "train", "test"]


def test_verb_gets_its_folder_or_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    class Module:
        def __init__(self, name: str) -> None:
            self.name = name

        def __getattr__(self, function: str) -> object:
            return lambda argument: given.update({f"{self.name}:{function}": argument})

    monkeypatch.setattr(cli.importlib, "import_module", Module)
    options = parse(["--make_phantoms", "made/up", "--download", "--root_dir", "there"])
    for verb in ("download", "make_phantoms"):
        cli.run_verb(verb, options)
    assert given[cli.VERBS["download"]] is given[cli.VERBS["make_phantoms"]] is options


@pytest.mark.parametrize("verb", cli.VERBS)
def test_verb_can_be_called_with_one_argument(verb: str) -> None:
    module, _, name = cli.VERBS[verb].partition(":")
    inspect.signature(getattr(importlib.import_module(module), name)).bind("one argument")
