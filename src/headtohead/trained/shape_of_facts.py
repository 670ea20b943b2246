"""What model.json must hold to be believed: all that prediction will look into, before anything is written."""

import re
from typing import Any

import numpy as np

from headtohead.models.forms import TITLES
from headtohead.models.registry import MODELS
from headtohead.records.shape import Check, either, listing, mapping, nothing, number, one_of, text, undefined, whole
from headtohead.runs.record import DATA
from headtohead.task import Task

MEASURED = 1
"""The version of `familiar` that is looked into (`predicting.trust.familiarity.VERSION`); others are ignored."""

MOST_ARGUMENTS = 100
LEVELS = 4  # numbers that `predicting.trust.familiarity` gives of each sequence, and one of each pair of them
LONGEST = 1000
"""Characters of a name or a clean-up."""

LARGEST_WIDTH, MOST_CHANNELS, MOST_SEQUENCES, MOST_TARGETS = 1024, 64, 16, 256
"""Bounds of what is believed of a file: a made-up number must not exhaust the memory."""

RANGE = listing(number(), 2, 2)

SCORES = mapping(
    dict.fromkeys(("n", "cross_validated_n"), either(undefined, whole(0))), others=either(undefined, number())
)
TRAINING_DATA = mapping(DATA | {"parts": either(nothing, mapping(others=either(nothing, listing(text))))})


NET_PARTS = {"kind": one_of(*TITLES), "source": text, "arguments": listing(text, 0, MOST_ARGUMENTS), "sha256": text}
NET = either(one_of({}), mapping(NET_PARTS, needed=("kind", "source", "arguments")))


def wrong_value(facts: dict[str, Any], task: Task) -> str:
    """Name the first value that no model of this program has, the preparation apart; empty: all are sound."""
    check = mapping(
        {
            "name": _short_text,
            "net": NET,
            "model": lambda value: _wrong_model(value, facts.get("net")),
            "width": whole(0, LARGEST_WIDTH),
            "in_channels": whole(1, MOST_CHANNELS),
            "threshold": lambda value: number(0, 1)(value) if value else "",
            "postprocessing": _short_text,
            "familiar": lambda value: wrong_in_familiar(value, task),
            "scores": SCORES,
            "data": TRAINING_DATA,
        }
    )
    return check(facts) or ""


def _wrong_model(name: Any, net: Any) -> str | None:
    """Say whether a name is none of the table's, nor the title of a net of the kind that is said."""
    if not net:
        return one_of(*MODELS)(name)
    kind = net.get("kind") if isinstance(net, dict) else None
    fits = isinstance(name, str) and len(name) <= LONGEST and re.fullmatch(TITLES.get(str(kind), "(?!)"), name)
    return None if fits else ""


def _short_text(value: Any) -> str | None:
    return text(value) if isinstance(value, str) and len(value) <= LONGEST else ""


def wrong_in_familiar(familiar: Any, task: Task) -> str | None:
    """Name the first fault in what the training cases looked like; None where there is none."""
    if not isinstance(familiar, dict):
        return ""
    if familiar.get("version") != MEASURED:
        return None
    looks = mapping(
        {"head": RANGE, "texture": RANGE, "grey": _profile(task)},
        needed=("head", "texture", "grey"),
    )
    check = mapping(
        {
            "version": one_of(MEASURED),
            "cases": whole(0),
            "sequences": lambda value: None if value == list(task.sequences) else "",
            "slices": RANGE,
            "volume": looks,
            "slice": looks,
        },
        needed=("sequences", "slices", "volume", "slice"),
    )
    return check(familiar)


def _profile(task: Task) -> Check:
    count = len(task.sequences)
    numbers = LEVELS * count + count * (count - 1) // 2
    shape = mapping(
        {
            "centre": listing(number(), numbers, numbers),
            "scale": listing(number(1e-6), numbers, numbers),
            "correlation": listing(text, numbers, numbers),
        },
        needed=("centre", "scale", "correlation"),
    )

    def check(value: Any) -> str | None:
        if value is None:  # too few cases
            return None
        fault = shape(value)
        return ("" if _is_correlation(value["correlation"]) else "correlation") or None if fault is None else fault

    return check


def _is_correlation(rows: list[str]) -> bool:
    try:
        matrix = np.array([row.split() for row in rows], np.float64)
        np.linalg.cholesky(matrix)
    except (ValueError, np.linalg.LinAlgError):
        return False
    return bool(np.isfinite(matrix).all() and np.allclose(matrix, matrix.T))
