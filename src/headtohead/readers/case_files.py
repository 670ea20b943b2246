"""The files of one case, as every reader of a data set lists them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CaseFiles:
    """The files of one case, in the order of their slice numbers; a volume is one file.

    Attributes:
        name: of the case; no two cases of a data set share one.
        patient: whose scan it is.
        site: where it was made; empty where nobody says.
        images: its images.
        masks: of each image its mask; of a case of several sequences the one label map.
        sequences: of a case of several sequences, which one each image is; else empty.
    """

    name: str
    patient: str
    site: str
    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    sequences: tuple[str, ...] = ()
