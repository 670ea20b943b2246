"""Reader of a folder of volumes with a mask of each image, or of each case: `X.nii.gz`, `X_mask.nii.gz`.

A case may have several sequences (`X_flair.nii.gz`, `X_t1.nii.gz`, `X_seg.nii.gz`). Names of the Brain Imaging Data
Structure (BIDS) are read as well: `X_desc-brain_mask.nii.gz`, folders within folders, masks in a tree of derivatives,
patients as `sub-01`. Source: Gorgolewski et al., Scientific Data 2016, doi 10.1038/sdata.2016.44.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from headtohead.errors import UserError
from headtohead.options.data import DATA_SETS
from headtohead.readers.chosen_sequences import asked_for, primary_of
from headtohead.readers.labels import targets_of
from headtohead.readers.mask_names import MaskFile, bases_of_mask, pair, split_files, volumes_below
from headtohead.readers.other_layouts import masks_in_another_folder
from headtohead.readers.patients import SUBJECT, bids_patients
from headtohead.readers.reader import AS_NAMED, CaseFiles, Reader, Reading, recognise
from headtohead.readers.sequence_names import WORDS, one_sequence_in_name, sequence_label, word_of
from headtohead.readers.tasks import VOLUMES_TASK
from headtohead.readers.volume_names import volume_stem
from headtohead.readers.volumes import read_volumes
from headtohead.task import Task

TASK = VOLUMES_TASK


def recognises(root: Path) -> bool:
    """Say whether a folder holds volumes, masks among them."""
    return any(bases_of_mask(volume_stem(path)) for path in volumes_below(root))


def list_cases(root: Path, reading: Reading = AS_NAMED) -> list[CaseFiles]:
    """List the images below `root` that have a mask; how many were left out because they have none is printed.

    A sequence beside a masked image of the same case belongs to the case.

    Raises:
        UserError: the folder is missing or holds no pair; a mask has no image, or more than one; an image has two; a
            case lacks a sequence that others have.
    """
    if not root.is_dir():
        raise UserError(f"`root_dir` {root}: no such folder; name the one that holds the volumes")
    images, masks = split_files(root, reading)
    pairs = pair(images, masks)
    if not pairs:
        if reason := masks_in_another_folder(root, volumes_below(root)):
            raise UserError(f"`root_dir` {root}: {reason}")
        raise UserError(
            f"`root_dir` {root}: no image in it has a mask (X.nii.gz with X_mask.nii.gz, X_seg.nii.gz or "
            f"X_desc-brain_mask.nii.gz); {_what_else(root, volumes_below(root))}"
        )
    free = set(images) - {path for found in pairs for path in found}
    scans = [_Scan.of(found, mask, free) for found, mask in pairs.items()]
    wanted = _sequences(scans, reading)
    _refuse_unclear(scans, wanted)
    # What `sequences` leaves out of a case with a mask lacks none.
    masked = {path for scan in scans for path in (scan.first, *chain(*scan.by_sequence.values()))}
    if alone := [path for path in images if path not in masked]:
        print(f"{root}: images left out because they have no mask: {len(alone)} of {len(images)}, such as {alone[0]}")
    return bids_patients(_named(root, scans, wanted), root)


@dataclass(frozen=True)
class _Scan:
    """The files of one case: by sequence, where their names say one; the first is what the mask is named after."""

    first: Path
    case: str
    by_sequence: dict[str, list[Path]]
    mask: Path

    @classmethod
    def of(cls, found: Sequence[Path], mask: MaskFile, free: set[Path]) -> "_Scan":
        """Collect the sequences of a case: those that its mask fits, and those without a mask beside a single one."""
        named = one_sequence_in_name(volume_stem(found[0]))
        if named is None:
            return cls(found[0], "", {}, mask.path)
        sequences: dict[str, list[Path]] = defaultdict(list)
        beside = [] if len(found) > 1 else sorted(path for path in free if path.parent == found[0].parent)
        for path in (*found, *beside):
            own = one_sequence_in_name(volume_stem(path))
            # Beside the masked image, one of its sequence is another treatment of it.
            if own and own.case == named.case and (path in found or own.sequence != named.sequence):
                sequences[own.sequence].append(path)
        return cls(found[0], named.case, sequences, mask.path)

    def files(self, wanted: tuple[str, ...]) -> tuple[Path, ...]:
        """List the files of the sequences that are wanted; none are where cases have a single image."""
        return tuple(self.by_sequence[sequence][0] for sequence in wanted) or (self.first,)


def _sequences(scans: list[_Scan], reading: Reading) -> tuple[str, ...]:
    """Settle the sequences of the data set, in the order of their words; none where no case has two."""
    if reading.sequences:
        return asked_for(reading.sequences)
    if max(len(scan.by_sequence) for scan in scans) < 2:
        return ()
    found = {sequence for scan in scans for sequence in scan.by_sequence}
    known = list(WORDS)
    return tuple(sorted(found, key=lambda one: (known.index(one) if one in known else len(known), one)))


def _refuse_unclear(scans: list[_Scan], wanted: tuple[str, ...]) -> None:
    """Refuse a case that has not one file of each sequence."""
    for scan in scans:
        for sequence in wanted:
            files = scan.by_sequence.get(sequence, [])
            if len(files) > 1:
                two = f"{files[0].name} and {files[1].name}"
                raise UserError(
                    f"{scan.first.parent}: two files of one case's {sequence_label(sequence)}, {two}; move one away"
                )
            if not files:
                there = ", ".join(map(sequence_label, scan.by_sequence)) or "none by its name"
                having = sum(sequence in other.by_sequence for other in scans)
                others = f"which {having} of {len(scans)} cases have" if having else "nor has any other case"
                raise UserError(
                    f"{scan.first}: its case has no {sequence_label(sequence)} ({there}), {others}; restore the file, "
                    "or name the sequences to use: `sequences` "
                    f"{','.join(word_of(one) for one in scan.by_sequence) or 'flair'}"
                )


def _named(root: Path, scans: list[_Scan], wanted: tuple[str, ...]) -> list[CaseFiles]:
    """Name cases by their files, and those of one name by their folders, too."""
    stems = [scan.case if len(wanted) > 1 else volume_stem(scan.first) for scan in scans]
    often = Counter(stems)
    cases: dict[str, CaseFiles] = {}
    for scan, stem in zip(scans, stems, strict=True):
        folders = scan.first.relative_to(root).parts[:-1]
        name = stem if stem and often[stem] == 1 else "_".join(filter(None, (*folders, stem))) or root.resolve().name
        if name in cases:
            raise UserError(f"{scan.first}: {cases[name].images[0]} also has the name {name}; rename one of the two")
        cases[name] = CaseFiles(name, name, "", scan.files(wanted), (scan.mask,), wanted)
    return [cases[name] for name in sorted(cases)]


def _what_else(root: Path, files: list[Path]) -> str:
    if files:
        return f"it holds volumes, such as {files[0]}, but no masks; name their folder with `mask_dir`"
    kind = recognise(root)
    return f"it holds {DATA_SETS[kind]}; leave `data` out" if kind else "name the folder that holds the volumes"


def task(root: Path, reading: Reading, cases: list[CaseFiles]) -> Task:
    """Segment what the masks outline, or what `--labels` says, in the sequences of the cases."""
    sequences = cases[0].sequences or TASK.sequences
    primary = primary_of(reading.sequences, sequences)
    targets = targets_of(reading.labels) if reading.labels else TASK.targets
    return Task(TASK.name, sequences, primary, targets)


READER = Reader(
    reading="nifti 2",
    recognises=recognises,
    list_cases=list_cases,
    task=task,
    read_case=read_volumes,
    takes=frozenset({"patient_pattern", "labels", "sequences", "mask_dir", "mask_pattern", "bits"}),
    patient_of=lambda case: subject[1] if (subject := SUBJECT.search(case)) else case,
)
