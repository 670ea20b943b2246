"""The model card says what the run's own files say, and no more."""

import csv
import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from headtohead.parsing import parse
from headtohead.preparing.recipe import buda_chain
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.runs.folder import RunFolder
from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.trained.card import model_card, without_places
from headtohead.trained.facts import ModelFacts
from headtohead.trained.origin import published
from headtohead.trained.source import open_source


@pytest.fixture
def run(run_folder: Path) -> RunFolder:
    return RunFolder(run_folder)


@pytest.fixture
def facts(run_folder: Path) -> ModelFacts:
    return open_source(run_folder).facts


def test_scores_are_those_of_the_table(run: RunFolder, facts: ModelFacts) -> None:
    card = model_card(facts, run, "mine")
    with run.cases.open() as rows:
        cases = list(csv.DictReader(rows))
    dice = [float(row["dice"] or "nan") for row in cases]
    mean, median = mean_interval(dice), median_interval(dice)
    assert f"mean **{mean.mean:.3f}** (95 % interval {mean.low:.3f} to {mean.high:.3f}, BCa bootstrap" in card
    assert f"median {median.median:.3f}." in card
    assert mean.undefined == 1 and "Cases without a lesion have no Dice: 1." in card
    assert f"on the {mean.n} test cases with a lesion" in card, "the number beside the mean is that of its cases"
    shown = [line.split(" | ")[0].strip("| ") for line in card.split("| case |")[1].splitlines()[2 : 2 + len(cases)]]
    assert sorted(shown) == sorted(row["case"] for row in cases)
    assert shown[0] == "p2" and shown[-1] == "p5", "the worst first, the undefined last"
    assert "protocol version 3" in card and "at threshold 0.3" in card
    assert "without the clean-up" not in card


def test_who_was_in_which_part(run: RunFolder, facts: ModelFacts) -> None:
    card = model_card(facts, run, "mine")
    assert "| training | 2 | 7 |" in card and "| validation | 1 | 3 |" in card and "| test | 5 | 5 |" in card
    assert "Training: t1, t2." in card and "Validation: v1." in card
    assert "fold 1 of 5" in card and "content key `d1`" in card
    assert "leak" not in card


def test_a_leak_is_warned_of(run: RunFolder, facts: ModelFacts) -> None:
    record = run.record()
    run.note(split={**record["split"], "leaking_patients": 7})
    assert "**7 patients leak" in model_card(facts, run, "mine")


def test_scores_of_cases_that_chose_the_model_and_of_cleaned_masks(run: RunFolder, facts: ModelFacts) -> None:
    plain = model_card(facts, run, "mine")
    assert "flattered" not in plain and "clean-up `" not in plain
    run.note(split={**run.record()["split"], "chosen_on_test": True}, test_postprocessing="largest")
    card = model_card(dataclasses.replace(facts, postprocessing="largest"), run, "mine")
    assert "own: these chose the epoch, so the scores are flattered.** Dice" in card
    assert "were scored after the clean-up `largest`, declared before" in card and "without the clean-up" not in card


