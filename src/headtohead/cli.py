"""The command line: each thing to do is called in its order, and what goes wrong is said in one line.

Importing this must stay cheap, so that `--help` and mistakes answer at once: what is heavy is imported when it is run.
"""

import gc
import importlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from headtohead import __version__, machine
from headtohead.config_file import write_config
from headtohead.disk_faults import line_of
from headtohead.errors import PartlyDone, UserError, one_line
from headtohead.help_page import USAGE, help_page
from headtohead.options.flags import as_flags
from headtohead.options.table import Options
from headtohead.options.verbs import wanted
from headtohead.parsing import check_files, parse
from headtohead.stopping import TERMINATED, tidy_on_terminate

VERBS = {
    "download": "headtohead.readers.download:download",
    "make_phantoms": "headtohead.cohort.phantom:make",
    "view_aug": "headtohead.reporting.augmentation_sheet:view_augmentation",
    "train": "headtohead.comparing.training:train",
    "test": "headtohead.comparing.training:test",
    "compare": "headtohead.comparing.grid:compare",
    "tune_postprocessing": "headtohead.comparing.tuning:tune",
    "score": "headtohead.entrants.score:score_masks",
    "report": "headtohead.reporting.report:report",
    "explore": "headtohead.exploring.explore:explore",
    "export": "headtohead.trained.export:export",
    "image_path": "headtohead.predicting.image:predict_image",
    "predict": "headtohead.predicting.folder:predict_folder",
    "serve": "headtohead.serving.app:serve",
}
KEPT = "what was finished is kept"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what a command line says.

    Args:
        argv: the words after `main.py`; None: those of this process.

    Returns:
        The exit status: 0 done, 1 an internal error or partly done, 2 a user error, 130 stopped by
        the keyboard, 141 because nobody reads on, 143 by the system.
    """
    argv = sys.argv[1:] if argv is None else argv
    with tidy_on_terminate() as terminated:
        return _answer(argv, terminated)


def _answer(argv: Sequence[str], terminated: Callable[[], bool]) -> int:
    debug = "--debug" in argv
    _show_any_name()
    try:
        if "--help" in argv or "-h" in argv:
            return _say(help_page())
        if "--version" in argv:
            return _say(f"headtohead {__version__}\n")
        options = parse(argv)
        debug = options.machine.debug
        if options.machine.print_config:
            return _say(write_config(options))
        verbs = wanted(options.verbs)
        if not verbs:
            print(USAGE, end="", file=sys.stderr)
            return 2
        check_files(options.verbs, options.data)
        machine.tune_allocator()  # before any verb imports PyTorch
        places = [str(place) for verb in verbs if (place := run_verb(verb, options))]
        if terminated():  # a library swallowed the exit
            raise SystemExit(TERMINATED)
        return _say(f"results: {', '.join(dict.fromkeys(places))}\n") if places else 0
    except (Exception, KeyboardInterrupt, SystemExit) as problem:
        if isinstance(problem, BrokenPipeError) and _nobody_reads():
            return 141
        if debug:
            traceback.print_exc()
        # A library may have taken the exit for a fault of its own.
        line, status = explain(SystemExit(TERMINATED) if terminated() else problem)
        print(one_line(line), file=sys.stderr)
        return status


def _show_any_name() -> None:
    """Let a file name that is not UTF-8 be printed, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(text: str) -> int:
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _nobody_reads()
    return 0


def _nobody_reads() -> bool:
    """Say whether it is stdout whose reader has seen enough (`| head`), and no other pipe; if so, complain no more."""
    try:
        print(flush=True)  # a flush alone says nothing where stdout has no buffer (`python -u`)
    except BrokenPipeError:
        # Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def explain(problem: BaseException) -> tuple[str, int]:
    """Say in one line what went wrong, with the exit status that goes with it."""
    # Lightning turns the interrupt of a training into SystemExit; what it was is kept as the context.
    if isinstance(problem, KeyboardInterrupt) or isinstance(problem.__context__, KeyboardInterrupt):
        return f"interrupted; {KEPT}", 130
    # Lightning's SIGTERMException is an exit without a status; importing it would take seconds.
    if type(problem).__name__ == "SIGTERMException" or (isinstance(problem, SystemExit) and problem.code == 143):
        return f"stopped; {KEPT}", 143
    text = " ".join(str(problem).splitlines())
    if isinstance(problem, UserError):
        return f"error: {as_flags(text)}", 1 if isinstance(problem, PartlyDone) else 2
    if line := line_of(problem):
        return f"error: {line}", 2
    if isinstance(problem, OSError) and problem.filename is not None:
        reason = (problem.strerror or type(problem).__name__).lower()
        return f"error: {problem.filename}: {reason}; correct this, or name another file or folder", 2
    if isinstance(problem, ModuleNotFoundError) and not (problem.name or "headtohead").startswith("headtohead"):
        return f"error: the package {problem.name} is not installed; run pip install -r requirements.txt", 2
    return f"internal error: {type(problem).__name__}: {text}; run again with --debug", 1


def run_verb(verb: str, options: Options) -> Path | None:
    """Do one thing; give where its results are, None where it writes nothing."""
    module, _, function = VERBS[verb].partition(":")
    folders = {"download": options.data.root_dir, "make_phantoms": options.verbs.make_phantoms}
    run = getattr(importlib.import_module(module), function)
    if verb != "image_path":  # a single image ends before there is garbage to speak of
        gc.enable()
    place = run(options)
    if place is None:
        place = folders.get(verb)
    return None if place is None else Path(place)
