"""What a volume is by the end of its name: NIfTI, or FreeSurfer's MGH."""

from pathlib import Path

NIFTI = (".nii", ".nii.gz")
MGH = (".mgz", ".mgh")
PACKED = (".gz", ".mgz")
"""How names end whose file is compressed by gzip."""

VOLUMES = NIFTI + MGH


def volume_end(name: str) -> str:
    """Give the end of a name that says it is a volume, as written: `.nii.gz`, `.MGZ`; empty: it is none."""
    low = name.lower()
    end = next((one for one in VOLUMES if low.endswith(one)), "")
    return name[len(name) - len(end) :] if end else ""


def volume_stem(path: Path) -> str:
    """Give the name of a volume without its end: `a` of `a.nii.gz`."""
    return path.name[: len(path.name) - len(volume_end(path.name))]
