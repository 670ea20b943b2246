"""Keyword arguments of a net, as a user writes them and as its class or function takes them."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from headtohead.errors import UserError, did_you_mean
from headtohead.records.regular import UnreadableError
from headtohead.records.yaml_reader import plain_value

INPUTS = ("in_channels", "in_chans", "in_ch", "input_channels", "n_channels", "num_channels", "channels_in", "inputs")
OUTPUTS = ("out_channels", "num_classes", "classes", "n_classes", "out_chans", "out_ch", "output_channels", "outputs")
"""What nets call the number of their input channels and of their logits; the first that a net takes is meant."""

FLAG = "`model_settings`"
LARGEST = 99_999
"""Of a whole number: a model.json from elsewhere must not ask for a million layers."""


def read_arguments(texts: Sequence[str], name: str) -> dict[str, Any]:
    """Read `key=value` texts, each value a YAML scalar or list; nothing is evaluated.

    Raises:
        UserError: a value is neither, or a key is given twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, _, value = (part.strip() for part in text.partition("="))
        if key in found:
            raise UserError(f"{FLAG} {name}.{text}: {key} is given twice")
        try:
            found[key] = plain_value(value)
        except UnreadableError as fault:
            raise UserError(f"{FLAG} {name}.{text}: {fault}; write a number, a word or a list") from fault
        if not _is_plain(found[key]):
            raise UserError(f"{FLAG} {name}.{text}: takes a number up to {LARGEST}, a word or a list of them")
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, int):
        return abs(value) <= LARGEST
    return value is None or isinstance(value, float | str)


def fitted_arguments(
    build: Callable[..., Any],
    name: str,
    given: dict[str, Any],
    in_channels: int,
    out_channels: int,
    settled: Mapping[str, Any] = MappingProxyType({}),
    refused: Collection[str] = (),
) -> dict[str, Any]:
    """Put together what a class or function is called with, by its signature.

    Args:
        build: the class or function.
        name: of the net, for messages.
        given: the user's keyword arguments.
        in_channels: of the input; passed under the first of `INPUTS` that it takes.
        out_channels: logits a pixel; under the first of `OUTPUTS`.
        settled: what the kind of net settles, such as `spatial_dims`; a user may not give these.
        refused: further arguments that a user may not give.

    Raises:
        UserError: it cannot be told its channels, does not take an argument, or needs one that was not given.
    """
    try:
        parameters = inspect.signature(build).parameters
    except (TypeError, ValueError) as fault:
        raise UserError(f"`model` {name}: its arguments cannot be read; write it as a class or function") from fault
    named = {key: one for key, one in parameters.items() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    found = dict(settled)
    for what, names, value in (("input channels", INPUTS, in_channels), ("logits a pixel", OUTPUTS, out_channels)):
        taken = next((one for one in names if one in named), None)
        if taken is None:
            raise UserError(
                f"`model` {name}: takes no number of {what}; give it an argument {names[0]} (known are also "
                f"{', '.join(names[1:])})"
            )
        found[taken] = value
    free = [key for key in named if key not in found and key not in refused]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values()) and not settled
    for key in given:
        if key in found or key in refused:
            raise UserError(f"{FLAG} {name}.{key}: is settled by the program; leave it out")
        if key not in free and not takes_any:
            takes = f"it takes {', '.join(free)}" if free else "it takes none"
            raise UserError(f"{FLAG} {name}.{key}: no such argument{did_you_mean(key, free)}; {takes}")
    needed = [key for key in free if named[key].default is inspect.Parameter.empty and key not in given]
    if needed:
        example = ",".join(f"{name}.{key}=..." for key in needed)
        raise UserError(f"`model` {name}: needs {' and '.join(needed)}; give {FLAG} {example}")
    return found | given
