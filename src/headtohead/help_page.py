"""The pages about the command line, written from the options: `--help`, its short form, and the reference in docs/."""

import shutil
import textwrap
from dataclasses import Field
from typing import Any

from headtohead import __version__
from headtohead.learning.losses.registry import LOSSES
from headtohead.models.registry import MODELS
from headtohead.options.declaring import description_of
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS

INDENT = 28

WHAT_IT_IS = (
    "Head-to-Head trains segmentation models on brain MRI and compares them fairly: same patients, same protocol, "
    "every patient scored, every mean with a confidence interval. It logs to TensorBoard and writes a report."
)

EXAMPLES = """\
Examples
    Try it on made-up patients, without any download
        python main.py --make_phantoms data/phantoms
        python main.py --compare --root_dir data/phantoms --models buda --width 16 --num_epochs 5
    Train one model and score it on its test patients
        python main.py --train --test --model resnext --lr_scheduler
    Look at augmented training images, then at one prediction
        python main.py --view_aug
        python main.py --image_path data/kaggle_3m/CASE/CASE_15.tif
    Save the options of a command in a file and reuse them
        python main.py --train --model buda --print_config > my.yaml
        python main.py --config my.yaml --seed 1"""

SPELLING = (
    "Switches: --train, --train=True or --train False. Lists have commas and no spaces: --models unet,buda. "
    "Every option can also be a key in a YAML file, without the dashes."
)

USAGE = """\
nothing to do; for example:
  python main.py --make_phantoms data/phantoms     made-up patients to try things on
  python main.py --train --test --model unet       train one model, score it on its test patients
  python main.py --compare                         all models x schedules x seeds, with a table
  python main.py --image_path FILE                 predict one image
  python main.py --help                            all options
"""


def help_page() -> str:
    """Write what `--help` prints, wrapped to the terminal but to no more than 100 columns."""
    width = min(100, max(60, shutil.get_terminal_size((100, 24)).columns))
    parts = [
        f"Head-to-Head {__version__}",
        textwrap.fill(WHAT_IT_IS, width),
        "Usage: python main.py WHAT_TO_DO [OPTIONS]",
    ]
    parts += [EXAMPLES, textwrap.fill(SPELLING, width)]
    for group in GROUPS.values():
        title, note = _title(group.__doc__ or "")
        rows = [_row(_left(one), f"{description_of(one).help}{_facts(one)}", width) for one in declarations(group)]
        parts.append("\n".join([*textwrap.wrap(f"{title}{f' ({note})' if note else ''}:", width), *rows]))
    rows = [
        _row(spec.name, f"{spec.summary}; {spec.parameters / 1e6:.1f} M parameters", width) for spec in MODELS.values()
    ]
    parts.append("\n".join(["Models:", *rows]))
    parts.append("\n".join(["Losses:", *(_row(spec.name, spec.summary, width) for spec in LOSSES.values())]))
    rows = [_row("-h, --help", "this page", width), _row("--version", "the version", width)]
    parts.append("\n".join(["About:", *rows]))
    return "\n\n".join(parts) + "\n"


def reference_page() -> str:
    """Write docs/reference/command-line.md."""
    written = "Generated from `src/headtohead/options/` by `headtohead.help_page.reference_page`; a test compares them."
    lines = ["# Command line", "", written, "", WHAT_IT_IS, "", SPELLING, ""]
    lines += ["`--help` prints the same as below, with examples; `--version` prints the version."]
    for group in GROUPS.values():
        title, note = _title(group.__doc__ or "")
        lines += ["", f"## {title}", *(["", f"{note[0].upper()}{note[1:]}."] if note else [])]
        lines += ["", "| option | meaning | values | default |", "|---|---|---|---|"]
        for one in declarations(group):
            choices = ", ".join(f"`{choice}`" for choice in description_of(one).choices)
            default = f"`{_default(one)}`" if _default(one) else ""
            lines.append(f"| `{_left(one)}` | {description_of(one).help} | {choices} | {default} |")
    lines += [
        "",
        "## Models",
        "",
        "| name | what it is | parameters | image size: multiple of | source |",
        "|---|---|---|---|---|",
    ]
    for spec in MODELS.values():
        lines.append(f"| `{spec.name}` | {spec.summary} | {spec.parameters:,} | {spec.divisor} | {spec.source} |")
    lines += ["", "## Losses", "", "| name | what it is | takes `--pos_weight` | source |", "|---|---|---|---|"]
    for loss in LOSSES.values():
        takes = "yes" if loss.weighs else ""
        lines.append(f"| `{loss.name}` | {loss.summary} | {takes} | {loss.source} |")
    lines += ["", "## Exit status", "", "| status | meaning |", "|---|---|"]
    lines += [
        "| 0 | done; the last line says where the results are |",
        "| 1 | some files of `--predict` failed, each is named; or an internal error (`--debug` shows where) |",
        "| 2 | user error: one line names the cause and the fix |",
        "| 130 | interrupted from the keyboard; `--serve`, which is ended in this way, has 0 |",
        "| 141 | the reader of the output closed it, for example `head` |",
        "| 143 | terminated by the system |",
    ]
    return "\n".join(lines) + "\n"


def _title(docstring: str) -> tuple[str, str]:
    title, _, note = docstring.rstrip(".").partition(". ")
    return title, note[:1].lower() + note[1:]


def _left(one: "Field[Any]") -> str:
    description = description_of(one)
    if one.type is bool:
        return f"--{one.name}"
    value = description.metavar or ("N" if one.type is int else "X" if one.type is float else "NAME")
    return f"--{one.name} [{value}]" if description.bare else f"--{one.name} {value}"


def _default(one: "Field[Any]") -> str:
    if one.type is bool or one.default is None:
        return ""
    return ",".join(map(str, one.default)) if isinstance(one.default, tuple) else str(one.default)


def _facts(one: "Field[Any]") -> str:
    facts = [", ".join(description_of(one).choices)] if description_of(one).choices else []
    if _default(one):
        facts.append(f"default {_default(one)}")
    return f" [{'; '.join(facts)}]" if facts else ""


def _row(left: str, right: str, width: int) -> str:
    start = f"  {left:<{INDENT - 4}}  "
    return textwrap.fill(right, width, initial_indent=start, subsequent_indent=" " * INDENT, break_on_hyphens=False)
