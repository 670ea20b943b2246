import pytest

from headtohead.cohort.cohort import CHANNELS, IMAGE
from headtohead.errors import UserError
from headtohead.predicting.files.sequences import parse_channels


def test_channels_are_named_as_the_field_names_them() -> None:
    assert parse_channels("t1=2, FLAIR=0,t1ce=1,", CHANNELS) == {"pre": 2, "flair": 0, "post": 1}
    assert parse_channels("", CHANNELS) == {}
    assert parse_channels("t2=3", ("t2",)) == {"t2": 3}


def test_a_model_of_one_sequence_takes_the_one_that_is_named() -> None:
    assert parse_channels("image=1", IMAGE) == parse_channels("t1=1", IMAGE) == {"image": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flare=1", "flare: not a sequence of this model .*did you mean flair?"),
        ("flair", "takes NAME=NUMBER"),
        ("flair=-1", "takes NAME=NUMBER"),
        ("flair=1.5", "takes NAME=NUMBER"),
        ("flair=²", "takes NAME=NUMBER"),
        ("=1", "not a sequence of this model"),
        ("t1=0,pre=1", "pre is named twice"),
        ("t2=0", "t2: not a sequence of this model"),
    ],
)
def test_channels_that_say_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=f"--channels .*{message}"):
        parse_channels(text, CHANNELS)


def test_a_model_of_one_sequence_refuses_two() -> None:
    with pytest.raises(UserError, match="image is named twice"):
        parse_channels("t1=0,flair=1", IMAGE)
