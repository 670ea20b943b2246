"""Match weights that exist with the layers of a net, by name and shape; no file is read here.

A first convolution of another number of input channels is adapted: the mean over its input channels is repeated, scaled
so that the response to equal channels stays the same (Carreira and Zisserman, CVPR 2017, doi:10.1109/CVPR.2017.502,
inflate filters along time in this way).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from headtohead.errors import UserError
from headtohead.models.parts import layer_name, layers_of

PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "network.")
"""Under which wrappers put the names of a net: data-parallel copies, Lightning's modules, compiled nets."""

COUNTER = "num_batches_tracked"  # of batch norm, which files of earlier versions and of Keras lack
SHOWN = 3  # layers named in a line

Weights = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Match:
    """What of a net begins with weights that exist.

    Attributes:
        taken: the entries of its state dict that are taken over, in the net's own shapes.
        layers: all its layers, in order.
        adapted: the layers that were fitted to another number of input channels, and how.
        fresh: the layers that are not taken over, and why.
        unused: the layers that only the other weights have.
        parameters: the trainable weights that are taken over, and all of them.
    """

    taken: dict[str, torch.Tensor]
    layers: list[str]
    adapted: dict[str, str]
    fresh: dict[str, str]
    unused: list[str]
    parameters: tuple[int, int]

    def load_into(self, net: torch.nn.Module) -> None:
        """Give the net these weights."""
        net.load_state_dict(self.taken, strict=False)

    @property
    def lines(self) -> list[str]:
        """Say in a few lines what is taken over and what is not."""
        taken, whole = self.parameters
        matched = len(self.layers) - len(self.fresh)
        said = [f"{matched} of {len(self.layers)} layers, {taken:,} of {whole:,} weights"]
        said += [f"  {layer}: {how}" for layer, how in self.adapted.items()]
        said += [f"  new: {_few([f'{layer} ({why})' for layer, why in self.fresh.items()])}"] if self.fresh else []
        return said + ([f"  not used: {_few(self.unused)}"] if self.unused else [])


def match_layers(net: torch.nn.Module, stored: Weights, label: str, mend: str = "", scalable: bool = True) -> Match:
    """Match weights with the layers of a net; a layer is taken over whole or not at all.

    `label` begins an error; `mend` ends that of weights without a layer of the net, and whether its width is `scalable`
    decides what that of other widths advises.

    Raises:
        UserError: no layer matches, the widths differ, or a weight to be taken over is not a finite number.
    """
    own = net.state_dict()
    found = _under_own_names(stored, own)
    first = next((name for name, value in own.items() if value.ndim >= 3), "")
    _refuse_other_width(own, found, first, label, scalable)
    channels = (own[first].shape[1], found[first].shape[1]) if _same_outputs(own, found, first) else (0, 0)
    taken: dict[str, torch.Tensor] = {}
    adapted, fresh = {}, {}
    for layer in layers_of(net):
        here, there = _entries(own, layer), _entries(found, layer)
        if _fits_but_for_channels(here, there, channels):
            adapted[layer] = f"{_channels(channels[1])} averaged and repeated for {channels[0]}"
        elif why := _misfit(here, there):
            fresh[layer] = why
            continue
        taken |= {name: _as_here(there[name], here[name]) for name in here if name in there}
    if not taken:
        others = list(dict.fromkeys(layer_name(_bare(name)) for name in found))
        raise UserError(
            f"{label}: none of its {len(others)} layers ({_few(others)}) is one of this net ({_few(layers_of(net))}) "
            f"by name and shape; {mend or 'name other weights'}"
        )
    if broken := next((name for name, value in taken.items() if not value.isfinite().all()), ""):
        raise UserError(f"{label}: {broken} holds numbers that are not finite; name other weights")
    sizes = {name: weight.numel() for name, weight in net.named_parameters()}
    unused = [layer for layer in dict.fromkeys(map(layer_name, found)) if layer not in set(map(layer_name, own))]
    return Match(
        taken,
        layers_of(net),
        adapted,
        fresh,
        unused,
        (sum(size for name, size in sizes.items() if name in taken), sum(sizes.values())),
    )


def for_channels(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Fit a convolution, float [out, in, ...], to another number of input channels: float [out, channels, ...].

    The sum over input channels, which is the response to equal channels, stays the same.
    """
    each = weight.sum(dim=1, keepdim=True) / channels
    return each.expand(-1, channels, *weight.shape[2:]).clone()


def _under_own_names(stored: Weights, own: Weights) -> dict[str, torch.Tensor]:
    """Name the stored weights as the net does: without the prefix under which most of its names are found."""
    prefixes = {""}
    for name in stored:
        prefix = ""
        while word := next((word for word in PREFIXES if name.startswith(word, len(prefix))), ""):
            prefix += word
            prefixes.add(prefix)
    best = max(sorted(prefixes, key=len), key=lambda prefix: sum(prefix + name in stored for name in own))
    inside = {name.removeprefix(best): value for name, value in stored.items() if name.startswith(best)}
    return {name: value for name, value in stored.items() if not name.startswith(best)} | inside


def _bare(name: str) -> str:
    """Name a weight without the wrappers around its net."""
    while wrapper := next((word for word in PREFIXES if name.startswith(word)), ""):
        name = name.removeprefix(wrapper)
    return name


def _entries(state: Weights, layer: str) -> dict[str, torch.Tensor]:
    return {name: value for name, value in state.items() if layer_name(name) == layer}


def _same_outputs(own: Weights, found: Weights, name: str) -> bool:
    """Say whether a convolution is the same but for its input channels."""
    if name not in found or found[name].ndim != own[name].ndim:
        return False
    here, there = own[name].shape, found[name].shape
    return (here[0], here[2:]) == (there[0], there[2:])


def _refuse_other_width(own: Weights, found: Weights, first: str, label: str, scalable: bool) -> None:
    if first not in found or found[first].ndim != own[first].ndim:
        return
    here, there = own[first].shape[0], found[first].shape[0]
    if here != there:
        mend = f"write `width` {there}" if scalable else "name other weights"
        raise UserError(
            f"{label}: its first layer, {layer_name(first)}, has {there} channels, that of this net {here}, and widths "
            f"must agree; {mend}"
        )


def _fits_but_for_channels(here: Weights, there: Weights, channels: tuple[int, int]) -> bool:
    """Say whether a layer is one on the input, equal but for the number of channels, here and there."""
    if channels[0] == channels[1] or here.keys() != there.keys():
        return False
    differing = [name for name in here if here[name].shape != there[name].shape]
    return len(differing) == 1 and all(
        here[name].ndim >= 3
        and _same_outputs(here, there, name)
        and (here[name].shape[1], there[name].shape[1]) == channels
        for name in differing
    )


def _misfit(here: Weights, there: Weights) -> str:
    """Say why a layer is not taken over; empty if it is."""
    if not there:
        return "not there"
    for name in here:
        word = name.rpartition(".")[2]
        if name not in there and word != COUNTER:
            return f"no {word} there"
        if name in there and here[name].shape != there[name].shape:
            return f"{word} is {_shape(there[name])} there, {_shape(here[name])} here"
    more = [name.rpartition(".")[2] for name in there if name not in here]
    return f"has a {more[0]} there" if more else ""


def _as_here(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    value = value.detach().to(like.dtype)
    return value.clone() if value.shape == like.shape else for_channels(value, like.shape[1])


def _shape(value: torch.Tensor) -> str:
    return "x".join(map(str, value.shape)) or "one number"


def _channels(number: int) -> str:
    return f"{number} input channel{'' if number == 1 else 's'}"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
