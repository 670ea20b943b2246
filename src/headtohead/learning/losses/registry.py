"""Which losses there are, as plain data: flags, help, checks and documentation all read this table."""

from dataclasses import dataclass
from difflib import get_close_matches

from headtohead.errors import UserError


@dataclass(frozen=True)
class LossSpec:
    """What the rest of the program needs to know about a loss before PyTorch is imported.

    Attributes:
        name: what `--loss` calls it.
        builder: where its function is, `module:name`. It is called with logits and mask, both float32, the mask {0, 1}
            [B, K, S, S] of K targets; logits have that shape, or, where targets exclude each other, one channel more,
            the first, for the background. It returns a scalar.
        summary: one line for `--help`.
        source: the paper and its DOI.
        weighs: whether it has a cross-entropy, whose positive pixels can be weighted: the function then takes a third
            argument, float32 [K] or None.
    """

    name: str
    builder: str
    summary: str
    source: str
    weighs: bool = False


_ROWS = (
    LossSpec(
        name="bce_dice",
        builder="headtohead.learning.losses.bce_dice:bce_dice_loss",
        summary="cross-entropy plus soft Dice pooled over the batch",
        source="Milletari et al., 3DV 2016, doi:10.1109/3DV.2016.79",
        weighs=True,
    ),
    LossSpec(
        name="dice",
        builder="headtohead.learning.losses.dice:dice_loss",
        summary="soft Dice alone, pooled over the batch",
        source="Milletari et al., 3DV 2016, doi:10.1109/3DV.2016.79",
    ),
    LossSpec(
        name="dice_ce",
        builder="headtohead.learning.losses.dice_ce:dice_ce_loss",
        summary="cross-entropy plus the mean soft Dice of single slices, as MONAI has it",
        source="Isensee et al., Nat Methods 18:203-211, 2021, doi:10.1038/s41592-020-01008-z",
        weighs=True,
    ),
    LossSpec(
        name="bce",
        builder="headtohead.learning.losses.bce:bce_loss",
        summary="cross-entropy alone",
        source="Ronneberger et al., MICCAI 2015, doi:10.1007/978-3-319-24574-4_28",
        weighs=True,
    ),
    LossSpec(
        name="jaccard",
        builder="headtohead.learning.losses.jaccard:jaccard_loss",
        summary="soft Jaccard index (IoU), pooled over the batch",
        source="Rahman and Wang, ISVC 2016, doi:10.1007/978-3-319-50835-1_22",
    ),
    LossSpec(
        name="tversky",
        builder="headtohead.learning.losses.tversky:tversky_loss",
        summary="soft Dice that weights missed pixels 0.7 and false ones 0.3",
        source="Salehi et al., MLMI 2017, doi:10.1007/978-3-319-67389-9_44",
    ),
    LossSpec(
        name="focal",
        builder="headtohead.learning.losses.focal:focal_loss",
        summary="cross-entropy that weights easy pixels down, gamma 2",
        source="Lin et al., ICCV 2017, doi:10.1109/ICCV.2017.324",
        weighs=True,
    ),
    LossSpec(
        name="generalized_dice",
        builder="headtohead.learning.losses.generalized_dice:generalized_dice_loss",
        summary="soft Dice over targets and background, each weighted by the inverse square of its size",
        source="Sudre et al., DLMIA 2017, doi:10.1007/978-3-319-67558-9_28",
    ),
    LossSpec(
        name="lovasz",
        builder="headtohead.learning.losses.lovasz:lovasz_loss",
        summary="Lovász extension of the Jaccard index: hinge of regions, softmax of classes",
        source="Berman et al., CVPR 2018, doi:10.1109/CVPR.2018.00464",
    ),
    LossSpec(
        name="boundary",
        builder="headtohead.learning.losses.boundary:boundary_loss",
        summary="bce_dice plus 0.01 times the distance to the true outline of what is false or missed",
        source="Kervadec et al., Med Image Anal 67:101851, 2021, doi:10.1016/j.media.2020.101851",
        weighs=True,
    ),
)
LOSSES: dict[str, LossSpec] = {row.name: row for row in _ROWS}


def find_loss(name: str, label: str = "`loss`") -> LossSpec:
    """Look a loss up by name; `label` is where the name came from, for the message.

    Raises:
        UserError: there is none of that name; the message suggests the nearest.
    """
    if name in LOSSES:
        return LOSSES[name]
    near = get_close_matches(name, LOSSES, n=1)
    guess = f"did you mean {near[0]}? Known" if near else "known"
    raise UserError(f"{label} {name}: no such loss; {guess}: {', '.join(LOSSES)}")


def refuse_weight(spec: LossSpec, label: str) -> None:
    """Refuse a weight of positive pixels of a loss without a cross-entropy; `label` is how the user knows the weight.

    Raises:
        UserError: names the losses that take one.
    """
    if not spec.weighs:
        takers = ", ".join(other.name for other in LOSSES.values() if other.weighs)
        raise UserError(f"{label}: loss {spec.name} has no cross-entropy; leave it out, or use one of: {takers}")