def test_commands_name_the_bundle_and_are_accepted(run: RunFolder, facts: ModelFacts) -> None:
    card = model_card(facts, run, "my model")
    commands = re.findall(r"^python main\.py (.*)$", card, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert parse(shlex.split(command)).prediction.model_path == "my model"


def test_provenance_without_places(run: RunFolder, facts: ModelFacts) -> None:
    card = model_card(facts, run, "mine")
    assert "`python main.py --train --root_dir .../kaggle_3m`" in card
    assert "torch 2.0" in card and "abc123" in card
    assert "/secret" not in card


def test_the_weights_that_a_training_started_from_are_named(run: RunFolder, facts: ModelFacts) -> None:
    assert "started from" not in model_card(facts, run, "model")
    start = {"name": "lgg/buda", "sha256": "abc", "training_cases": "unknown", "new": []}
    run.note(start=start)
    assert "| started from | lgg/buda, sha256 `abc`; its training cases are not known |" in model_card(
        facts, run, "model"
    )
    run.note(start=start | {"training_cases": "known"})
    assert "| started from | lgg/buda, sha256 `abc` |" in model_card(facts, run, "model")


def test_the_licence_of_the_public_data_and_of_any_other(run: RunFolder, facts: ModelFacts) -> None:
    volumes = dataclasses.replace(facts, task=NIFTI_TASK, data={**facts.data, "kind": "nifti"})
    other = model_card(volumes, run, "mine")
    assert "Ask the owner of the data" in other and "CC BY" not in other
    assert not published(volumes)
    for cases in (110, 109):  # a patient who is left out takes no licence away
        lgg = dataclasses.replace(facts, data={**facts.data, "kind": "lgg", "cases": cases})
        card = model_card(lgg, run, "mine")
        assert published(lgg)
        assert "CC BY-NC-SA 4.0" in card and "Ask the owner of the data" not in card
        assert f"LGG MRI segmentation (TCGA-LGG, Kaggle): {cases} cases" in card
    assert "not a medical device" in card and "not a medical device" in other


@pytest.mark.parametrize(
    "data", [{"made_up": True}, {"parts": {"train": ["TCGA_CS_9003_19001216"], "val": []}}], ids=["recorded", "by name"]
)
def test_made_up_patients_are_named_first(run: RunFolder, facts: ModelFacts, data: dict[str, object]) -> None:
    card = model_card(dataclasses.replace(facts, data={**facts.data, "kind": "lgg", **data}), run, "mine")
    assert card.split("\n\n")[1].startswith("A model trained on made-up patients")
    assert "Made-up patients (phantoms): 8 cases" in card
    assert "of no use on a real scan" in card.split("## Limits")[1]
    assert "CC BY" not in card and "drawn by this program" in card


def test_a_run_of_an_earlier_version_is_described_by_its_record(run: RunFolder, facts: ModelFacts) -> None:
    run.note(data={"root": "/secret/kaggle_3m", "key": "d9", "cases": 110, "slices": 3929})
    card = model_card(dataclasses.replace(facts, data={}), run, "mine")
    assert "content key `d9`" in card and "CC BY-NC-SA 4.0" in card and "/secret" not in card


def test_clean_up_is_no_part_of_the_scores(run: RunFolder, facts: ModelFacts) -> None:
    card = model_card(dataclasses.replace(facts, postprocessing="largest"), run, "mine")
    assert "| clean-up of masks | `largest` |" in card and "The masks were scored without the clean-up." in card


def test_weights_from_elsewhere_claim_nothing(facts: ModelFacts) -> None:
    card = model_card(ModelFacts("unet", "buda", 32, 3, buda_chain(3).to_dict(), task=LGG_TASK), None, "mine")
    assert "Third-party weights" in card and "Not tested by this program" in card
    assert (
        "| preparation | channels (order 0 1 2), window (depth uint8), trim (ends 1), crop (dark 0.1), " in card
        and "mean **" not in card
    )
    assert "| width | 32 |" in card


def test_a_run_that_was_not_tested(run: RunFolder, facts: ModelFacts) -> None:
    run.cases.unlink()
    run.split.unlink()
    card = model_card(facts, run, "mine")
    assert "Not tested by this program" in card and "| training |" not in card


def test_a_scaled_and_a_fixed_architecture(facts: ModelFacts) -> None:
    for model, line in (("resnext", "| width | as published |"), ("unet", "| width | 64 |")):
        assert line in model_card(dataclasses.replace(facts, model=model, width=0), None, "mine")


def test_a_single_sequence_is_said_to_fill_three_channels(facts: ModelFacts) -> None:
    for task, channels, words in (
        (NIFTI_TASK, 5, "5 channels: image in three, the slices beside it in the others; slices"),
        (NIFTI_TASK, 3, "3 channels: image in three; slices"),
        (NIFTI_TASK, 1, "1 channels, from image; slices"),
        (facts.task, 5, "5 channels, from pre, flair, post; slices"),
    ):
        made = dataclasses.replace(facts, task=task, in_channels=channels)
        assert f"| input | {words}" in model_card(made, None, "mine")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python main.py --train", "python main.py --train"),
        ("python main.py --root_dir /home/ann/data", "python main.py --root_dir .../data"),
        ("python main.py --root_dir '~/my data'", "python main.py --root_dir '.../my data'"),
        ("python main.py --root_dir=/home/ann/data", "python main.py --root_dir=.../data"),
    ],
)
def test_absolute_paths_are_shortened(command: str, expected: str) -> None:
    assert without_places(command) == expected
