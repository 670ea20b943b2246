"""Names of entrants in words."""

import pytest

from headtohead.reporting.entrant_names import in_words, joined_by_commas, schedule_in_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unet none", "unet, no schedule"),
        ("unet none ensemble", "unet, no schedule ensemble"),
        ("unet cosine", "unet cosine"),
        ("nonesuch cosine", "nonesuch cosine"),
        ("flair-threshold", "flair-threshold"),
    ],
)
def test_no_schedule_is_said_in_words(name: str, words: str) -> None:
    assert in_words(name) == words
    assert schedule_in_words("none") == "no schedule" and schedule_in_words("cosine") == "cosine"


def test_names_with_commas_are_joined_by_semicolons() -> None:
    assert joined_by_commas(["a cosine", "b cosine"]) == "a cosine, b cosine"
    assert joined_by_commas(["a, no schedule", "b cosine"]) == "a, no schedule; b cosine"
