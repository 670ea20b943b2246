"""The command line: flags and a YAML file become `Options`, and each thing to do is called in its order.

Importing this must stay cheap, so that `--help` and mistakes answer at once: what is heavy is imported when it is run.
"""

import argparse
import gc
import importlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from headtohead import __version__, machine
from headtohead.comparing.model_settings import refuse_impossible_models, refuse_other_models, refuse_several_runs
from headtohead.comparing.own_loss import refuse_impossible_losses
from headtohead.comparing.variants import refuse_impossible_variants
from headtohead.config_file import read_config, write_config
from headtohead.disk_faults import line_of
from headtohead.effects import refuse_without_effect
from headtohead.errors import PartlyDone, UserError, did_you_mean, one_line
from headtohead.help_page import USAGE, help_page
from headtohead.options.data import DATA_SETS, DataOptions
from headtohead.options.declaring import description_of
from headtohead.options.flags import as_flags
from headtohead.options.settling import settle
from headtohead.options.table import OPTIONS, Options, from_flat
from headtohead.overruled import refuse_overruled
from headtohead.reporting.absent_loggers import refuse_absent_loggers
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
CHECKS = (
    refuse_impossible_models,
    refuse_several_runs,
    refuse_without_effect,
    refuse_overruled,
    refuse_absent_loggers,
    refuse_other_models,
    refuse_impossible_losses,
    refuse_impossible_variants,
)
"""What each room refuses: called with the flags that were given, all options and the verbs."""

READ_DATA = ("view_aug", "train", "test", "compare", "tune_postprocessing", "explore")


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
        if not wanted(options):
            print(USAGE, end="", file=sys.stderr)
            return 2
        check_files(options)
        machine.tune_allocator()  # before any verb imports PyTorch
        places = [str(place) for verb in wanted(options) if (place := run_verb(verb, options))]
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


def parse(argv: Sequence[str]) -> Options:
    """Turn a command line into options. Flags win over the file of `--config`, and that wins over the defaults.

    Raises:
        UserError: an unknown flag or key, a value that is refused, or options that make no sense together.
    """
    return options_of(read_flags(argv))


def options_of(flags: dict[str, Any], alone: bool = False) -> Options:
    """Turn what was given, name to settled value, into options; `config` among it names a YAML file.

    With `alone`, nothing else is done than what is given says: the file is read for its options only.

    Raises:
        UserError: as `parse`.
    """
    config = read_config(flags["config"]) if flags.get("config") else {}
    if alone:
        config = {name: value for name, value in config.items() if name not in VERBS}
    options = from_flat(with_data({**config, **with_test(config, flags)}), given=flags)
    check_sense(options, flags)
    return options


def with_test(config: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """Let a training end with its test, unless the flags, or the file that asks for the training, say otherwise."""
    train = flags.get("train", config.get("train", False))
    settled = "test" in flags or ("test" in config and config.get("train", False))
    return {**flags, "test": True} if train and not settled else flags


def with_data(values: dict[str, Any]) -> dict[str, Any]:
    """Say what kind of data is meant, where nobody does: what is downloaded, or what a folder's layout says."""
    default = DataOptions().data
    wanted_set = values.get("download")
    if wanted_set in DATA_SETS and wanted_set != default:
        return {"data": wanted_set, "root_dir": f"data/{wanted_set}", **values}
    reads = any(values.get(verb) for verb in READ_DATA) and not values.get("print_config")
    root = values.get("root_dir")
    if "data" in values or not reads or not root or wanted_set or values.get("make_phantoms"):
        return values
    from headtohead.readers.reader import recognise, refuse_unread

    kind = recognise(Path(str(root)))
    if not kind:
        refuse_unread(Path(str(root)), values, default)
    if kind in ("", default):
        return values
    print(f"{root}: read as {DATA_SETS[kind]} (--data {kind})")
    return {**values, "data": kind}


def read_flags(argv: Sequence[str]) -> dict[str, Any]:
    """Read the flags that were given, name to settled value.

    Raises:
        UserError: a flag is unknown, lacks its value, or its value is refused.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    for name, declared in OPTIONS.items():
        # None stands for a value that is missing: argparse would say so in its own way.
        bare = True if declared.type is bool else description_of(declared).bare or None
        parser.add_argument(f"--{name}", nargs="?", const=bare)
    found, rest = parser.parse_known_args([_underscored(word) for word in argv])
    if rest:
        raise UserError(_not_a_flag(rest[0]))
    flags = {}
    for name, raw in vars(found).items():
        if raw is None:
            raise UserError(f"--{name}: needs a value")
        flags[name] = settle(OPTIONS[name], raw, f"--{name}")
    return flags


def _underscored(word: str) -> str:
    """Spell a flag with underscores, `--mask-suffix=_brain.nii` as `--mask_suffix=_brain.nii`; other words stay."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word[2:].partition("=")
    return f"--{flag.replace('-', '_')}{equals}{value}"


def _not_a_flag(word: str) -> str:
    name = word.split("=")[0].lstrip("-").replace("-", "_")
    guess = did_you_mean(name, OPTIONS).replace("mean ", "mean --")
    if word.startswith("-"):
        return f"{word.split('=')[0]}: no such flag{guess or '; --help lists them'}"
    return f"{word}: belongs to no flag{guess or '; put values after their flag, and write lists without spaces (0,1)'}"


def check_sense(options: Options, flags: dict[str, Any]) -> None:
    """Refuse at once what would fail, or be silently ignored, only later.

    Raises:
        UserError: an unknown model, or options that make no sense together.
    """
    verbs = [] if options.machine.print_config else wanted(options)
    for check in CHECKS:
        check(flags, options, verbs)


def check_files(options: Options) -> None:
    """Refuse files and folders that are not there, before anything slow is imported or begun.

    Raises:
        UserError: the image or the data set is missing, and no other thing to do will make it.
    """
    verbs = options.verbs
    if options.data.fold_file and not Path(options.data.fold_file).is_file():
        raise UserError(f"`fold_file` {options.data.fold_file}: no such file; check the path")
    if verbs.download or verbs.make_phantoms:
        return
    if verbs.image_path and not (path := Path(verbs.image_path)).is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        fault = f"{kind}; name an image" if path.exists() else "no such file; check the path"
        raise UserError(f"`image_path` {verbs.image_path}: {fault}")
    if verbs.predict and not Path(verbs.predict).exists():
        raise UserError(f"`predict` {verbs.predict}: no such file or folder; check the path")
    root = options.data.root_dir
    if any(getattr(verbs, verb) for verb in READ_DATA) and not Path(root).is_dir():
        raise UserError(f"`root_dir` {root}: no such folder; see data/README.md for how to get the data set")


def wanted(options: Options) -> list[str]:
    """List what is to be done, in order."""
    return [verb for verb in VERBS if getattr(options.verbs, verb)]


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
