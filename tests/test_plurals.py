"""Numbers with their nouns."""

import pytest

from headtohead.plurals import count_of


@pytest.mark.parametrize(("number", "words"), [(0, "0 cases"), (1, "1 case"), (2, "2 cases"), (1000, "1000 cases")])
def test_a_number_with_its_noun(number: int, words: str) -> None:
    assert count_of(number, "case") == words
