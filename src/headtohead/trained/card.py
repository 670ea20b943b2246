"""The model card, README.md of a bundle: what a stranger must know before trusting the model with a scan.

The headings follow Mitchell et al., Model Cards for Model Reporting, FAT* 2019, doi:10.1145/3287560.3287596.
"""

import math
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from headtohead import __version__
from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.table_reader import read_rows
from headtohead.runs.folder import RunFolder
from headtohead.runs.run import Run
from headtohead.statistics.intervals import mean_interval, median_interval
from headtohead.trained.facts import ModelFacts
from headtohead.trained.origin import MADE_UP, is_made_up, published, with_origin

MEND = "restore it, or train and test again with `overwrite`"
PARTS = {"train": "training", "val": "validation", "test": "test"}
MADE_UP_LICENCE = "The training images were drawn by this program, so the weights are under its licence, Apache-2.0."
MADE_UP_LIMIT = "Trained on made-up patients: it shows that the program works and is of no use on a real scan."
UNKNOWN_LICENCE = (
    "Unknown: it depends on the terms of the training data. Ask the owner of the data, and write the answer here."
)
COMMON_LIMITS = (
    "Research only: not a medical device, not tested for any clinical decision. Have an expert check every mask.",
    "It works on scans like those it was trained on. `--predict` warns if a scan looks different, but no warning is no "
    "guarantee.",
    "A mean hides the worst cases: look at the lowest scores in the table, and expect such cases in your own data.",
)


def model_card(facts: ModelFacts, run: RunFolder | None, folder: str) -> str:
    """Write the card of a model as Markdown; `folder` is the name of the bundle, for the commands.

    Without a run folder the weights are from elsewhere, and neither training nor test is known.
    """
    record = run.record() if run else {}
    if not facts.data:  # of a run that an earlier version left
        facts = replace(facts, data={name: value for name, value in record.get("data", {}).items() if name != "root"})
    facts = with_origin(facts, run.path if run else None)
    sections = [
        f"# {facts.name}\n\n{_purpose(facts)}",
        _use(folder),
        _model(facts),
        _data(facts, run, record),
        _scores(facts, run, record),
        _limits(facts),
        f"## Licence\n\n{_licence(facts)}",
        _provenance(record),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _licence(facts: ModelFacts) -> str:
    if is_made_up(facts.data, None):
        return MADE_UP_LICENCE
    licence, citation = facts.task.licence, facts.task.citation
    if not facts.data or not licence:
        return UNKNOWN_LICENCE
    return f"The images and masks are published under {licence}. Treat weights trained on them in the same way." + (
        f" Credit: {citation}." if citation else ""
    )


def _purpose(facts: ModelFacts) -> str:
    if is_made_up(facts.data, None):
        return f"A model trained on {MADE_UP}, to try the program with. **It is of no use on a real scan.**"
    known = published(facts)
    outlined = known.outlined if known else "whatever the masks of its training data mark"
    return f"A trained model that outlines {outlined}, slice by slice. Intended for research and teaching."


def _use(folder: str) -> str:
    return (
        "## Use it\n\nFrom a checkout of Head-to-Head, with this folder beside it:\n\n```bash\n"
        f"python main.py --image_path scan.tif --model_path {shlex.quote(folder)}\n"
        f"python main.py --predict scans --output masks --model_path {shlex.quote(folder)}\n```\n\n"
        "`model.onnx` runs without Head-to-Head: scaled slices in, probability out; `model.json` says how to scale."
    )


def _model(facts: ModelFacts) -> str:
    spec = facts.spec
    rows = {
        "architecture": f"`{facts.model}`: {spec.summary}",
        "source": facts.net.get("source", spec.source),
        "width": f"{facts.width or spec.width}" if spec.width else "as published",
        "input": f"{_channels(facts)}; slices {facts.task.plane}",
        "preparation": facts.chain.in_words,
        "threshold": f"{facts.threshold:g}",
        "clean-up of masks": f"`{facts.postprocessing}`" if facts.postprocessing else "none",
    }
    return f"## Model\n\n{_table(('what', 'value'), rows.items())}"


def _channels(facts: ModelFacts) -> str:
    """Say what is in the channels of the input; a single sequence fills three, which the architectures expect."""
    named, count = ", ".join(facts.task.sequences), facts.in_channels
    if len(facts.task.sequences) > 1 or count < 3:
        return f"{count} channels, from {named}"
    return f"{count} channels: {named} in three" + (", the slices beside it in the others" if count > 3 else "")


def _data(facts: ModelFacts, run: RunFolder | None, record: dict[str, Any]) -> str:
    if run is None or not record:
        return "## Data\n\nThird-party weights. Their publisher knows what they were trained on."
    data, split, its_run = facts.data, record.get("split", {}), Run(run.path, record, "")
    known = published(facts)
    name = f"{facts.task.name} ({known.source})" if known else str(data.get("name", "unnamed"))
    if is_made_up(data, None):
        name = f"{MADE_UP.capitalize()} ({name})"
    paragraphs = [
        f"{name}: {data.get('cases')} cases, {data.get('slices')} slices, content key `{data.get('key')}`. "
        f"Split by {split.get('kind')}, seed {split.get('seed')}"
        + (f", fold {its_run.fact('experiment', 'fold')} of {split['folds']}" if split.get("folds", 1) > 1 else "")
        + "."
    ]
    if leaking := split.get("leaking_patients"):
        paragraphs.append(
            f"**{leaking} patients leak from training into validation or test: the scores are too good.**"
        )
    parts = read_parts(run)
    if parts:
        rows = [(PARTS[part], len(cases), sum(cases.values())) for part, cases in parts.items()]
        paragraphs.append(_table(("part", "cases", "slices"), rows))
        paragraphs.append(
            "\n\n".join(f"{PARTS[part].capitalize()}: {', '.join(cases)}." for part, cases in parts.items())
        )
    return "## Data\n\n" + "\n\n".join(paragraphs)


def read_parts(run: RunFolder) -> dict[str, Counter[str]]:
    """Read who was in which part: for each part the cases and how many of their slices; empty without split.csv."""
    if not run.split.is_file():
        return {}
    parts: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
    for row in _rows(run.split, ("part", "case")):
        if row["part"] not in parts:
            raise UserError(f"{run.split}: damaged (no such part: {row['part']}); {MEND}")
        parts[row["part"]][row["case"]] += 1
    return parts


def _rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        return read_rows(path, needed)
    except UnreadableError as fault:
        raise UserError(f"{path}: damaged ({fault}); {MEND}") from fault


def _scores(facts: ModelFacts, run: RunFolder | None, record: dict[str, Any]) -> str:
    if run is None or not run.cases.is_file():
        return "## Scores\n\nNot tested by this program."
    cases = _rows(run.cases, ("case", "dice"))
    try:
        dice = [float(row["dice"] or "nan") for row in cases]
    except ValueError as fault:
        raise UserError(f"{run.cases}: damaged ({fault}); {MEND}") from fault
    if not cases:
        raise UserError(f"{run.cases}: damaged (no case in it); {MEND}")
    mean, median = mean_interval(dice), median_interval(dice)
    tested = f"{mean.n} test cases with a lesion" if mean.undefined else f"{mean.n} test cases"
    undefined = f" Cases without a lesion have no Dice: {mean.undefined}." if mean.undefined else ""
    distances = [name for name in ("hd95_px", "hd95_mm") if name in cases[0]]
    worst_first = sorted(zip(cases, dice, strict=True), key=lambda pair: (math.isnan(pair[1]), pair[1]))
    rows_shown = [
        (row["case"], _number(score), row["lesion_voxels"], *(_number(float(row[it] or "nan"), 1) for it in distances))
        for row, score in worst_first
    ]
    declared = record.get("test_postprocessing", "")
    cleaned = (
        f" The masks were scored after the clean-up `{declared}`, declared before the training." if declared else ""
    )
    if facts.postprocessing and not declared:
        cleaned = " The masks were scored without the clean-up."
    flattered = ""
    if record.get("split", {}).get("chosen_on_test"):
        flattered = "**The split has no test cases of its own: these chose the epoch, so the scores are flattered.** "
    return (
        f"## Scores\n\n{flattered}Dice per case in 3-D on the {tested}, at threshold "
        f"{record.get('threshold', facts.threshold):g}, "
        f"protocol version {Run(run.path, record, '').fact('protocol', 'version')}: mean **{_number(mean.mean)}** "
        f"(95 % interval {_number(mean.low)} to {_number(mean.high)}, BCa bootstrap over cases), "
        f"median {_number(median.median)}.{undefined}{cleaned} "
        f"The best validation Dice was {_number(record.get('best_val_dice'))}; it was used to choose the epoch "
        "and is not a result.\n\n"
        f"{_table(('case', 'Dice', 'lesion voxels', *distances), rows_shown)}"
    )


def _limits(facts: ModelFacts) -> str:
    known = published(facts)
    own = known.limits if known else (MADE_UP_LIMIT,) if is_made_up(facts.data, None) else ()
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in (*own, *COMMON_LIMITS))


