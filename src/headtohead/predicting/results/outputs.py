"""What `--predict` writes, where, and under which names."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headtohead.errors import UserError
from headtohead.options.files import FileOptions
from headtohead.predicting.files.finding import Job
from headtohead.predicting.results import summary
from headtohead.readers.volume_names import MGH, volume_end
from headtohead.task import Targets

COMPRESSED, PLAIN = ".nii.gz", ".nii"
PIXELS = (".png", ".tif", ".tiff")  # lossless, so fit for masks
EXAMPLE = "write for example 0.0:_brain.nii,0.2:_overlay02.nii"
Paths = dict[str, tuple[Path, ...]]
"""What is written of one job -> the files, one or one a slice."""
RESULTS = ("_mask", "_probability", "_uncertainty", "_preview")


@dataclass(frozen=True)
class Outputs:
    """What is written for each file.

    Attributes:
        mask: end of the mask's name; empty: no mask.
        masked: the images that are written as well: end of the name -> what their values outside the mask are
            multiplied with, from 0 (nothing is left) to 1 (all of it).
        probability: whether the probability is written.
        uncertainty: `none`, `variance` or `entropy`: the map that is written.
        preview: whether a sheet of slices is written, and a GIF that scrolls through them.
        targets: names of the model's, where it has several: each has maps of its own.
    """

    mask: str
    masked: Mapping[str, float] = field(default_factory=dict)
    probability: bool = False
    uncertainty: str = "none"
    preview: bool = False
    targets: tuple[str, ...] = ()

    def of(self, targets: Targets) -> "Outputs":
        """Give the same for the targets of a model."""
        return replace(self, targets=targets.names if len(targets) > 1 else ())

    @property
    def suffixes(self) -> dict[str, str]:
        """What is written -> the end of its name.

        The images of `--outputs` are called by that end, a map of one of several targets `probability of TARGET`.
        """
        named = {"mask": self.mask} if self.mask else {}
        named |= {f"image{suffix}": suffix for suffix in self.masked}
        parts = name_parts(self.targets)
        of_targets = {f" of {target}": f"_{part}" for target, part in zip(self.targets, parts, strict=True)}
        for kind, wanted in (("probability", self.probability), ("uncertainty", self.uncertainty != "none")):
            if wanted:
                named |= {f"{kind}{target}": f"_{kind}{end}" for target, end in (of_targets or {"": ""}).items()}
        return named | ({"preview": "_preview"} if self.preview else {})

    @property
    def ends(self) -> tuple[str, ...]:
        """Ends of names, without extensions, that our own files have: now, or in an earlier command."""
        return tuple(dict.fromkeys([*RESULTS, *map(without_extension, self.suffixes.values())]))

    def paths(self, job: Job, folder: Path) -> Paths:
        """Name the files to write below `folder`, where the input's folders are mirrored.

        Of a folder of slices there is one path each, in their order, but for `preview` and `scroll`.
        """
        place = folder / (job.relative if job.kind == "folder" else job.relative.parent)
        sources = job.files if job.kind == "folder" else (job.relative,)
        ends = self.suffixes.items()
        found = {kind: tuple(place / name_of(file, end, kind) for file in sources) for kind, end in ends}
        if self.preview:
            name = Path(job.name).name  # its own even where another file differs from it by the extension alone
            found |= {"preview": (place / f"{name}_preview.png",), "scroll": (place / f"{name}_preview.gif",)}
        return found


def every(paths: Paths) -> list[Path]:
    """List the files of a job."""
    return [path for files in paths.values() for path in files]


def read_outputs(files: FileOptions) -> Outputs:
    """Read and check `--mask_suffix`, `--outputs` and what else is to be written.

    Raises:
        UserError: a suffix cannot end a file's name, a multiplier is no share, or two files would have one name.
    """
    masked = [_masked(item.strip()) for item in files.outputs.split(",")] if files.outputs.strip() else []
    mask = files.mask_suffix.strip()
    if mask:
        _check_suffix("`mask_suffix`", mask)
    wanted = Outputs(mask, dict(masked), files.save_probability, files.save_uncertainty, files.preview)
    taken = {end for end in RESULTS[1:] if end[1:] in wanted.suffixes}
    ends = [("`mask_suffix`", mask)] * bool(mask) + [("`outputs`", suffix) for suffix, _ in masked]
    for flag, suffix in ends:
        stem = without_extension(suffix).lower()
        if stem in taken:
            raise UserError(f"{flag} {suffix}: another output already has this suffix; give each its own")
        taken.add(stem)
    return wanted


def output_folder(output: str, source: Path, outputs: Outputs) -> Path:
    """Give the folder that `--predict` writes to.

    Raises:
        UserError: none is given, it is a file, somebody else's summary.csv lies in it, or images would be replaced.
    """
    if not output:
        raise UserError("`predict`: no output folder; name one with `output`, such as the input folder itself")
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"`output` {folder}: not a folder; name a folder, which need not exist yet")
    summary.read_summary(folder / summary.FILE)
    suffix = next((suffix for suffix in outputs.masked if not without_extension(suffix)), "")
    inputs = source if source.is_dir() else source.parent
    if suffix and inputs.resolve() == folder.resolve():
        raise UserError(
            f"`outputs` {suffix}: would replace the images themselves; name another folder with `output`, or give the "
            "results a suffix, such as 0.0:_brain.nii"
        )
    return folder


def refuse_bare_names(mask: str, jobs: Sequence[Job], source: Path, folder: Path) -> None:
    """Refuse masks without a suffix where they would be taken for images.

    Raises:
        UserError: an image has the name of its case, as none of nnU-Net's has, or the masks would lie among the images.
    """
    if not mask or without_extension(mask):
        return
    if source.resolve() == folder.resolve():
        raise UserError(f"`mask_suffix` {mask}: masks would pass for images; name another folder with `output`")
    if alone := next((job for job in jobs if job.kind != "nifti" or job.files[0].name == job.relative.name), None):
        raise UserError(
            f"`mask_suffix` {mask}: would give the mask of {alone.name} the name of its image; only channels of "
            "nnU-Net (CASE_0000.nii.gz) leave it free"
        )


def name_all(jobs: Sequence[Job], outputs: Outputs, folder: Path) -> tuple[dict[Job, Paths], dict[Job, str]]:
    """Name the files of all jobs.

    Returns:
        The paths of each job, and for each that cannot have its own: why.
    """
    places: dict[Job, Paths] = {}
    clashes: dict[Job, str] = {}
    owners: dict[Path, Job] = {}
    inputs = {file.absolute() for job in jobs for file in job.files}
    for job in jobs:
        paths = outputs.paths(job, folder)
        clash = next((path for path in every(paths) if path in owners or path.absolute() in inputs), None)
        if clash is None:
            places[job] = paths
            owners |= dict.fromkeys(every(paths), job)
        elif clash.absolute() in inputs:
            clashes[job] = f"its {clash.name} would replace an input; choose another folder with `output`"
        else:
            also = f"its {clash.name} would also be that of {owners[clash].name}"
            clashes[job] = f"{also}; rename one of them, or use `pattern`"
    return places, clashes


def without_extension(name: str) -> str:
    """Cut off the extension that a file has as volume or as picture; another dot is part of the name."""
    return re.sub(r"(\.nii(\.gz)?|\.mg[hz]|\.tiff?|\.png|\.jpe?g)$", "", name, flags=re.IGNORECASE)


def name_of(file: Path, suffix: str, kind: str = "mask") -> str:
    """Name what is written for one file, with a suffix; `kind` as in `Outputs.suffixes`.

    `.nii` at the end of a suffix, and no extension at all, stand for the extension of the file itself; `.nii.gz` for
    compression. Of pictures a JPEG's results are PNG, since JPEG blurs, and maps of probability are 16-bit PNG.
    """
    own, asked = file.name.lower(), suffix.lower()
    if own.endswith(MGH):
        extension = volume_end(own)
    elif own.endswith((PLAIN, COMPRESSED)):
        extension = COMPRESSED if own.endswith(COMPRESSED) or asked.endswith(COMPRESSED) else PLAIN
    elif kind.partition(" of ")[0] in ("probability", "uncertainty"):
        extension = ".png"
    else:
        choices = (Path(asked).suffix, file.suffix.lower(), ".png")
        extension = next(one for one in choices if one in PIXELS)
    return without_extension(file.name) + without_extension(suffix) + extension


def name_parts(targets: Sequence[str]) -> list[str]:
    """Write names of targets as parts of files' names, each its own: `Whole tumour` as `whole-tumour`."""
    ends = [re.sub(r"[^\w]+", "-", target.casefold()).strip("-") for target in targets]
    return [end if end and ends.count(end) == 1 else f"{end}{number}" for number, end in enumerate(ends, 1)]


