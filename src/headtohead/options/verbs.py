"""What to do: the flags that start something."""

from dataclasses import dataclass

from headtohead.options.declaring import option
from headtohead.options.group import Group, declarations

DOWNLOADS = ("lgg", "brats")
EXPORTS = ("bundle", "onnx", "safetensors", "torchscript")


@dataclass(frozen=True)
class Verbs(Group):
    """What to do. Several may be given; they run in this order."""

    download: str | None = option(
        None,
        "download a data set from Kaggle into --root_dir; without a value the first",
        choices=DOWNLOADS,
        bare=DOWNLOADS[0],
    )
    make_phantoms: str | None = option(
        None, "write made-up patients into DIR, in the layout of --data lgg or brats", metavar="DIR"
    )
    view_aug: bool = option(False, "write a sheet of augmented training images with their mask outlines")
    train: bool = option(False, "train one experiment (--model, --lr_scheduler, --seed), then --test it")
    test: bool = option(
        False, "score the best checkpoint of one experiment on its test cases; --train --test False leaves it out"
    )
    compare: bool = option(False, "train and score --models x --schedules x --seeds x --folds, then the report")
    tune_postprocessing: bool = option(
        False, "choose threshold and clean-up of a trained run on its validation cases and store them with the model"
    )
    score: bool = option(
        False,
        "score masks that any program made (--masks) against --truth or the runs of --comparison, then the report",
    )
    report: bool = option(False, "rewrite tables, statistics, figures and report of --comparison from its run folders")
    explore: bool = option(False, "write figures and a table about the data set")
    export: str | None = option(
        None,
        "export a trained model: a bundle folder, or a single file",
        choices=EXPORTS,
    )
    image_path: str | None = option(
        None, "predict an image or a volume: mask, probability, panel, and Dice if there is a true mask", metavar="FILE"
    )
    predict: str | None = option(
        None, "predict every image and volume below DIR (or one file) into --output", metavar="DIR"
    )
    serve: bool = option(False, "open a local web page that shows the mask of any image or volume dropped on it")


VERB_NAMES = tuple(one.name for one in declarations(Verbs))


def wanted(verbs: Verbs) -> list[str]:
    """List what is to be done, in order."""
    return [verb for verb in VERB_NAMES if getattr(verbs, verb)]
