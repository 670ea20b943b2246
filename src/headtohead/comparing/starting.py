"""Start an experiment from weights that exist, and settle which of its layers learn, and how fast."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headtohead.comparing.experiment import Experiment
from headtohead.comparing.leaks import refuse_leak
from headtohead.errors import UserError
from headtohead.learning.fine_tuning import FineTuning
from headtohead.learning.module import SegmentationModule
from headtohead.learning.starting import Match, match_layers
from headtohead.models.parts import layers_of, named_layers
from headtohead.models.registry import find_spec
from headtohead.options.flags import as_flags
from headtohead.runs.finding import READY
from headtohead.runs.folder import DamagedRecordError, RunFolder
from headtohead.trained.start import LABEL, SEEN_BEFORE, UNKNOWN, Start, find_start

FREEZE = "`freeze`"
ENCODER = "encoder."  # what `--encoder_weights` fills


def start_training(experiment: Experiment, module: SegmentationModule, resumed: bool) -> dict[str, Any]:
    """Give a net its first weights and settle how its layers learn; gives what run.json says of that.

    A training that is `resumed` has its weights, and run.json says which layers were taken over: the weights that it
    started from are not read again.

    Raises:
        UserError: the weights cannot be read, do not fit, or have seen test cases; or what is frozen has no weights to
            keep.
    """
    wanted, net = experiment.options.starting, module.model
    facts: dict[str, Any] = {}
    frozen = named_layers(net, wanted.freeze, f"{FREEZE} {wanted.freeze}") if wanted.freeze else []
    if wanted.init_from and not resumed:
        start = start_of(experiment)
        warning = refuse_leak(start, experiment.cohort, experiment.split)
        match = _match(experiment, module, start)
        match.load_into(net)
        facts = _facts(start, match, warning)
        _say(experiment.name, start, match, warning)
    fresh = _fresh_layers(experiment, module, facts or experiment.folder.record())
    _refuse_unkept(frozen, fresh, f"{FREEZE} {wanted.freeze}")
    old = [layer for layer in layers_of(net) if layer not in fresh]
    module.fine_tuning = FineTuning(frozenset(frozen), wanted.thaw_epoch, frozenset(old), wanted.old_layers_rate)
    if wanted.freeze:
        facts |= {"frozen": wanted.freeze, "thaw_epoch": wanted.thaw_epoch}
    return facts | ({"old_layers_rate": wanted.old_layers_rate} if wanted.old_layers_rate != 1 else {})


def _refuse_unkept(frozen: list[str], fresh: set[str], label: str) -> None:
    if unkept := [layer for layer in frozen if layer in fresh]:
        raise UserError(
            f"{label}: {unkept[0]} has no weights to keep, since it starts from random ones; freeze other parts, or "
            "start from weights that have it (`init_from`)"
        )


def start_of(experiment: Experiment) -> Start:
    """Find the weights that an experiment starts from.

    Raises:
        UserError: as `find_start`.
    """
    options, training = experiment.options, experiment.options.training
    given = options.starting.init_from.replace("{fold}", str(experiment.split.fold))
    return find_start(given.replace("{seed}", str(training.seed)), Path(options.comparison.runs_dir))


def refuse_start(experiment: Experiment, build: Callable[[Experiment], SegmentationModule]) -> None:
    """Refuse a start that is not there, does not fit, has seen test cases or cannot be frozen as asked for.

    An experiment that is past its start is not looked at. What builds the net is called only where there is a start to
    be matched or a part to be frozen.

    Raises:
        UserError: as `start_training`.
    """
    folder, options = experiment.folder, experiment.options
    wanted, begun = options.starting, folder.last.is_file() or _status(folder) in READY
    if (begun and not options.comparison.overwrite) or not (wanted.init_from or wanted.freeze):
        return
    if wanted.init_from:
        start = start_of(experiment)
        refuse_leak(start, experiment.cohort, experiment.split)
        module = build(experiment)
        fresh = set(_match(experiment, module, start).fresh)
    else:
        module = build(experiment)
        fresh = _drawn_layers(experiment, module)
    if wanted.freeze:
        label = f"{FREEZE} {wanted.freeze} ({experiment.identity['model']})"
        _refuse_unkept(named_layers(module.model, wanted.freeze, label), fresh, label)


def _status(folder: RunFolder) -> str:
    try:
        return str(folder.record().get("status"))
    except DamagedRecordError:  # it fails by itself, and the others of its grid go on
        return READY[0]


def _match(experiment: Experiment, module: SegmentationModule, start: Start) -> Match:
    model = experiment.options.model.architecture
    label = f"{LABEL} {start.given}" + (f" ({start.model})" if start.model else "")
    mend = "name its `model`, or other weights"
    if start.facts and start.facts.model != model:
        there = start.facts.model
        mend = f"write `model` {there}, or give only that model this start (`model_settings` {there}.init_from=...)"
    return match_layers(module.model, start.weights(), label, mend, scalable=bool(find_spec(model).width))


def _fresh_layers(experiment: Experiment, module: SegmentationModule, facts: dict[str, Any]) -> set[str]:
    """Name the layers whose weights were drawn at random, where those of a start, if there is one, are loaded."""
    if experiment.options.starting.init_from:
        if "start" not in facts:
            raise UserError(
                f"{experiment.folder.path}: run.json does not say how its training began; train again with `overwrite`"
            )
        return set(facts["start"]["new"])
    return _drawn_layers(experiment, module)


def _drawn_layers(experiment: Experiment, module: SegmentationModule) -> set[str]:
    """Name the layers that are drawn at random as the net is built."""
    pretrained = experiment.options.model.encoder_weights != "none"
    return {layer for layer in layers_of(module.model) if not (pretrained and layer.startswith(ENCODER))}


def _facts(start: Start, match: Match, warning: str) -> dict[str, Any]:
    taken, whole = match.parameters
    known = UNKNOWN if start.seen is None or not start.whole else "known"
    return {
        "start": {
            "from": start.given,
            "kind": start.kind,
            "name": start.facts.name if start.facts else start.path.name,
            "sha256": start.sha256,
            "layers": len(match.layers) - len(match.fresh),
            "of_layers": len(match.layers),
            "weights": taken,
            "of_weights": whole,
            "adapted": list(match.adapted),
            "new": list(match.fresh),
            "training_cases": known,
            "warning": warning,
        },
        SEEN_BEFORE: sorted(start.seen or ()),
    }


def _say(name: str, start: Start, match: Match, warning: str) -> None:
    first, *others = match.lines
    of = f" ({start.model})" if start.model else ""
    print("\n".join([f"{name}: starts from {start.given}{of}: {first}", *others]), flush=True)
    if warning:
        print(f"warning: {as_flags(f'{LABEL} {start.given}: {warning}')}", file=sys.stderr)
