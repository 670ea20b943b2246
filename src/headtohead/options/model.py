"""Which architecture, and how it starts."""

from dataclasses import dataclass

from headtohead.options.checks import between, not_empty
from headtohead.options.declaring import option
from headtohead.options.group import Group

MODEL = "unet"  # what is trained where nobody says


@dataclass(frozen=True)
class ModelOptions(Group):
    """Model."""

    model: str = option(
        "",
        f"which model to train (default {MODEL}); to predict, serve or export: only runs of this model",
        metavar="NAME",
    )
    width: int = option(
        0,
        "channels of the first level, for models that can be scaled; 0: as published",
        metavar="N",
        check=between(0, 1024),
    )
    encoder_weights: str = option(
        "none",
        "initial weights of the encoder: none, imagenet, or a file",
        metavar="WHICH",
        check=not_empty,
    )

    @property
    def architecture(self) -> str:
        """The model to train: that of `--model`, else the default."""
        return self.model or MODEL
