"""What a trained model learned from: the kind of data, whether its patients are made up, and how to say so."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from headtohead.cohort.made_up import made_up_cases
from headtohead.plurals import count_of
from headtohead.readers.reader import Published, files_of
from headtohead.readers.tasks import LGG, NIFTI, PUBLISHED
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows
from headtohead.runs.folder import RunFolder
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts

MADE_UP = "made-up patients"


def kind_of(data: dict[str, Any], task: Task | None = None) -> str:
    """Give the kind of data as `--data` calls it; of runs from before it was recorded, by what they leave."""
    return str(data.get("kind") or (NIFTI if task and task.unnamed else LGG))


def is_made_up(data: dict[str, Any], folder: Path | None) -> bool:
    """Say whether a model was trained on made-up patients, by what run.json or model.json says of the data.

    A run or bundle from before `made_up` was recorded is told by the names of its cases, in its folder; where none are
    known, it counts as trained on real patients.
    """
    if "made_up" in data:
        return bool(data["made_up"])
    parts = data.get("parts") or {}
    names = list(parts.get("train") or ())
    return made_up_cases(names or (_case_names(folder) if folder else ()))


def _case_names(folder: Path) -> set[str]:
    run = RunFolder(folder)
    for table in (run.split, run.cases):
        with suppress(FileNotFoundError, UnreadableError):
            return {row["case"] for row in read_rows(table, ("case",))}
    return set()


def with_origin(facts: ModelFacts, folder: Path | None) -> ModelFacts:
    """Complete facts of an earlier version: what kind of data it was, and whether its patients are made up."""
    if not facts.data:
        return facts
    origin = {"kind": kind_of(facts.data, facts.task), "made_up": is_made_up(facts.data, folder)}
    return replace(facts, data={**facts.data, **origin})


def published(facts: ModelFacts) -> Published | None:
    """Give what is known of the public data that a model was trained on, or on some of; None of others."""
    if not facts.data or is_made_up(facts.data, None):
        return None
    return PUBLISHED.get(kind_of(facts.data, facts.task))


def trained_on(facts: ModelFacts, record: dict[str, Any], folder: Path | None) -> str:
    """Say in a few words what a model was trained on, as it stands in the line about the model.

    The record is run.json of a run, empty of a bundle, and the folder that of either.
    """
    data = record.get("data", {}) | facts.data
    if not data or not ({"key", "kind", "cases"} & data.keys()):
        return "trained elsewhere"
    parts = data.get("parts") or {}
    number = len(set(parts.get("train") or ()))
    cases = f"{number} " if number else ""
    if is_made_up(data, folder):
        return f"trained on {cases}{MADE_UP}"
    if kind_of(data, facts.task) in PUBLISHED:
        return f"trained on {cases}patients of {facts.task.name}" if cases else f"trained on {facts.task.name}"
    name = data.get("name") or Path(str(data.get("root", ""))).name or "a folder"
    files = files_of(kind_of(data, facts.task))
    if files != "volumes":  # a case is one or several
        return f"trained on {files} of {count_of(number, 'case') + ' of ' if number else ''}{name}"
    return f"trained on {cases}NIfTI volumes of {name}"
