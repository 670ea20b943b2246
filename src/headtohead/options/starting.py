"""From which weights a training starts, and how it treats them."""

from dataclasses import dataclass

from headtohead.options.checks import above, at_least
from headtohead.options.declaring import option
from headtohead.options.group import Group


@dataclass(frozen=True)
class StartingOptions(Group):
    """Fine-tuning."""

    init_from: str = option(
        "",
        "start from the weights of a run folder, a bundle, a file (.ckpt, .pt, .pth, .safetensors, .h5), or of a "
        "model that comes with the program, such as shipped; {fold} and {seed} stand for those of the experiment",
        metavar="PATH",
    )
    freeze: str = option(
        "",
        "parts of the net that keep their first weights: encoder, decoder, head, all-but-head, or names of its layers",
        metavar="A,B",
    )
    thaw_epoch: int = option(0, "epochs after which frozen parts learn as well; 0: never", check=at_least(0))
    old_layers_rate: float = option(
        1.0, "learning rate of layers that were taken over, as a share of that of new ones", check=above(0, 1)
    )
