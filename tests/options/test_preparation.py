"""A preparation of whole volumes as it is written: names, steps, and what is refused."""

import pytest

from headtohead.errors import UserError
from headtohead.options.preparation import PREPARATIONS, standardises, steps_wrong, volume_steps
from headtohead.options.table import from_flat
from headtohead.preparing.recipe import BUDA, InputRecipe, buda_chain, published_chain


def test_steps_are_read() -> None:
    assert volume_steps("slices") == {}
    assert volume_steps("volume") == {"trim": (1,), "crop": (0.1,), "spline": (2,), "standardise": (10.0, 99.0)}
    assert volume_steps(PREPARATIONS["volume"]) == volume_steps("volume")
    assert volume_steps(" trim = 2 , crop ") == {"trim": (2,), "crop": (0.0,)}
    assert standardises("volume") and not standardises("trim=1") and not standardises("slices")


def test_the_chain_of_volume_is_the_published_one() -> None:
    """Of a case in 8 bits, channels may be chosen before or after the levels; both come before the crop."""
    own = {step.kind: step for step in InputRecipe(256, "", 0, preparation="volume").chain.steps}
    assert own == {step.kind: step for step in published_chain(BUDA, 3).steps}
    order = [step.kind for step in buda_chain(3).steps if step.kind not in ("channels", "window")]
    assert [kind for kind in own if kind not in ("channels", "window")] == order


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "takes slices or volume, or steps"),
        ("volumes", "volumes is no step; the steps are trim, crop, spline, standardise"),
        ("trim", "trim takes a whole number, such as trim=1"),
        ("trim=1.5", "trim takes a whole number"),
        ("trim=-1", "trim takes a whole number from 0 to 100"),
        ("crop=2", "crop takes a number from 0 to 1"),
        ("crop=nan", "crop takes a number from 0 to 1"),
        ("crop=1,trim=1", "trim comes after crop; each step comes once, in the order trim, crop"),
        ("trim=1,trim=1", "trim comes after trim"),
        ("spline=2", "spline leaves no grey levels"),
        ("spline=9,standardise=1-99", "spline takes a whole number from 0 to 5"),
        ("standardise=99-10", "standardise takes two percentiles, the lower one first, such as standardise=10-99"),
        ("standardise=10", "standardise takes two percentiles"),
        ("standardise=10-200", "from 0 to 100"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(text: str, words: str) -> None:
    assert words in steps_wrong(text)
    with pytest.raises(UserError, match="`preparation`"):
        from_flat({"preparation": text})
