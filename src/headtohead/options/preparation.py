"""How a preparation of whole volumes is written: a name of `PREPARATIONS`, or steps such as `trim=1,crop=0.1`."""

import math
from itertools import pairwise

SLICES = "slices"
PREPARATIONS = {SLICES: "", "volume": "trim=1,crop=0.1,spline=2,standardise=10-99"}
"""Names and the steps they stand for; `volume` is the protocol of Buda, Saha, Mazurowski, Comput Biol Med 109:218-225,
2019, doi:10.1016/j.compbiomed.2019.05.002."""

AMOUNTS = {"trim": (0, 100, True), "crop": (0, 1, False), "spline": (0, 5, True), "standardise": (0, 100, False)}
"""The steps in their order, with the least and the most of what each is given, and whether it is a whole number."""

LEAST = {"crop": "0"}
"""What a step means that stands alone."""

Amounts = dict[str, tuple[float, ...]]


def volume_steps(text: str) -> Amounts:
    """Read a preparation: the amounts of each of its steps, in their order; nothing of `slices`.

    Raises:
        ValueError: a step is unknown, twice there or out of order, or its amount is none; in words for users.
    """
    found: Amounts = {}
    for word in filter(None, (one.strip() for one in PREPARATIONS.get(text, text).split(","))):
        name, equals, amount = (part.strip() for part in word.partition("="))
        if name not in AMOUNTS:
            raise ValueError(f"{name or word} is no step; the steps are {', '.join(AMOUNTS)}")
        if found and list(AMOUNTS).index(name) <= list(AMOUNTS).index(list(found)[-1]):
            raise ValueError(f"{name} comes after {list(found)[-1]}; each step comes once, in the order {_order()}")
        found[name] = _amounts(name, amount if equals else LEAST.get(name, ""))
    if not found and text != SLICES:
        raise ValueError(f"takes {' or '.join(PREPARATIONS)}, or steps with commas between them: {_order()}")
    if "spline" in found and "standardise" not in found:
        raise ValueError("spline leaves no grey levels that `normalise` could measure; add standardise, such as 10-99")
    return found


def steps_wrong(text: str) -> str:
    """Say what is wrong with a preparation; empty if nothing is."""
    try:
        volume_steps(text)
    except ValueError as fault:
        return str(fault)
    return ""


def standardises(text: str) -> bool:
    """Say whether a preparation scales the grey values, so that `normalise` has nothing left to do."""
    return "standardise" in volume_steps(text)


def _amounts(name: str, text: str) -> tuple[float, ...]:
    least, most, whole = AMOUNTS[name]
    parts = text.split("-") if name == "standardise" else [text]
    try:
        numbers = tuple(int(part) if whole else float(part) for part in parts)
    except ValueError:
        numbers = ()
    ordered = all(one < other for one, other in pairwise(numbers))
    if len(numbers) != (2 if name == "standardise" else 1) or not ordered:
        example = dict(one.split("=") for one in PREPARATIONS["volume"].split(","))[name]
        raise ValueError(f"{name} takes {_kind(name)}, such as {name}={example}")
    if not all(math.isfinite(number) and least <= number <= most for number in numbers):
        raise ValueError(f"{name} takes {_kind(name)} from {least} to {most}")
    return numbers


def _kind(name: str) -> str:
    if name == "standardise":
        return "two percentiles, the lower one first"
    return "a whole number" if AMOUNTS[name][2] else "a number"


def _order() -> str:
    return ", ".join(AMOUNTS)
