"""The U-Net of Buda et al. under the arguments of its published hub entry."""

from pathlib import Path

from torch import Tensor, nn

from headtohead.errors import UserError
from headtohead.models.buda import BudaProbability
from headtohead.trained.choosing import SHIPPED
from headtohead.trained.facts import ModelFacts, read_facts
from headtohead.trained.foreign.buda_weights import read_buda
from headtohead.trained.source import Source

WIDEST = 1024


def published_unet(
    in_channels: int = 3, out_channels: int = 1, init_features: int = 32, pretrained: bool = False, weights: str = ""
) -> nn.Module:
    """Build the net with a sigmoid at its end, as the published one has it.

    Buda, Saha, Mazurowski: Association of genomic subtypes of lower-grade gliomas with shape features automatically
    extracted by a deep learning algorithm. Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002.

    Args:
        in_channels: of the input.
        out_channels: of the answer, a probability each.
        init_features: channels of its first level.
        pretrained: whether to load weights, those of `weights` or of the model that comes with the program.
        weights: the published file of weights, `unet.pt`, or one by the same names.

    Returns:
        It maps float [B, in_channels, H, W] to probabilities [B, out_channels, H, W]. With weights it is in evaluation
        mode, and its attribute `facts` says how a volume becomes its input.

    Raises:
        ValueError: a number is none that a net can have, or no weights of these sizes are at hand; it says which are.
        UserError: the file is missing, damaged, could run code, or is not of this net.
    """
    if in_channels < 1 or out_channels < 1 or not 1 <= init_features <= WIDEST:
        raise ValueError(
            f"unet: in_channels, out_channels and init_features are whole numbers from 1, init_features up to {WIDEST}"
        )
    if weights and not pretrained:
        raise ValueError("unet: weights are loaded with pretrained=True; add it, or leave weights out")
    net = BudaProbability(in_channels, init_features, out_channels)
    if not pretrained:
        return net
    facts, state = _weights(Path(weights)) if weights else (read_facts(SHIPPED), None)
    asked, held = (
        (in_channels, out_channels, init_features),
        (facts.in_channels, facts.task.targets.logits, facts.width),
    )
    if asked != held:
        sizes = "in_channels={}, out_channels={}, init_features={}"
        where = weights or "the model that comes with the program"
        mend = "give these" if weights else "give these, or the published file as weights='unet.pt'"
        raise ValueError(f"unet: no weights for {sizes.format(*asked)}; {where} has {sizes.format(*held)}: {mend}")
    net.load_state_dict(Source(facts, SHIPPED).weights() if state is None else state)
    net.facts = facts  # type: ignore[assignment]  # as that of a bundle
    return net.eval()


def _weights(path: Path) -> tuple[ModelFacts, dict[str, Tensor]]:
    if not path.is_file():
        raise UserError(f"unet: weights {path}: no such file; check the path")
    return read_buda(path)
