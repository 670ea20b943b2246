"""The parts of a net, by the names under which a fine-tuning freezes them; the net itself is asked."""

from typing import TYPE_CHECKING

from headtohead.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from torch import nn

ENCODER, DECODER, HEAD, ALL_BUT_HEAD = "encoder", "decoder", "head", "all-but-head"
DEEP_HEADS = "deep_heads"
"""The attribute of a net with the heads of lower levels, which only its training asks."""


def layers_of(net: "nn.Module") -> list[str]:
    """Name the layers of a net, the modules with weights of their own, in order; a lone weight is one by itself."""
    return list(dict.fromkeys(map(layer_name, net.state_dict())))


def layer_name(name: str) -> str:
    """Name the layer that an entry of a state dict belongs to: `conv` of `conv.weight`."""
    return name.rpartition(".")[0] or name


def net_parts(net: "nn.Module") -> dict[str, list[str]]:
    """Name the parts of a net and the layers of each, in the order of the layers.

    The encoder is what the class lists as `ENCODER` (names of its attributes), else the attribute `encoder`, as nets of
    segmentation_models_pytorch have it; a net with neither has no part of that name, nor a decoder, which is the rest.
    The head is what the class lists as `HEAD` (names of layers), else the last attribute that has weights, or, where
    there is only one, its last layer; those of lower levels are of it. All attributes with weights are parts as well.
    """
    layers = layers_of(net)
    own: dict[str, list[str]] = {}
    for layer in layers:
        own.setdefault(layer.partition(".")[0], []).append(layer)
    further = own.pop(DEEP_HEADS, [])
    head = list(getattr(net, "HEAD", ())) or (own[list(own)[-1]] if len(own) > 1 else layers[-1:])
    head = [*head, *further]
    encoding = [name for name in getattr(net, "ENCODER", (ENCODER,)) if name in own]
    parts = {HEAD: head, ALL_BUT_HEAD: [layer for layer in layers if layer not in head]}
    if encoding:
        encoder = [layer for name in encoding for layer in own[name]]
        rest = [layer for layer in layers if layer not in encoder and layer not in head]
        parts = {ENCODER: encoder, DECODER: rest} | parts
    return own | parts


def named_layers(net: "nn.Module", words: str, label: str) -> list[str]:
    """Give the layers of some parts, named with commas between them; `label` begins an error.

    Raises:
        UserError: the net has no such part, or nothing would be left.
    """
    parts, chosen = net_parts(net), set[str]()
    for word in (word.strip() for word in words.split(",")):
        if word not in parts:
            known = ", ".join(part for part in (ENCODER, DECODER, HEAD, ALL_BUT_HEAD) if part in parts)
            others = ", ".join(part for part in parts if part not in (ENCODER, DECODER, HEAD, ALL_BUT_HEAD))
            guess = did_you_mean(word, parts).removeprefix("; ")
            raise UserError(
                f"{label}: the net has no part {word}{guess and f' ({guess})'}; write {known}, or one of its layers: "
                f"{others}"
            )
        chosen.update(parts[word])
    layers = layers_of(net)
    if len(chosen) == len(layers):
        raise UserError(f"{label}: names the whole net, and nothing would be learned; leave a part out")
    return [layer for layer in layers if layer in chosen]
