"""Steps of a clean-up as text: read, written as they were, or refused in a line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.errors import UserError
from headtohead.predicting.cleaning.postprocessing import CleaningStep, clean, parse_steps


@pytest.mark.parametrize("text", ["", "  ", "none", " None "])
def test_no_steps(text: str) -> None:
    mask = np.eye(3, dtype=bool)[None]
    assert parse_steps(text) == ()
    assert clean(mask, parse_steps(text), None) is mask


def test_steps_are_read_in_their_order_and_written_as_they_were() -> None:
    text = "largest,fill,min_size=0.1ml,close=2mm,dilate=2px,erode=1.5vox,open=3cube,min_size=50vox,min_size=20mm3"
    steps = parse_steps(text)
    assert steps[:4] == (
        CleaningStep("largest"),
        CleaningStep("fill"),
        CleaningStep("min_size", 0.1, "ml"),
        CleaningStep("close", 2, "mm"),
    )
    assert ",".join(map(str, steps)) == text
    assert parse_steps(" Largest , CLOSE = 2 MM ".replace("2 MM", "2MM")) == (
        CleaningStep("largest"),
        CleaningStep("close", 2, "mm"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("watershed", "watershed: no such step; the steps are largest, fill, min_size"),
        ("largst", "largst: no such step; did you mean largest?"),
        ("minsize=3vox", "did you mean min_size?"),
        ("largest,,fill", "a step is missing next to a comma"),
        ("largest,", "a step is missing next to a comma"),
        ("largest,none", "none takes no further steps"),
        ("largest=3", "largest takes no amount; leave =3 out"),
        ("fill=", "fill takes no amount"),
        ("dilate", "dilate takes an amount above 0 and its unit, such as dilate=2mm"),
        ("dilate=", "takes an amount above 0"),
        ("dilate=mm", "takes an amount above 0"),
        ("dilate=-2mm", "takes an amount above 0"),
        ("dilate=0px", "takes an amount above 0"),
        ("close=nanmm", "takes an amount above 0"),
        ("close=infvox", "takes an amount above 0"),
        ("close=1e3mm", "e3mm is no unit of close"),
        ("close=" + "9" * 400 + "mm", "takes an amount above 0"),
        ("close=٣mm", "takes an amount above 0"),
        ("close=2", "the unit of 2 is missing; it takes mm, vox, px, cube"),
        ("close=2cm", "cm is no unit of close"),
        ("close=1.5cube", "the side of a cube is a whole number"),
        ("dilate=2cube", "cube is no unit of dilate; it takes mm, vox, px, such as dilate=2mm"),
        ("min_size=20px", "px is no unit of min_size; it takes vox, mm3, ml, such as min_size=2vox"),
        ("min_size=20", "the unit of 20 is missing"),
        ("close==2mm", "takes an amount above 0"),
    ],
)
def test_what_is_odd_is_refused_in_a_line_that_names_its_place(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_steps(text, "model.json:")
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"model.json: {text}: ")
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="largestfimn_zcop=0123456789.,-e vxd"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        steps = parse_steps(text)
    except UserError:
        return
    assert parse_steps(",".join(map(str, steps))) == steps


@pytest.mark.parametrize("spacing", [None, (0.0, 1.0, 1.0), (float("nan"), 1.0, 1.0)])
@pytest.mark.parametrize(
    ("text", "mend"),
    [("dilate=2mm", "in px (within a slice) or vox"), ("min_size=1ml", "in vox"), ("min_size=1mm3", "in vox")],
)
def test_millimetres_need_a_spacing(text: str, mend: str, spacing: tuple[float, float, float] | None) -> None:
    with pytest.raises(
        UserError, match=rf"^{text}: the size of a voxel is unknown here; .* {mend.split('(')[0].strip()}"
    ):
        clean(np.zeros((2, 3, 3), bool), parse_steps(text), spacing)


@pytest.mark.parametrize("text", ["close=2mm", "dilate=33vox", "open=66cube"])
def test_a_length_across_very_many_voxels_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=rf"^{text}: spans [0-9]+ voxels here, at most 32"):
        clean(np.ones((2, 3, 3), bool), parse_steps(text), (0.001, 1, 1))
