"""Files of another folder paired with the cases of a data set by their names: masks of any program, or images.

Names are compared from the plain one on: as it is, without a word for masks or predictions at its end (`X_seg`,
`X_pred`), without the channel of nnU-Net (`X_0000`), and with the folders it lies in (`X/mask.nii.gz`).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headtohead.errors import UserError, printable
from headtohead.readers.file_names import INPUTS, PICTURES, is_volume, stem
from headtohead.readers.mask_names import bases_of_mask
from headtohead.readers.other_layouts import CHANNEL
from headtohead.readers.reader import CaseFiles
from headtohead.readers.sequence_names import one_sequence_in_name

PREDICTED = re.compile(r"(?P<base>.+)[_\-. ](pred|preds|prediction|predictions|predicted|output)", re.IGNORECASE)
"""Last words of a prediction's name, which `mask_names` does not know: they say nothing of a truth."""


@dataclass(frozen=True)
class Slot:
    """What one file is wanted for: a case of volumes, or a slice of a case of pictures."""

    case: str
    place: int  # of the slice within the case, from 0
    exact: frozenset[str]  # names of its own files and of the case
    derived: frozenset[str]  # what these say of the case without their last words

    @property
    def label(self) -> str:
        """What a message calls it: the case, and from the second slice on which one."""
        return f"{self.case}, slice {self.place + 1}" if self.place else self.case


@dataclass
class Paired:
    """Files by what they are for.

    Attributes:
        files: case -> its files, in the order of their slices; of a volume there is one.
        missing: what no file is named after.
        further: files that are named after nothing.
    """

    files: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    missing: list[Slot] = field(default_factory=list)
    further: list[Path] = field(default_factory=list)


def files_below(folder: Path, kinds: Sequence[str] = INPUTS) -> list[Path]:
    """List volumes and pictures below a folder, sorted, without hidden ones; kinds are the ends of their names.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"{printable(folder)}: no such folder; check the path")
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name.lower().endswith(tuple(kinds)) and not path.name.startswith(".") and path.is_file()
    )


def masks_beside_images(files: Sequence[Path]) -> list[Path]:
    """Leave out the pictures whose masks lie beside them, as in LGG: `X.tif` where there is `X_mask.tif`.

    Two volumes so named stay: both may be masks, and nobody can tell which is meant.
    """
    pictures = [path for path in files if not is_volume(path)]
    imaged = {(path.parent, base) for path in pictures for base in bases_of_mask(stem(path))[:1] if base}
    return [path for path in files if is_volume(path) or (path.parent, stem(path)) not in imaged]


def pair_files(folder: Path, files: Iterable[Path], cases: Sequence[CaseFiles], channel: int = 0) -> Paired:
    """Find the files of each case; files are volumes where the cases are, else pictures; of nnU-Net one channel.

    Raises:
        UserError: two files are named after one case or slice, or one after two.
    """
    slots = [slot for case in cases for slot in _slots_of(case)]
    find = _finder(slots, channel)
    owners: dict[Slot, Path] = {}
    found = Paired()
    for path in files:
        slot = find(path, path.relative_to(folder).parts[:-1])
        if slot is None:
            found.further.append(path)
        elif slot in owners:
            raise UserError(_named_alike(owners[slot], path, slot.label))
        else:
            owners[slot] = path
    found.missing = [slot for slot in slots if slot not in owners]
    lacking = {slot.case for slot in found.missing}
    by_case: dict[str, list[Path]] = defaultdict(list)
    for slot in slots:
        if slot.case not in lacking:
            by_case[slot.case].append(owners[slot])
    found.files = {case: tuple(paths) for case, paths in by_case.items()}
    return found


def _named_alike(first: Path, second: Path, name: str) -> str:
    """Say that two files have the name of one case; nnU-Net, for one, has `postprocessed/X` beside X."""
    deeper = max(first, second, key=lambda path: len(path.parts)).parent
    mend = "move one of them away"
    if first.parent != second.parent:
        mend = f"name the folder of one alone, such as {printable(deeper)}, or {mend}"
    return f"{printable(first)} and {printable(second)}: both are named after {name}; {mend}"


def names_of(name: str, channel: int = 0) -> Iterator[str]:
    """Give a name, and what is left of it without words for masks and predictions and without that channel."""
    waiting, seen = [name], set()
    while waiting:
        one = waiting.pop(0)
        if not one or one in seen:
            continue
        seen.add(one)
        yield one
        waiting += bases_of_mask(one)
        if predicted := PREDICTED.fullmatch(one):
            waiting.append(predicted["base"])
        if (numbered := CHANNEL.fullmatch(one)) and int(numbered["channel"]) == channel:
            waiting.append(numbered["case"])


def _slots_of(case: CaseFiles) -> Iterator[Slot]:
    if is_volume(case.masks[0]):
        stems = [stem(path) for path in (*case.images, *case.masks)]
        named = [one.case for path in case.images if (one := one_sequence_in_name(stem(path))) and one.case]
        yield Slot(case.name, 0, frozenset((case.name, *stems)), frozenset((*_shorter(stems), *named)))
        return
    for place, files in enumerate(zip(case.images, case.masks, strict=True)):
        stems = [stem(path) for path in files]
        alone = [case.name] if len(case.masks) == 1 else []
        qualified = [f"{case.name}_{one}" for one in stems]
        yield Slot(case.name, place, frozenset((*alone, *stems, *qualified)), frozenset(_shorter([*stems, *qualified])))


def _shorter(stems: Iterable[str]) -> set[str]:
    channels = {match["case"] for one in stems if (match := CHANNEL.fullmatch(one))}
    return {shorter for one in stems for shorter in names_of(one)} | channels


def _finder(slots: Sequence[Slot], channel: int) -> Callable[[Path, Sequence[str]], Slot | None]:
    """Make what finds the slot of a file; a name that several slots have finds none of them by itself."""
    tables: list[dict[str, list[Slot]]] = [defaultdict(list), defaultdict(list)]
    for slot in slots:
        for table, names in zip(tables, (slot.exact, slot.derived - slot.exact), strict=True):
            for name in names:
                table[name].append(slot)

    def find(path: Path, folders: Sequence[str]) -> Slot | None:
        unclear: list[Slot] = []
        for depth in range(len(folders) + 1):
            for name in names_of("_".join((*folders[len(folders) - depth :], stem(path))), channel):
                for table in tables:
                    fitting = table.get(name, [])
                    if len(fitting) == 1:
                        return fitting[0]
                    unclear = unclear or fitting
        if unclear:
            one, other = (slot.label for slot in unclear[:2])
            raise UserError(f"{printable(path)}: may be of {one} and of {other}; rename it after one of them")
        return None

    return find


def suited(files: Iterable[Path], cases: Sequence[CaseFiles]) -> tuple[list[Path], list[Path]]:
    """Part files into those of the kind that the cases have, volumes or pictures, and the others."""
    volumes = is_volume(cases[0].masks[0])
    parts: tuple[list[Path], list[Path]] = ([], [])
    for path in files:
        parts[is_volume(path) != volumes].append(path)
    return parts


def kind_in_words(cases: Sequence[CaseFiles]) -> str:
    """Say what the files of the cases are, for messages."""
    return "volumes" if is_volume(cases[0].masks[0]) else f"pictures ({', '.join(PICTURES)})"
