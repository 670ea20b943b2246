"""The margin of equivalence: that of the command, else the one that the models were trained under."""

from collections.abc import Sequence

from headtohead.errors import UserError
from headtohead.options.comparison import MARGIN
from headtohead.options.settling import settle
from headtohead.options.table import OPTIONS, ChoiceOptions
from headtohead.runs.folder import RunFolder
from headtohead.runs.ledger import Ledger


def margin_of(options: ChoiceOptions) -> float | None:
    """Give the margin of the command; None where it is left at its default."""
    margin = options.comparison.margin
    return None if margin == MARGIN and "margin" not in options.given else margin


def declared_margin(margin: float | None, ledger: Ledger) -> tuple[float, list[str]]:
    """Find the margin of equivalence: that of the command, as `margin_of` gives it, else that of the runs.

    Returns:
        The margin, and a warning where the models were trained under another one.
    """
    found, unread = set(), []
    for run in ledger.finished:
        folder = RunFolder(run.folder)
        if isinstance(said := run.record.get("margin"), float):  # of masks as given, which have no config.yaml
            found.add(said)
        try:
            if config := folder.read_config():
                found.add(settle(OPTIONS["margin"], config.get("margin", MARGIN), f"{folder.config}: margin"))
        except UserError:
            unread.append(
                f"{folder.config.name} of {run.name} is damaged: the margin it was trained under is not known."
            )
    chosen, changed = chosen_margin(margin, sorted(found), "the models were trained")
    return chosen, unread + changed


def chosen_margin(margin: float | None, declared: Sequence[float], when: str) -> tuple[float, list[str]]:
    """Choose between the margin of the command, as `margin_of` gives it, and what was declared before, and say when.

    Returns:
        The margin, and a warning where another one was declared.
    """
    if margin is None and len(declared) == 1:
        return declared[0], []
    margin = MARGIN if margin is None else margin
    others = ", ".join(f"{one:g}" for one in declared if one != margin)
    if not others:
        return margin, []
    return margin, [
        f"The margin of equivalence is {margin:g} here, but --margin {others} was declared when {when}: "
        "a margin chosen after the results are seen proves nothing."
    ]
