"""What the page says of its model: no score is better than one that was measured, and none is made up."""

from typing import Any

import pytest

from headtohead.predicting.cleaning.postprocessing import NO_CLEAN_UP, parse_clean_up
from headtohead.predicting.predictor import Predictor
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.serving.introducing import introduce, known_score, origin
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import Source


def test_what_it_was_trained_on_is_said_and_made_up_patients_are_a_caution() -> None:
    real = Choice(
        Source(ModelFacts("a", "buda", 4, 5, {}, data={"kind": "nifti", "name": "fetal"}, task=LGG_TASK)),
        "named by `run_name`",
    )
    assert origin((real, real)) == "Trained on NIfTI volumes of fetal. Named by --run_name."
    said = introduce(Predictor((real,), (), 0.5, NO_CLEAN_UP))
    assert said["made_up"] == ""
    toy = Choice(
        Source(ModelFacts("b", "buda", 4, 5, {}, data={"kind": "lgg", "made_up": True}, task=LGG_TASK)),
        "named by `run_name`",
    )
    said = introduce(Predictor((toy,), (), 0.5, NO_CLEAN_UP))
    assert said["origin"] == "Trained on made-up patients. Named by --run_name."
    assert said["made_up"].startswith("Trained on made-up patients: its masks of real images mean nothing")


def choice(scores: dict[str, Any] | None = None, **record: Any) -> Choice:
    return Choice(Source(ModelFacts("one", "buda", 4, 5, {}, scores=scores or {}, task=LGG_TASK)), "why", None, record)


TESTED = {"val_dice": 0.9, "mean": 0.784, "low": 0.751, "high": 0.809, "n": 22}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (choice(TESTED), "Mean Dice 0.78 [0.75, 0.81] over 22 test cases it never saw."),
        (
            choice(TESTED | {"cross_validated": 0.7226, "cross_validated_n": 110}),
            "Mean Dice 0.78 [0.75, 0.81] over 22 test cases it never saw. Expect 0.72, the mean of its "
            "cross-validation over 110 cases.",
        ),
        (choice(test_dice=0.8, best_val_dice=0.9), "Mean Dice 0.80 over test cases it never saw."),
        (
            choice({"val_dice": 0.9}),
            "Dice 0.90 on the validation cases it was chosen by; never tested, so expect less.",
        ),
        (
            choice(test_dice=None, best_val_dice=float("nan")),
            "This program has not measured its accuracy: check every mask by eye.",
        ),
        (
            choice(TESTED, split={"leaking_patients": 7}),
            "Mean Dice 0.78 [0.75, 0.81] over 22 test cases. 7 patients leak from training into the test, so this is "
            "too good.",
        ),
    ],
)
def test_one_model(made: Choice, said: str) -> None:
    assert known_score((made,)) == said


def test_an_average_does_not_claim_the_scores_of_its_models() -> None:
    said = known_score((choice(TESTED), choice({"mean": 0.81})))
    assert said == (
        "An average of 2 models; each alone scores a mean Dice of 0.78 to 0.81 on its test cases. The average itself "
        "was not tested."
    )
    assert known_score((choice(), choice())) == "An average of 2 models without a known test score."


def test_settings(predictor: Predictor) -> None:
    said = introduce(predictor)
    assert said["name"] == "tiny" and said["settings"] == "threshold 0.5, no clean-up, brightness on cpu"
    cleaned = Predictor(predictor.choices, predictor.engines, 0.45, parse_clean_up("largest,fill", LGG_TASK.targets))
    assert introduce(cleaned)["settings"] == "threshold 0.45, clean-up largest, fill, brightness on cpu"
