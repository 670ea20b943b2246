"""A command line, or the keywords of a Python call, become `Options` that make sense together.

Importing this must stay cheap, so that `--help` and mistakes answer at once: what is heavy is imported when it is run.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headtohead.comparing.model_settings import refuse_impossible_models, refuse_other_models, refuse_several_runs
from headtohead.comparing.own_loss import refuse_impossible_losses
from headtohead.comparing.variants import refuse_impossible_variants
from headtohead.config_file import read_config
from headtohead.effects import refuse_without_effect
from headtohead.errors import UserError, did_you_mean
from headtohead.options.data import DATA_SETS, DataOptions
from headtohead.options.declaring import description_of
from headtohead.options.model import ModelOptions
from headtohead.options.settling import settle
from headtohead.options.table import OPTIONS, Options, from_flat
from headtohead.options.verbs import VERB_NAMES, Verbs, wanted
from headtohead.overruled import refuse_overruled
from headtohead.reporting.absent_loggers import refuse_absent_loggers

READ_DATA = ("view_aug", "train", "test", "compare", "tune_postprocessing", "explore")


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
        config = {name: value for name, value in config.items() if name not in VERB_NAMES}
    options = from_flat(with_data(with_model(config, {**config, **with_test(config, flags)})), given=flags)
    check_sense(options, flags)
    return options


def with_test(config: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """Let a training end with its test, unless the flags, or the file that asks for the training, say otherwise."""
    train = flags.get("train", config.get("train", False))
    settled = "test" in flags or ("test" in config and config.get("train", False))
    return {**flags, "test": True} if train and not settled else flags


def with_model(config: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Let `--train` and `--test` take the model that the file of a comparison names, where it names one alone.

    Raises:
        UserError: it names several, and the default is none of them.
    """
    compared, default = config.get("models", ()), ModelOptions().architecture
    tested = values.get("test") and not (values.get("run_name") or values.get("model_path"))  # these know their model
    one_run = values.get("train") or tested
    if values.get("model") or not one_run or not compared or default in compared:
        return values
    if len(compared) > 1:
        raise UserError(f"{values['config']}: compares {', '.join(compared)}; name one of them by --model")
    return {**values, "model": compared[0]}


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


def check_sense(options: Options, given: Mapping[str, Any]) -> None:
    """Refuse at once what would fail, or be silently ignored, only later. Each room knows what it refuses.

    Raises:
        UserError: an unknown model, or options that make no sense together.
    """
    verbs = wanted(options.verbs)
    model, training, comparison = options.model, options.training, options.comparison
    refuse_impossible_models(given, verbs, model, comparison, options.input.image_size)
    refuse_several_runs(verbs, comparison.run_name)
    if not options.machine.print_config:  # what is written into a file may serve other commands
        refuse_without_effect(given, verbs)
        refuse_overruled(given, verbs, options)
        refuse_absent_loggers(verbs, training.loggers)
        refuse_other_models(given, verbs, model, comparison)
    refuse_impossible_losses(verbs, training, comparison, model.architecture)
    refuse_impossible_variants(given, verbs, comparison, options.input.image_size)


def check_files(verbs: Verbs, data: DataOptions) -> None:
    """Refuse files and folders that are not there, before anything slow is imported or begun.

    Raises:
        UserError: the image or the data set is missing, and no other thing to do will make it.
    """
    if data.fold_file and not Path(data.fold_file).is_file():
        raise UserError(f"`fold_file` {data.fold_file}: no such file; check the path")
    if verbs.download or verbs.make_phantoms:
        return
    if verbs.image_path and not (path := Path(verbs.image_path)).is_file():
        kind = "a folder" if path.is_dir() else "not a regular file"
        fault = f"{kind}; name an image" if path.exists() else "no such file; check the path"
        raise UserError(f"`image_path` {verbs.image_path}: {fault}")
    if verbs.predict and not Path(verbs.predict).exists():
        raise UserError(f"`predict` {verbs.predict}: no such file or folder; check the path")
    root = data.root_dir
    if any(getattr(verbs, verb) for verb in READ_DATA) and not Path(root).is_dir():
        raise UserError(f"`root_dir` {root}: no such folder; see data/README.md for how to get the data set")
