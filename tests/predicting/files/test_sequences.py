"""--channels, and files whose names say one sequence, another or several."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.predicting.files.assigning import parse_channels
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.readers.nifti import TASK as NIFTI_TASK
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts


def test_channels_are_named_as_the_field_names_them() -> None:
    assert parse_channels("t1=2, FLAIR=0,t1ce=1,", LGG_TASK) == {"pre": 2, "flair": 0, "post": 1}
    assert parse_channels("", LGG_TASK) == {}
    assert parse_channels("t2=3", Task("T2", ("t2",), "t2", LGG_TASK.targets)) == {"t2": 3}


def test_a_model_of_one_sequence_takes_the_one_that_is_named() -> None:
    assert parse_channels("image=1", NIFTI_TASK) == parse_channels("t1=1", NIFTI_TASK) == {"image": 1}


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
    with pytest.raises(UserError, match=f"`channels` .*{message}"):
        parse_channels(text, LGG_TASK)


def test_a_model_of_one_sequence_refuses_two() -> None:
    with pytest.raises(UserError, match="image is named twice"):
        parse_channels("t1=0,flair=1", NIFTI_TASK)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x_t1_to_flair", "named as T1, but the model needs FLAIR"),
        ("sub-01_UNIT1", "named as MP2RAGE, but the model needs FLAIR"),
        ("sub-01_T1map", "named as a map of a quantity, but the model needs FLAIR"),
        ("x_t1_flair", "its name holds several sequences, T1 and FLAIR, and does not say which of them it is; rename"),
    ],
)
def test_names_of_two_sequences_and_of_maps_are_refused_with_the_reason(
    save: Callable, texture: np.ndarray, lgg: ModelFacts, name: str, words: str
) -> None:
    [job] = find_jobs(save(f"{name}.nii.gz", texture), "", lgg.task, ())
    with pytest.raises(UserError, match=words):
        read_scan(job, lgg, "", "auto")
    assert not read_scan(job, lgg, "flair=0", "auto").notes  # the mend


def test_a_sequence_on_the_grid_of_another_is_of_its_case(tmp_path: Path) -> None:
    for name in ("x_FLAIR_to_T1", "x_T1", "x_t1ce_to_t1", "x_t1_flair"):
        (tmp_path / f"{name}.nii.gz").touch()
    jobs = find_jobs(tmp_path, "", LGG_TASK, ())
    assert [(job.name, job.sequences) for job in jobs] == [
        ("x_FLAIR_to_T1", ("flair", "pre", "post")),
        ("x_t1_flair", ("pre+flair",)),
    ]
