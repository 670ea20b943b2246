"""Which architecture, and how it starts."""

from dataclasses import dataclass

from headtohead.options.checks import between, keyword_argument, not_empty
from headtohead.options.declaring import option
from headtohead.options.group import Group

MODEL = "unet"  # what is trained where nobody says


@dataclass(frozen=True)
class ModelOptions(Group):
    """Model."""

    model: str = option(
        "",
        f"which model to train (default {MODEL}): one of those below, smp:ARCHITECTURE:ENCODER, monai:CLASS, "
        "FILE.py:CLASS; to predict, serve or export: only runs of this model",
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

    model_arguments: tuple[str, ...] = option(
        (),
        "arguments of a net of a library, a file or a package: encoder_depth=4,decoder_channels=[64,32,16,8]; "
        "--model_settings gives them to one model of several",
        metavar="NAME=VALUE,...",
        check=keyword_argument,
    )

    @property
    def architecture(self) -> str:
        """The model to train: that of `--model`, else the default."""
        return self.model or MODEL