def _masked(item: str) -> tuple[str, float]:
    """Read one of `--outputs`: the end of its name, and its multiplier."""
    number, colon, suffix = (part.strip() for part in item.partition(":"))
    try:
        multiplier = float(number)
    except ValueError:
        multiplier = math.nan
    if not colon or not 0 <= multiplier <= 1:
        raise UserError(f"`outputs` {item}: not MULT:SUFFIX with MULT from 0 to 1; {EXAMPLE}")
    _check_suffix("`outputs`", suffix)
    return suffix, multiplier


def _check_suffix(flag: str, suffix: str) -> None:
    stem = without_extension(suffix)
    # An image may keep its name in another folder, and channels of nnU-Net leave that of their case to its mask.
    if not stem.strip(".") and (stem or not suffix):
        raise UserError(f"{flag} {suffix or repr('')}: would give an output the name of its image; {EXAMPLE}")
    if any(sign in suffix for sign in "/\\") or not suffix.isprintable():
        raise UserError(f"{flag} {suffix!r}: a suffix cannot hold a slash; {EXAMPLE}")
    if re.fullmatch(r"(.*_)?[0-9]{4}", stem):
        raise UserError(f"{flag} {suffix}: names a channel of nnU-Net (CASE_0000.nii.gz), which is an input; {EXAMPLE}")
    asked = re.search(r"\.[a-z]\w*$", suffix, re.IGNORECASE)
    if asked and not suffix.lower().endswith((PLAIN, COMPRESSED, *PIXELS)):
        raise UserError(
            f"{flag} {suffix}: {asked[0]} files are not written; end it in .nii, which stands for the format of the "
            "input"
        )
