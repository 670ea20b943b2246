"""The U-Net of Buda et al. under the arguments of its published hub entry."""

from pathlib import Path

from torch import Tensor, nn

from headtohead.errors import UserError
from headtohead.models.buda import BudaProbability
from headtohead.trained.facts import ModelFacts
from headtohead.trained.foreign.buda_weights import read_buda
from headtohead.trained.shipped import shipped_bundles
from headtohead.trained.source import Source, open_source

SIZES = "in_channels={}, out_channels={}, init_features={}"


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
        pretrained: whether to load weights, those of `weights` or of a model that comes with the program.
        weights: the published file of weights, `unet.pt`, or one by the same names.

    Returns:
        It maps float [B, in_channels, H, W] to probabilities [B, out_channels, H, W]. With weights it is in evaluation
        mode, and its attribute `facts` says how a volume becomes its input: `facts.chain` are the steps.

    Raises:
        ValueError: no weights of these sizes are at hand; it says which are.
        UserError: the file is missing, damaged, could run code, or is not of this net.
    """
    if weights and not pretrained:
        raise ValueError("unet: weights are loaded with pretrained=True; add it, or leave weights out")
    net = BudaProbability(in_channels, init_features, out_channels)
    if not pretrained:
        return net
    asked = (in_channels, out_channels, init_features)
    facts, state = _of_file(Path(weights), asked) if weights else _shipped(asked)
    net.load_state_dict(state)
    net.facts = facts  # type: ignore[assignment]  # as that of a bundle
    return net.eval()


def _sizes(facts: ModelFacts) -> tuple[int, int, int]:
    return facts.in_channels, facts.task.targets.logits, facts.width or facts.spec.width


def _of_file(path: Path, asked: tuple[int, int, int]) -> tuple[ModelFacts, dict[str, Tensor]]:
    if not path.is_file():
        raise UserError(f"unet: weights {path}: no such file; check the path")
    facts, state = read_buda(path)
    if _sizes(facts) != asked:
        held = SIZES.format(*_sizes(facts))
        raise ValueError(f"unet: no weights for {SIZES.format(*asked)}; {path} has {held}: give these")
    return facts, state


def _shipped(asked: tuple[int, int, int]) -> tuple[ModelFacts, dict[str, Tensor]]:
    found: dict[tuple[int, int, int], Source] = {}
    for folder in shipped_bundles().values():
        source = open_source(folder)
        if source.facts.model == "buda":
            found.setdefault(_sizes(source.facts), source)
    if asked not in found:
        held = " or ".join(SIZES.format(*sizes) for sizes in found)
        raise ValueError(
            f"unet: no weights for {SIZES.format(*asked)} come with this copy of the program; give {held}, or the "
            "published file as weights='unet.pt'"
        )
    return found[asked].facts, found[asked].weights()
