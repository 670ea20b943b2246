"""A chosen model put to use; where nobody named it and it is damaged, the next candidate."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from headtohead.errors import DamagedModel
from headtohead.options.flags import as_flags
from headtohead.options.table import ChoiceOptions
from headtohead.trained.choosing import Choice, Search, choose_models

Result = TypeVar("Result")


def with_sound_models(options: ChoiceOptions, files: Path | None, use: Callable[[list[Choice]], Result]) -> Result:
    """Choose models and do with them what reads their weights.

    The next candidate may be worse, so a warning names both, and how to insist on the first. In an average
    (`--ensemble`) the others go on without it.

    Args:
        options: what is asked for.
        files: as `choose_models` takes it.
        use: raises `DamagedModel` before it has changed anything.

    Raises:
        UserError: as `choose_models`; or a model that was named is damaged, or all are.
    """
    search = Search()
    choices = choose_models(options, files, search)
    while True:
        try:
            return use(choices)
        except DamagedModel as fault:
            run = next((choice.run for choice in choices if choice.run and choice.run.path == fault.folder), None)
            if run is None or options.comparison.run_name:  # named, or the one that comes with the program
                raise
            search.damaged[run.path] = str(fault)
            choices = choose_models(options, files, search)
            taken = ", ".join(choice.name for choice in choices)
            name = f"`run_name` {run.path.name} `comparison` {run.path.parent.name}"
            warning = f"{fault}; {taken} is used instead; to use the damaged one anyway: {name}"
            print(f"warning: {as_flags(warning)}", file=sys.stderr)
