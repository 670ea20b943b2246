"""How a user wants the files of a folder to be understood."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from headtohead.options.data import DataOptions


@dataclass(frozen=True)
class Reading:
    """What names of files alone do not say; each attribute is the option of its name, empty where nobody says.

    Attributes:
        patient_pattern: finds the patient in the path of an image; see `patients.patients_by_pattern`.
        labels: which values of a label map are which target; see `label_option.targets_of`.
        sequences: which of a case's sequences to use, the primary one first.
        mask_dir: folder of the masks, where they do not lie beside their images.
        mask_pattern: how masks are named, with `*` for the name of the image or the case.
    """

    patient_pattern: str = ""
    labels: str = ""
    sequences: str = ""
    mask_dir: str = ""
    mask_pattern: str = ""

    @classmethod
    def of(cls, options: DataOptions) -> "Reading":
        """Take what the options say."""
        return cls(**{one.name: getattr(options, one.name) for one in fields(cls)})

    @classmethod
    def recorded(cls, data: Mapping[str, Any]) -> "Reading":
        """Take what run.json says of the data; what an earlier version did not write is empty."""
        return cls(**{one.name: str(data.get(one.name, "")) for one in fields(cls)})

    def given(self) -> dict[str, str]:
        """Give what is not empty, by name."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}


AS_NAMED = Reading()
"""Names of files say everything."""
