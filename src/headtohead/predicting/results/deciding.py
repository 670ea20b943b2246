"""What decides the results of a prediction besides its input: two commands alike in this give the same results."""

from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from headtohead import __version__
from headtohead.options.files import FileOptions
from headtohead.options.group import declarations
from headtohead.options.table import ChoiceOptions
from headtohead.predicting.predictor import Predictor
from headtohead.predicting.results.written import checksum
from headtohead.runs.folder import RunFolder
from headtohead.trained.choosing import Choice
from headtohead.trained.engines.opening import pick_engine
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import WEIGHTS

Settings = dict[str, str]
"""Names of options, and `version`, `model`, `weights` -> their values."""

APPLIED = ("threshold", "postprocessing")
"""What an option may say, or else the model."""


def deciding_settings(predictor: Predictor, options: ChoiceOptions, written: FileOptions) -> Settings:
    """Gather what decides. Threshold and clean-up are those applied, whether an option or the model asked for them.

    `--overwrite` is among it: it takes nothing from a command without it.
    """
    wanted, machine = options.prediction, options.machine
    files = {one.name: getattr(written, one.name) for one in declarations(FileOptions)}
    del files["pattern"]  # chooses inputs, and changes no result
    values = {
        "version": __version__,
        "model": " + ".join(choice.name for choice in predictor.choices) or predictor.name,
        "weights": _digest(predictor, options),
        "threshold": f"{predictor.threshold:g}",
        "postprocessing": str(predictor.clean_up),
        "tta": wanted.tta,
        "engine": wanted.engine,
        "gpus": machine.gpus,
        "precision": machine.precision,
        **files,
        "overwrite": options.comparison.overwrite,
    }
    return {name: str(value) for name, value in values.items()}


def key_of(settings: Settings) -> str:
    """Give a short name for settings, which no others have."""
    return sha256(repr(sorted(settings.items())).encode(errors="surrogatepass")).hexdigest()[:16]


def what_differs(theirs: Settings, ours: Settings) -> str:
    """Say in words what other settings are, where they differ from ours: `threshold` 0.4, without `tta`."""
    other = {name: value for name, value in theirs.items() if value != ours.get(name)}
    if "model" in other or "version" in other:  # what says nothing of the weights
        other.pop("weights", None)
    words = []
    for name, value in other.items():
        if name == "weights":
            words.append("other weights")
        elif name in ("version", "model"):
            words.append(f"{name} {value}")
        elif value in ("", "False"):
            words.append(f"without `{name}`")
        else:
            words.append(f"`{name}`" if value == "True" else f"`{name}` {value}")
    return ", ".join(words)


def _digest(predictor: Predictor, options: ChoiceOptions) -> str:
    """Give one checksum of what all models are: their facts, and the weights that are read."""
    parts = [_facts(predictor.facts)]
    for choice in predictor.choices:
        parts.append(_facts(choice.source.facts))
        with suppress(OSError):  # what cannot be read is told when the model is opened
            parts += [checksum(path) for path in _files_of(choice, options) if path.is_file()]
    return sha256("".join(parts).encode(errors="surrogatepass")).hexdigest()


def _facts(facts: ModelFacts) -> str:
    # A later test changes the scores, and what is applied of threshold and clean-up is known.
    return repr(sorted((name, value) for name, value in asdict(facts).items() if name not in ("scores", *APPLIED)))


def _files_of(choice: Choice, options: ChoiceOptions) -> list[Path]:
    source, wanted, machine = choice.source, options.prediction, options.machine
    if source.state is not None:
        return [Path(wanted.model_path)]
    if pick_engine(source, wanted.engine, machine.gpus, True, machine.precision) != "torch" and source.onnx:
        return [source.onnx]
    return [source.folder / WEIGHTS, RunFolder(source.folder).best] if source.folder else []
