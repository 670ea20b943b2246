"""What a model is shown of a slice."""

from dataclasses import dataclass

from headtohead.options.checks import between
from headtohead.options.declaring import option
from headtohead.options.group import Group
from headtohead.options.preparation import SLICES, steps_wrong


@dataclass(frozen=True)
class InputOptions(Group):
    """Model input. Saved with the model and applied in prediction too."""

    image_size: int = option(128, "width and height of the model input in pixels", check=between(16, 2048))
    preparation: str = option(
        SLICES,
        "slices: each resized by itself; volume: whole volumes, prepared as Buda et al. do; or steps of your own: "
        "trim=SLICES,crop=SHARE,spline=DEGREE,standardise=PERCENTILES",
        metavar="STEPS",
        check=steps_wrong,
    )
    normalise: str = option(
        "inner",
        "intensity scaling: z-score by the inner head or by the whole head of each case, /255, or ImageNet statistics",
        choices=("inner", "zscore", "unit", "imagenet"),
    )
    neighbours: int = option(
        1, "the primary sequence of this many slices before and after as extra channels", check=between(0, 8)
    )
    channel_order: str = option(
        "rgb",
        "rgb: the sequences in their order; bgr: reversed, but scaled by statistics in rgb order, a historical fault "
        "kept to reproduce old numbers",
        choices=("rgb", "bgr"),
    )
    inputs: str = option(
        "",
        "sequences of the data that the model is shown, with + between them: flair+t1+t2; default: all",
        metavar="NAMES",
    )
