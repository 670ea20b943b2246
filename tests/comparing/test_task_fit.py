"""Whether a cohort has what a model asks for: its sequences, or stand-ins, and its targets by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from headtohead.cohort import Cohort
from headtohead.comparing import external, task_fit
from headtohead.comparing.seen_cases import Known
from headtohead.errors import UserError
from headtohead.readers.lgg import TASK
from headtohead.readers.tasks import VOLUMES_TASK
from headtohead.runs.folder import RunFolder
from headtohead.task import Target, Targets, Task
from headtohead.trained.choosing import Choice
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import Source


def test_sequences_must_be_there_or_have_a_stand_in() -> None:
    assert task_fit.channels_from(TASK, ("t2", "flair", "post"), "x") == ("flair", "flair", "post")
    with pytest.raises(UserError, match=r"x: has T1, but the model needs FLAIR too"):
        task_fit.channels_from(TASK, ("pre",), "x")
    # Of a model that is shown FLAIR and T1 alone, nobody has to bring the others.
    task = Task("four", ("t1", "t2", "flair", "t1ce"), "flair", TASK.targets)
    recipe = {"image_size": 32, "normalise": "unit", "neighbours": 0, "primary": 2, "sequences": 4, "shown": [2, 0]}
    facts = ModelFacts("m", "buda", 4, 2, recipe, task)
    tested = external.Tested(Choice(Source(facts), ""), RunFolder(Path("r")), {}, Known())
    assert task_fit.channels_from(tested.task, ("t1", "flair"), "x") == ("t1", "flair", "flair", "flair")
    with pytest.raises(UserError, match="x: has FLAIR, but the model needs T1 too"):
        task_fit.channels_from(tested.task, ("flair",), "x")
    assert tested.choice.source.facts.task == task, "what is recorded stays"
    with pytest.raises(UserError, match="the model needs IMAGE"):
        task_fit.channels_from(VOLUMES_TASK, ("flair",), "x")


def test_targets_are_found_by_name(phantom_cohort: Cohort) -> None:
    whole, core = Target("lesion", (1, 2)), Target("core", (2,))
    task = replace(TASK, targets=Targets((whole, core), others=(7,)))
    both = Cohort(phantom_cohort.root, "k", phantom_cohort.table, phantom_cohort.packed, task)
    model = replace(TASK, targets=Targets((replace(core, labels=(1,)),)))
    found = task_fit.with_targets_of(model, both, "x").task.targets
    assert (found.names, found.all[0].labels, found.others) == (("core",), (2,), (1, 7))
    with pytest.raises(UserError, match=r"x: has lesion, core, but the model segments edema; say .*'edema=1,2'"):
        task_fit.with_targets_of(replace(TASK, targets=Targets((Target("edema", (1,)),))), both, "x")
