"""How a model is trained."""

from dataclasses import dataclass

from headtohead.options.checks import SEED, above, at_least, auto_or_above_zero, between, not_empty
from headtohead.options.declaring import option
from headtohead.options.group import Group

SCHEDULES = ("none", "cosine", "plateau", "restarting_warmup")

TENSORBOARD = "tensorboard"
LOGGERS = (TENSORBOARD, "csv", "mlflow", "wandb")


@dataclass(frozen=True)
class TrainingOptions(Group):
    """Training."""

    num_epochs: int = option(30, "passes over the training slices", check=at_least(1))
    batch_size: int = option(32, "slices in a batch", check=at_least(1))
    learning_rate: float = option(5e-4, "highest learning rate", check=above(0))
    optimizer: str = option("adamax", "optimizer", choices=("adamax", "adam", "adamw", "sgd"))
    lr_scheduler: str = option(
        "none",
        "learning-rate schedule; without a value or True: cosine; False: none",
        choices=SCHEDULES,
        bare="cosine",
        off="none",
    )
    loss: str = option("bce_dice", "loss that is trained on, one of those that --help lists", check=not_empty)
    pos_weight: str = option(
        "1",
        "weight of a target's pixels in the cross-entropy of the loss; auto: pixels without it to pixels with it in "
        "the training slices",
        metavar="X",
        check=auto_or_above_zero,
    )
    deep_supervision: bool = option(
        False, "train lower levels of the decoder too, by heads of their own, which predictions and exports leave out"
    )
    augmentation: str = option(
        "standard",
        "augmentation of the training images",
        choices=("none", "flips", "standard", "turns", "buda", "historical"),
    )
    test_flips: bool = option(
        False,
        "randomly flip and rotate validation and test slices too, a historical fault kept to reproduce old numbers",
    )
    test_postprocessing: str = option(
        "",
        "clean-up steps of masks, as for --postprocessing, declared before the training: the test scores masks after "
        "them, and the model keeps them for its predictions",
        metavar="STEPS",
    )
    sequence_dropout: float = option(
        0.25,
        "probability that the sequence missing most often (and mostly also the next) is replaced by its stand-in",
        check=between(0, 1),
    )
    empty_slices: float = option(
        1.0, "share of the lesion-free training slices used in an epoch, drawn at random each time", check=above(0, 1)
    )
    sampling: str = option(
        "shuffled",
        "slices of an epoch; shuffled: each once; lesion_weighted: as many drawn, a patient evenly, then one of its "
        "slices, the likelier the more lesion it shows",
        choices=("shuffled", "lesion_weighted"),
    )
    early_stopping: int = option(
        0, "stop after this many epochs without improvement of the validation Dice; 0: never", check=at_least(0)
    )
    gradient_clip: float = option(0.0, "maximum norm of the gradient; 0: no clipping", check=at_least(0))
    loggers: tuple[str, ...] = option(
        (TENSORBOARD,),
        "where the curves of a training are written, in the run folder; nothing is sent: wandb works offline",
        metavar="A,B",
        choices=LOGGERS,
    )
    seed: int = option(0, "seed of initial weights, order of slices and augmentation", check=SEED)
