"""What `masks` names: entrants and their folders, checked before anything is read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from headtohead.errors import UserError, did_you_mean
from headtohead.models.registry import MODELS
from headtohead.options.comparison import is_baseline


@dataclass(frozen=True)
class Given:
    """One entrant that is a folder of masks.

    Attributes:
        name: of the entrant, its column and its run folder.
        folder: where its masks lie, as the user wrote it.
    """

    name: str
    folder: Path


def given_masks(items: Sequence[str]) -> list[Given]:
    """Take `masks` apart.

    Raises:
        UserError: there are none, a name is taken by something of ours or given twice, or a folder is missing.
    """
    if not items:
        raise UserError("`score`: whose masks? Name them: `masks` nnunet=DIR,human2=DIR")
    found: dict[str, Given] = {}
    for item in items:
        name, _, place = (part.strip() for part in item.partition("="))
        if name.casefold() in map(str.casefold, found):  # a file system may hold them for one folder
            raise UserError(f"`masks` {item}: {name} is given twice; give each folder a name of its own")
        if name in MODELS or is_baseline(name):
            what = "a model of this program" if name in MODELS else "a name that comparisons use"
            raise UserError(f"`masks` {item}: {name} is {what}; choose another name")
        if not Path(place).is_dir():
            beside = Path(place).parent
            known = [path.name for path in beside.iterdir() if path.is_dir()] if beside.is_dir() else []
            hint = did_you_mean(Path(place).name, known) or "; check the path"
            raise UserError(f"`masks` {name}={place}: no such folder{hint}")
        found[name] = Given(name, Path(place))
    return list(found.values())


def entrant_folders(name: str, folds: Collection[int], count: int) -> dict[int, str]:
    """Name the run folder of an entrant for each fold: `human2`, or with several folds `human2-f0`."""
    return {fold: f"{name}-f{fold}" if count > 1 else name for fold in folds}