def _provenance(record: dict[str, Any]) -> str:
    versions, hardware = record.get("versions", {}), record.get("hardware", {})
    rows = {
        "command": f"`{without_places(record['command'])}`" if record.get("command") else "",
        "git commit": record.get("git_commit", ""),
        "seed": record.get("seed", ""),
        "started from": _start(record),
        "trained": " to ".join(str(record[key]) for key in ("started", "ended") if record.get(key)),
        "epochs": f"{record['epochs']}, best {record.get('best_epoch')}" if record.get("epochs") else "",
        "seconds": record.get("seconds", ""),
        "device": ", ".join(str(value) for value in (record.get("device", ""), *hardware.values()) if value),
        "versions": ", ".join(f"{name} {value}" for name, value in versions.items()),
        "data key": record.get("data", {}).get("key", ""),
        "split key": record.get("split", {}).get("key", ""),
        "card written by": f"headtohead {__version__}",
    }
    return f"## Provenance\n\n{_table(('what', 'value'), [row for row in rows.items() if row[1] != ''])}"


def _start(record: dict[str, Any]) -> str:
    start = record.get("start")
    if not start:
        return ""
    known = "" if start["training_cases"] == "known" else "; its training cases are not known"
    return f"{start['name']}, sha256 `{start['sha256']}`{known}"


def without_places(command: str) -> str:
    """Shorten the absolute paths in a command to their last name: where it was run is nobody's business."""
    shortened = []
    for word in shlex.split(command):
        flag, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        shortened.append(f"{flag}{equals}.../{Path(value).name}" if value.startswith(("/", "~")) else word)
    return shlex.join(shortened)


def _table(head: Any, rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _number(value: float | None, digits: int = 3) -> str:
    return "undefined" if value is None or math.isnan(value) else f"{value:.{digits}f}"
