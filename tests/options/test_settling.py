"""How one value is read, whether it comes from a flag (text) or from YAML (typed), and how it is refused."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.options.checks import above, at_least, between, folder_name, from_up_to, gpu_numbers, run_names
from headtohead.options.declaring import option
from headtohead.options.settling import settle


@dataclass(frozen=True)
class Sample:
    switch: bool = option(False, "a switch")
    count: int = option(1, "a whole number", check=at_least(1))
    rate: float = option(0.5, "a number")
    name: str = option("", "a name")
    file: str | None = option(None, "a file, or none")
    kind: str = option("none", "a word", choices=("none", "cosine"), bare="cosine", off="none")
    words: tuple[str, ...] = option(("a",), "words")
    numbers: tuple[int, ...] = option((1,), "numbers", check=at_least(0))


FIELDS = {one.name: one for one in fields(Sample)}


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("switch", "True", True),
        ("switch", "YES", True),
        ("switch", "1", True),
        ("switch", "on", True),
        ("switch", "False", False),
        ("switch", "no", False),
        ("switch", "0", False),
        ("switch", "OFF", False),
        ("switch", True, True),
        ("switch", 0, False),
        ("count", "12", 12),
        ("count", 12, 12),
        ("rate", "5e-4", 5e-4),
        ("rate", 1, 1.0),
        ("name", 7, "7"),
        ("name", Path("a") / "b", str(Path("a") / "b")),
        ("file", None, None),
        ("file", "", None),
        ("file", "x.tif", "x.tif"),
        ("kind", "cosine", "cosine"),
        ("kind", "True", "cosine"),
        ("kind", True, "cosine"),
        ("kind", "no", "none"),
        ("kind", False, "none"),
        ("words", "a, b", ("a", "b")),
        ("words", ["a", "b"], ("a", "b")),
        ("numbers", "0,1", (0, 1)),
        ("numbers", 3, (3,)),
        ("numbers", (4, 5), (4, 5)),
    ],
)
def test_value_is_read(name: str, raw: Any, value: Any) -> None:
    settled = settle(FIELDS[name], raw, name)
    assert settled == value
    assert type(settled) is type(value)


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("switch", "maybe", "--switch maybe: takes True or False"),
        ("switch", 2, "--switch 2: takes True or False"),
        ("switch", None, "--switch: needs a value"),
        ("count", "many", "--count many: takes a whole number"),
        ("count", 1.0, "--count 1.0: takes a whole number"),
        ("count", True, "--count True: takes a whole number"),
        ("count", "0", "--count 0: must be at least 1"),
        ("rate", "nan", "--rate nan: takes a number"),
        ("rate", "inf", "--rate inf: takes a number"),
        ("rate", [1], "--rate 1: takes a number"),
        ("rate", True, "--rate True: takes a number"),
        ("name", False, "--name False: takes text; in YAML, put it in quotes"),
        ("name", {"a": 1}, "--name {'a': 1}: takes text; in YAML, put it in quotes"),
        ("kind", "cosin", "--kind cosin: not one of none, cosine; did you mean cosine?"),
        ("words", "a,,b", "commas"),
        ("words", [], "commas"),
        ("words", "a,b,a", "--words a,b,a: a is given twice"),
        ("numbers", "1,-1", "--numbers 1,-1: must be at least 0"),
        ("numbers", ["x"], "--numbers x: takes a whole number"),
    ],
)
def test_value_is_refused(name: str, raw: Any, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        settle(FIELDS[name], raw, f"--{name}")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (between(0, 1), [0, 0.5, 1], [-0.1, 1.1]),
        (above(0), [1e-9, 5], [0, -1]),
        (above(0, 1), [0.1, 1], [0, 1.1]),
        (from_up_to(0, 1), [0, 0.9], [-0.1, 1]),
        (folder_name, ["unet-none-s0-f0", "a b"], ["", ".", "..", "a/b", "a\\b", "/"]),
        (run_names, ["", "first", "a,b", "v1.2"], ["a,..", "figures", "a,Figures", "results.csv", "x/y"]),
        (gpu_numbers, ["auto", "cpu", "0", "0,1"], ["", "gpu", "0,", "-1", "0,0", "0;1", "²"]),
    ],
)
def test_check_refuses_what_it_should(check: Any, good: list[Any], bad: list[Any]) -> None:
    assert [check(value) for value in good] == [""] * len(good)
    assert all(check(value) for value in bad)
