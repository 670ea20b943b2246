"""Which files are masks, and of which image: by their names, by their folder, or by a pattern.

One list of words for training, prediction and the page.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from headtohead.errors import UserError
from headtohead.readers.other_layouts import image_in_channels
from headtohead.readers.reader import Reading
from headtohead.readers.sequence_names import AT_THE_END, TREATMENT, one_sequence_in_name, sequence_in_name
from headtohead.readers.volume_names import volume_end, volume_stem

MASK_WORDS = (
    "mask",
    "seg",
    "dseg",
    "segm",
    "segmentation",
    "label",
    "labels",
    "lesion",
    "lesions",
    "roi",
    "gt",
    "groundtruth",
)
"""Last words of a mask's name, the usual ones first."""

ABOUT = "brain|lesion|lesions|tumor|tumour|wmh|manual|final|binary"
"""Words before that last one which say what was outlined, and are no part of the image's name."""

LAST = re.compile(rf"(?:(?P<base>.*)[_\-. ]|)(?P<word>{'|'.join(MASK_WORDS)})", re.IGNORECASE | re.DOTALL)
QUALIFIED = re.compile(
    rf"(?:(?P<base>.*?)[_\-. ]|)(?P<about>(?:desc|label|space|res)-[A-Za-z0-9]+|{ABOUT})", re.IGNORECASE | re.DOTALL
)
INSIDE = re.compile(rf"(?:^|[_\-. ])(?:{'|'.join(MASK_WORDS)})(?=$|[_\-. ])", re.IGNORECASE)
OTHER_THAN_BRAIN = re.compile(r"_desc-(?!brain_)[A-Za-z0-9]+_mask$")


def bases_of_mask(stem: str) -> tuple[str, ...]:
    """Name what a mask may be the mask of: its image or case, the longest name first; none where it is no mask.

    Of `sub-01_label-lesion_mask` these are `sub-01_label-lesion` and `sub-01`.
    """
    match = LAST.fullmatch(stem)
    if match is None:
        return ()
    bases = [match["base"] or ""]
    while bases[-1] and (about := QUALIFIED.fullmatch(bases[-1])):
        bases.append(about["base"] or "")
    return tuple(bases)


def says_mask(stem: str) -> bool:
    """Say whether a name has a word for masks anywhere: `training_seg_01`."""
    return INSIDE.search(stem) is not None


def outlines_other_than_brain(stem: str) -> bool:
    """Say whether a mask is one of BIDS that describes itself, and not as the brain's: `x_desc-csf_mask`."""
    return OTHER_THAN_BRAIN.search(stem) is not None


class Images:
    """Names of images, to be found by the names of their masks."""

    def __init__(self, stems: Iterable[str]) -> None:
        """Take the names of all images that may have a mask, without suffix."""
        self._all = set(stems)
        self._of_case: dict[str, list[str]] = defaultdict(list)
        self._without_last: dict[str, list[str]] = defaultdict(list)
        for stem in sorted(self._all):
            if named := sequence_in_name(stem):
                self._of_case[named.case].append(stem)
            base, word = _last_word(stem)
            if re.search("[A-Za-z]", word):  # a number tells cases apart
                self._without_last[base].append(stem)

    def of_bases(self, bases: Sequence[str]) -> Collection[str]:
        """Find the images that a mask fits best by the names that its image or case may have, the likeliest first.

        First the one of that name, then those of its case (`x_flair` of `x_seg`), then those whose name has one word
        more (`sub-01_T2w` of `sub-01_desc-brain_mask`) or, where it is a sequence, one less.
        """
        for base in bases:
            if base in self._all:
                return [base]
        for table in (self._of_case, self._without_last):
            for base in bases:
                if table.get(base):
                    return table[base]
        for base in bases:
            shorter, word = _last_word(base)
            # Such words tell scans of one case apart, rather than cases.
            if shorter in self._all and (word.lower() in AT_THE_END or word.lower() in TREATMENT):
                return [shorter]
        return []


def _last_word(stem: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?:(.*)[_\-. ]|)([^_\-. ]*)", stem, re.DOTALL)
    assert match is not None
    return match[1] or "", match[2]


@dataclass(frozen=True)
class MaskFile:
    """A mask whose image is not known yet."""

    path: Path
    folder: Path  # where its image most likely lies
    bases: tuple[str, ...]  # names that its image or case may have, the likeliest first
    further: bool = False  # counts only where an image has no other: BIDS derivatives often hold masks of CSF, too


def volumes_below(root: Path) -> list[Path]:
    """List the volumes below a folder, sorted, without hidden ones."""
    return sorted(
        path for path in root.rglob("*") if volume_end(path.name) and not path.name.startswith(".") and path.is_file()
    )


