"""Which files a prediction of a folder reads and writes."""

from dataclasses import dataclass

from headtohead.options.declaring import option
from headtohead.options.group import Group

PLANES = ("auto", "axial", "coronal", "sagittal", "acquired")


@dataclass(frozen=True)
class FileOptions(Group):
    """Files of --predict."""

    pattern: str = option("", "only files that match, for example '**/*_T2w.nii.gz'", metavar="GLOB")
    channels: str = option(
        "", "volumes of the sequences in a 4-D file, for example t1=0,flair=1,t1ce=2", metavar="NAME=N,..."
    )
    plane: str = option("auto", "plane of the slices of a volume; auto: the plane of the model", choices=PLANES)
    mask_suffix: str = option("_mask.nii", "suffix of mask files; '': no masks", metavar="SUFFIX")
    outputs: str = option(
        "",
        "further volumes: the image, multiplied by MULT outside the mask: "
        "0.0:_brain.nii extracts, 0.2:_overlay.nii dims the rest",
        metavar="MULT:SUFFIX,...",
    )
    save_probability: bool = option(False, "write probability maps too")
    save_uncertainty: str = option(
        "none",
        "write uncertainty maps: variance between the models of an ensemble, or entropy; without a value: entropy",
        choices=("none", "variance", "entropy"),
        bare="entropy",
        off="none",
    )
    preview: bool = option(False, "write a sheet and a GIF of the slices with the outlines of the mask")
