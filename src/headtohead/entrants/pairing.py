"""Which files of an entrant's folder are the masks of which cases, and a key of what is in them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headtohead.entrants.given import Given
from headtohead.errors import UserError, printable
from headtohead.plurals import count_of
from headtohead.readers.files_of_cases import files_below, kind_in_words, pair_files, suited
from headtohead.readers.labels import Marks
from headtohead.readers.reader import CaseFiles
from headtohead.records.regular import UnreadableError, opened


@dataclass(frozen=True)
class PairedMasks:
    """Masks of one name, paired with the test cases.

    Attributes:
        given: name and folder.
        files: case -> its masks, in the order of its slices; of a volume one.
        key: hash of the cases and the bytes of their masks, the same wherever they lie.
        marks: what marks a single target in them.
    """

    given: Given
    files: dict[str, tuple[Path, ...]]
    key: str
    marks: Marks | None = field(default=None, compare=False)

    @property
    def source(self) -> dict[str, object]:
        """What run.json says of where the masks come from."""
        return {"folder": str(self.given.folder), "files": sum(map(len, self.files.values())), "key": self.key}


def pair_masks(given: Given, cases: Sequence[CaseFiles], tested: set[str]) -> PairedMasks:
    """Find the masks of every tested case, and print which files of the folder are not read.

    Args:
        given: name and folder.
        cases: all cases of the truth.
        tested: names of those that are scored.

    Raises:
        UserError: a tested case has no mask, two files are of one, or a file cannot be read.
    """
    files, others = suited(files_below(given.folder), cases)
    if not files:
        there = f", but {printable(others[0].name)}" if others else ""
        raise UserError(
            f"`masks` {given.name}: {given.folder} holds no {kind_in_words(cases)}{there}; name another folder"
        )
    try:
        paired = pair_files(given.folder, files, cases)
    except UserError as fault:
        raise UserError(f"`masks` {given.name}: {fault}") from fault
    if missing := [slot for slot in paired.missing if slot.case in tested]:
        lacking = len({slot.case for slot in missing})
        what = "it" if lacking == 1 and len(tested) == 1 else f"{lacking} of {len(tested)} test cases"
        there = (
            f"; it holds {printable(paired.further[0].name)}, which is named after no case" if paired.further else ""
        )
        raise UserError(
            f"`masks` {given.name}: no mask of {missing[0].label} in {given.folder} ({what} without){there}; an "
            "entrant is scored on every test case: add the mask, or take the case out of the truth"
        )
    unread = [path for case, own in paired.files.items() if case not in tested for path in own]
    for paths, why in ((paired.further, "named after no case"), (unread, "of cases that are not tested")):
        if paths:
            print(f"{given.folder}: not read: {count_of(len(paths), 'file')} {why}, such as {printable(paths[0].name)}")
    own = {case: paired.files[case] for case in sorted(tested)}
    return PairedMasks(given, own, _key_of(own))


def _key_of(files: dict[str, tuple[Path, ...]]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for case, paths in files.items():
        digest.update(f"{case} {len(paths)}\n".encode())
        for path in paths:
            try:
                with opened(path) as file:
                    digest.update(hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest())
            except (FileNotFoundError, UnreadableError) as fault:
                raise UserError(f"{printable(path)}: cannot be read ({fault}); restore it") from fault
    return digest.hexdigest()