def split_files(root: Path, reading: Reading) -> tuple[list[Path], list[MaskFile]]:
    """Tell images from masks.

    Raises:
        UserError: there is no folder of masks, the pattern is none, or no mask fits it.
    """
    bases = {path: bases_of_mask(volume_stem(path)) for path in volumes_below(root)}
    images = [path for path in bases if not bases[path]]
    if not reading.mask_dir and not reading.mask_pattern:
        return images, [
            MaskFile(path, path.parent, names, outlines_other_than_brain(volume_stem(path)))
            for path, names in bases.items()
            if names
        ]
    home = Path(reading.mask_dir) if reading.mask_dir else root
    if not home.is_dir():
        raise UserError(f"`mask_dir` {home}: no such folder; name the one that holds the masks")
    masks = list(_masks_of(home, root, reading))
    if not masks:
        option = f"`mask_pattern` {reading.mask_pattern}" if reading.mask_pattern else f"`mask_dir` {home}"
        some = next(iter(volumes_below(home)), None)
        raise UserError(f"{option}: no volume in {home} is named so{f', but there is {some.name}' if some else ''}")
    apart = {one.path.resolve() for one in masks}
    inside = home.resolve() if reading.mask_dir and home.resolve() != root.resolve() else None
    images = [
        path
        for path in images
        if path.resolve() not in apart and (inside is None or inside not in path.resolve().parents)
    ]
    return images, masks


def _masks_of(home: Path, root: Path, reading: Reading) -> Iterator[MaskFile]:
    """Find the masks in a folder of masks, or of a pattern."""
    wanted = reading.mask_pattern
    before, star, after = wanted.partition("*")
    if wanted and (not star or "*" in after or "/" in wanted):
        raise UserError(
            f"`mask_pattern` {wanted}: write the name of a mask with one * for the name of its image, such as "
            "'*_manual.nii.gz'; folders go to `mask_dir`"
        )
    pattern = re.compile(f"{re.escape(before)}(.+){re.escape(after)}", re.DOTALL)
    for path in volumes_below(home):
        folder = root / path.parent.relative_to(home)
        if not wanted:
            yield MaskFile(path, folder, (volume_stem(path), *bases_of_mask(volume_stem(path))))
        elif match := pattern.fullmatch(path.name if volume_end(wanted) else volume_stem(path)):
            yield MaskFile(path, folder, (volume_stem(Path(match[1])),))


def pair(images: Sequence[Path], masks: Sequence[MaskFile]) -> dict[tuple[Path, ...], MaskFile]:
    """Find the image of each mask, or the sequences of its case: in the mask's own folder, else anywhere.

    Raises:
        UserError: a mask has no image, or fits several that are not the sequences of one case; an image has two masks.
    """
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in images:
        by_folder[path.parent].append(path)
    named = {folder: Images(map(volume_stem, inside)) for folder, inside in by_folder.items()}
    everywhere = Images(map(volume_stem, images))
    pairs: dict[tuple[Path, ...], MaskFile] = {}
    owners: dict[Path, MaskFile] = {}
    for mask in sorted(masks, key=lambda one: one.further):
        inside = by_folder.get(mask.folder, [])
        stems = named[mask.folder].of_bases(mask.bases) if inside else []
        found = [path for path in inside if volume_stem(path) in stems]
        if not found and mask.bases[-1]:
            stems = everywhere.of_bases(mask.bases)
            found = [path for path in images if volume_stem(path) in stems]
        if len(found) > 1 and not _of_one_case(found):
            raise UserError(_why_several(mask, found))
        if not found and not mask.further:
            if reason := image_in_channels(mask.bases, images):
                raise UserError(f"{mask.path}: {reason}")
            base = mask.bases[-1] or "X"
            raise UserError(
                f"{mask.path}: a mask without its image {base}.nii.gz; restore the image, remove the mask, or say how "
                "masks are named with `mask_pattern`"
            )
        taken = next((path for path in found if path in owners), None)
        if taken and not _beside(owners[taken], mask):
            one, other = owners[taken].path, mask.path
            two = f"{one.name} and {other.name}" if one.parent == other.parent else f"{one} and {other}"
            raise UserError(
                f"{taken}: has two masks, {two}; move one of them away, or say which to use with `mask_dir` or "
                "`mask_pattern`"
            )
        if found and not taken:
            pairs[tuple(found)] = mask
            owners |= dict.fromkeys(found, mask)
    return pairs


def _beside(owner: MaskFile, mask: MaskFile) -> bool:
    """Say whether a mask is left out beside that of its image: one of CSF beside the brain's or of the same folder."""
    apart = owner.path.parent != mask.path.parent
    return mask.further and not owner.further and (not apart or "brain" in volume_stem(owner.path).lower())


def _why_several(mask: MaskFile, found: Sequence[Path]) -> str:
    """Say which two of the images that a mask fits are not two sequences of one case."""
    one, other = next(two for two in combinations(found, 2) if not _of_one_case(two))
    if one.with_name(volume_stem(one)) == other.with_name(volume_stem(other)):
        return f"{one.parent}: two files of one image, {one.name} and {other.name}; move one of them away"
    return f"{mask.path}: fits both {one} and {other}; rename the mask after its image, or move one of them away"


def _of_one_case(images: Sequence[Path]) -> bool:
    """Say whether images are different sequences of one case, by their names."""
    known = [one for path in images if (one := one_sequence_in_name(volume_stem(path)))]
    return (
        len(known) == len(images) == len({one.sequence for one in known})
        and len({one.case for one in known}) == len({path.parent for path in images}) == 1
    )
