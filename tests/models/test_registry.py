import importlib
import os
import re
import subprocess
import sys

import pytest

from headtohead.errors import UserError
from headtohead.models.registry import MODELS, build_model, check_image_size, find_spec


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
class TestRow:
    def test_names_a_builder_that_exists(self, spec):
        module, _, attribute = spec.builder.partition(":")
        assert callable(getattr(importlib.import_module(module), attribute))

    def test_states_facts_a_reader_can_use(self, spec):
        assert MODELS[spec.name] is spec
        assert re.fullmatch(r"[a-z][a-z0-9_]*", spec.name)  # it becomes part of a folder's name
        assert spec.summary and "\n" not in spec.summary
        assert "doi:10." in spec.source
        assert spec.divisor & (spec.divisor - 1) == 0  # each halving is by two


def test_reading_the_table_imports_no_torch():
    code = "import headtohead.models, sys; print('torch' in sys.modules or 'numpy' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert found.stdout == "False\n", found.stderr


def test_a_misspelt_name_gets_the_nearest_suggested():
    with pytest.raises(UserError) as caught:
        find_spec("resnxt")
    known = f"{', '.join(MODELS)}, smp:ARCHITECTURE:ENCODER, monai:CLASS or FILE.py:CLASS"
    assert str(caught.value) == f"`model` resnxt: no such model; did you mean resnext? Known: {known}"


def test_a_name_near_nothing_gets_the_list_only():
    with pytest.raises(UserError) as caught:
        build_model("q", 3)
    assert str(caught.value).startswith(f"`model` q: no such model; known: {', '.join(MODELS)}, smp:")


def test_narrow_buda_is_the_quick_one():
    narrow = build_model("buda", 5, width=16)
    assert sum(weight.numel() for weight in narrow.parameters()) == 1_942_865


def test_a_negative_width_is_refused():
    with pytest.raises(UserError, match=r"^`width` -1: must be a number of channels"):
        build_model("unet", 3, width=-1)


def test_encoder_weights_are_refused_where_there_is_no_encoder():
    with pytest.raises(
        UserError,
        match=r"^`encoder_weights` imagenet: unet has no pretrained encoder.*: resnext, resnext_plain, segnet$",
    ):
        build_model("unet", 3, encoder_weights="imagenet")


@pytest.mark.parametrize(
    ("image_size", "mend"), [(100, "96 or 128"), (20, "32 or more"), (0, "32 or more"), (-64, "32 or more")]
)
def test_an_image_size_is_mended_by_the_nearest(image_size, mend):
    with pytest.raises(UserError, match=rf"^`image_size` {image_size}: resnext needs a multiple of 32; write {mend}$"):
        check_image_size("resnext", image_size)


def test_a_summary_of_a_model_gives_no_advice_on_options():
    """It stands in the card of every model that is written, where the width is settled."""
    assert "--width" not in "".join(spec.summary for spec in MODELS.values())
