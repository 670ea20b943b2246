"""What entrants differ in besides their model is said before any ranking, and nothing is said where they do not."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.reporting.notes.unequal import unequal_settings
from headtohead.reporting.summary import summarise
from headtohead.reporting.table import render_latex, render_markdown
from headtohead.runs.reading import read_ledger

RECIPE = {"image_size": 128, "normalise": "inner", "neighbours": 1}
FACTS: dict[str, Any] = {"recipe": RECIPE, "epochs": 20, "learning_rate": 0.002, "batch_size": 16}
SCALED = (
    "Entrants were trained with different settings: {}. "
    "A difference between them may come from these and not from the model."
)
OTHERS = "(buda, no schedule; unet, no schedule)"


def said_of(comparison: Path) -> list[str]:
    return unequal_settings(read_ledger(comparison))


def test_nothing_is_said_of_equal_ones(comparison: Path, write_run: Any) -> None:
    write_run("unet", **FACTS)
    write_run("buda", seed=1, **FACTS)
    write_run("flair-threshold", "-", None, name="flair-threshold", recipe=RECIPE | {"image_size": 96}, threshold=2.4)
    assert said_of(comparison) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"recipe": RECIPE | {"image_size": 96}},
            SCALED.format(f"image size 96 (resnext, no schedule), 128 {OTHERS}"),
        ),
        ({"deep_supervision": True}, SCALED.format(f"deep supervision False {OTHERS}, True (resnext, no schedule)")),
        ({"loss": "dice"}, SCALED.format(f"loss bce_dice {OTHERS}, dice (resnext, no schedule)")),
        (
            {"pos_weight": "auto"},
            SCALED.format(f"weight of the targets' pixels 1 {OTHERS}, auto (resnext, no schedule)"),
        ),
        ({"learning_rate": 0.001}, SCALED.format(f"learning rate 0.001 (resnext, no schedule), 0.002 {OTHERS}")),
        (
            {"batch_size": 8, "recipe": RECIPE | {"image_size": 64}},
            SCALED.format(
                f"image size 64 (resnext, no schedule), 128 {OTHERS}; batch size 8 (resnext, no schedule), 16 {OTHERS}"
            ),
        ),
        (
            {"epochs": 10},
            "The experiments were trained for different numbers of epochs, from 10 (resnext-none-s0-f0) to "
            "20 (buda-none-s0-f0).",
        ),
        ({"threshold": 0.3}, "The experiments were scored at different thresholds (0.3, 0.5)."),
        (
            {"recipe": RECIPE | {"neighbours": 0}},
            "Entrants were given different inputs: normalise inner, neighbours 0 (resnext, no schedule), "
            f"normalise inner, neighbours 1 {OTHERS}.",
        ),
        (
            {"test_flips": True},
            "Validation and test slices were flipped and rotated at random, a historical fault: resnext, no schedule.",
        ),
    ],
)
def test_what_differs_is_said_with_who_has_what(
    comparison: Path, write_run: Any, change: dict[str, Any], said: str
) -> None:
    write_run("unet", **FACTS)
    write_run("buda", **FACTS)
    write_run("resnext", **(FACTS | change))
    assert said_of(comparison) == [said]
    summary = summarise(read_ledger(comparison))
    assert said in render_markdown(summary) and said in render_latex(summary)


def test_a_run_that_does_not_say_it_is_asked_for_its_options(comparison: Path, write_run: Any) -> None:
    """The learning rate came into run.json later; config.yaml always had it."""
    old = {name: value for name, value in FACTS.items() if name != "learning_rate"}
    for model, rate in (("unet", "0.01"), ("buda", "0.02")):
        (write_run(model, **old) / "config.yaml").write_text(f"learning_rate: {rate}\n")
    write_run("resnext", **old)
    assert said_of(comparison) == [SCALED.format("learning rate 0.01 (unet, no schedule), 0.02 (buda, no schedule)")]


@pytest.mark.parametrize("content", ["", "- 1", "{", "%YAML 1." + "9" * 5_000, "image_size: [[1]]", "image_size: wide"])
def test_options_that_cannot_be_read_have_no_say(comparison: Path, write_run: Any, content: str) -> None:
    write_run("unet", **FACTS)
    (write_run("buda", recipe=RECIPE) / "config.yaml").write_text(content)
    assert not any("one scale" in said for said in said_of(comparison))


def test_masks_that_were_cleaned_are_named(comparison: Path, write_run: Any) -> None:
    write_run("unet", **FACTS)
    write_run("buda", **FACTS, test_postprocessing="largest")
    words = (
        "Masks were cleaned before they were scored, by steps declared before the training: largest (buda, no schedule)"
    )
    assert said_of(comparison) == [f"{words}."]
