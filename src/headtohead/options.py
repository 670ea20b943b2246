"""Every option once: its name, type, default, meaning and checks. `--help`, YAML keys and flags come from here.

A field's name is its flag (`root_dir` is `--root_dir`) and its key in a YAML file. The groups below are the
sections of `--help`; a group is what a part of the program needs to know, and no more.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.values import (
    above,
    at_least,
    between,
    describe,
    did_you_mean,
    fold_count,
    folder_name,
    folder_names,
    from_up_to,
    gpu_numbers,
    model_setting,
    not_empty,
    option,
    regular_expression,
    settle,
)

DATA_SETS = ("lgg", "nifti")
EXPORTS = ("bundle", "onnx", "safetensors", "torchscript")
PLANES = ("auto", "axial", "coronal", "sagittal", "acquired")
ENGINES = ("auto", "torch", "onnx", "openvino")
SCHEDULES = ("none", "cosine", "plateau", "restarting_warmup")
SEED = between(0, 2**32 - 1)  # what NumPy takes
SINGLE, GRID = "single", "grid"  # names of a comparison that was given none: of --train and --test, of --compare
THRESHOLD = 0.5
MODEL = "unet"  # what is trained where nobody says


class Group:
    """A section of options whose values are settled (read and checked) as soon as it is made."""

    def __post_init__(self) -> None:
        for declared in fields(self):  # type: ignore[arg-type]
            value = settle(declared, getattr(self, declared.name), f"--{declared.name}")
            object.__setattr__(self, declared.name, value)


@dataclass(frozen=True)
class Verbs(Group):
    """What to do. Several may be given; they run in this order."""

    download: bool = option(False, "fetch the LGG data set from Kaggle into --root_dir")
    make_phantoms: str | None = option(None, "write made-up patients into DIR, in the layout of LGG", metavar="DIR")
    view_aug: bool = option(False, "write a sheet of augmented training images with their mask outlines")
    train: bool = option(False, "train one experiment (--model, --lr_scheduler, --seed), then --test it")
    test: bool = option(
        False, "score the best checkpoint of one experiment on its test cases; --train --test False leaves it out"
    )
    compare: bool = option(False, "train and score --models x --schedules x --seeds x --folds, then the report")
    tune_postprocessing: bool = option(
        False, "choose threshold and clean-up of a trained run on its validation cases and keep them with the model"
    )
    report: bool = option(False, "write table, statistics, figures and page of --comparison again from its run folders")
    explore: bool = option(False, "write figures and a table about the data set")
    export: str | None = option(
        None,
        "write a trained model for use elsewhere: a bundle folder, or one file",
        choices=EXPORTS,
    )
    image_path: str | None = option(
        None, "predict an image or a volume: mask, probability, panel, and Dice if it has a mask", metavar="FILE"
    )
    predict: str | None = option(
        None, "predict every image and volume below DIR (or one file) into --output", metavar="DIR"
    )
    serve: bool = option(False, "open a page on this machine where an image or a volume is dropped and its mask shown")


@dataclass(frozen=True)
class DataOptions(Group):
    """Data."""

    data: str = option(
        "lgg", "what lies in --root_dir: the LGG folders, or NIfTI images with their masks", choices=DATA_SETS
    )
    root_dir: str = option("data/kaggle_3m", "folder of the data set", metavar="DIR", check=not_empty)
    cache_dir: str = option("data/packed", "where the packed copy is kept", metavar="DIR", check=not_empty)
    patient_pattern: str = option(
        "",
        "whose scan a volume is, of --data nifti: a regular expression searched for in its path below --root_dir; its "
        "first group (or all that matches) is the patient; default: sub-01 of BIDS, else each volume is a patient",
        metavar="REGEX",
        check=regular_expression,
    )
    split: str = option(
        "patient", "what stays apart: patients, or only slices, which leaks", choices=("patient", "slice")
    )
    split_seed: int = option(0, "seed of the split, the same for every experiment of a comparison", check=SEED)
    folds: str = option(
        "", "cross-validation by patient: how many folds, or patients for one a patient", metavar="N", check=fold_count
    )
    fold: int = option(0, "which fold --train and --test are about, counted from 0", check=at_least(0))
    fold_file: str = option("", "the folds to use instead, as a CSV of case,fold", metavar="FILE")


@dataclass(frozen=True)
class InputOptions(Group):
    """Input: what a model sees. Saved with the model; prediction applies exactly the same."""

    image_size: int = option(128, "side in pixels of the square a model sees", check=between(16, 2048))
    normalise: str = option(
        "inner",
        "intensity scaling: per-case statistics of the inner head or of the head, /255, or ImageNet's",
        choices=("inner", "zscore", "unit", "imagenet"),
    )
    neighbours: int = option(1, "FLAIR of this many slices before and after as further channels", check=between(0, 8))
    channel_order: str = option(
        "rgb",
        "rgb: pre, FLAIR, post, each scaled by its own statistics; bgr: post, FLAIR, pre, scaled in the old order, a "
        "historical fault kept to explain numbers made with it",
        choices=("rgb", "bgr"),
    )


@dataclass(frozen=True)
class ModelOptions(Group):
    """Model."""

    model: str = option(
        "",
        f"which model to train (default {MODEL}); to predict, serve or export: only runs of this model",
        metavar="NAME",
    )
    width: int = option(
        0, "channels of the first level of our own nets; 0: as published", metavar="N", check=between(0, 1024)
    )
    encoder_weights: str = option(
        "none",
        "start of a pretrained encoder: none, imagenet, or a file of weights",
        metavar="WHICH",
        check=not_empty,
    )

    @property
    def architecture(self) -> str:
        """The model to train: that of `--model`, else the default."""
        return self.model or MODEL


@dataclass(frozen=True)
class TrainingOptions(Group):
    """Training."""

    num_epochs: int = option(30, "passes over the training slices", check=at_least(1))
    batch_size: int = option(32, "slices in a batch", check=at_least(1))
    learning_rate: float = option(5e-4, "highest learning rate", check=above(0))
    optimizer: str = option("adamax", "optimizer", choices=("adamax", "adam", "adamw", "sgd"))
    lr_scheduler: str = option(
        "none",
        "schedule of the learning rate; bare or True: cosine; False: none",
        choices=SCHEDULES,
        bare="cosine",
        off="none",
    )
    augmentation: str = option(
        "standard", "policy for the training images", choices=("none", "flips", "standard", "turns", "historical")
    )
    test_flips: bool = option(
        False,
        "flip and turn the slices of validation and test at random as well, a historical fault kept to explain "
        "numbers made with it",
    )
    sequence_dropout: float = option(
        0.25, "chance that post- (and mostly also pre-) contrast is replaced by FLAIR", check=between(0, 1)
    )
    empty_slices: float = option(
        1.0, "share of the lesion-free training slices shown in an epoch, drawn anew each time", check=above(0, 1)
    )
    early_stopping: int = option(
        0, "stop after this many epochs without a better validation Dice; 0: never", check=at_least(0)
    )
    gradient_clip: float = option(0.0, "clip the norm of the gradient; 0: never", check=at_least(0))
    seed: int = option(0, "seed of weights, order and augmentation", check=SEED)


@dataclass(frozen=True)
class ComparisonOptions(Group):
    """Comparison and run folders."""

    models: tuple[str, ...] = option(("unet", "resnext"), "models of --compare", metavar="A,B", check=not_empty)
    schedules: tuple[str, ...] = option(("none", "cosine"), "schedules of --compare", metavar="A,B", choices=SCHEDULES)
    seeds: tuple[int, ...] = option((0,), "seeds of --compare", metavar="0,1", check=SEED)
    model_settings: tuple[str, ...] = option(
        (),
        "an option of one model alone, instead of everybody's: resnext.image_size=96,resnext.num_epochs=10",
        metavar="MODEL.OPTION=VALUE,...",
        check=model_setting,
    )
    case_gifs: str = option(
        "few",
        "cases that scroll as GIF in figures/: worst, median and best, and of figures/cases/ what still holds; every "
        "case as well, in figures/cases/; none, figures/cases/ removed",
        choices=("few", "all", "none"),
    )
    comparison: str = option(
        "",
        "name of the comparison: the folder below --runs_dir; default single, of --compare and --report grid, "
        "of --image_path any",
        metavar="NAME",
        check=lambda value: folder_name(value) if value else "",
    )
    run_name: str = option(
        "",
        "name of the run folder; default <model>-<schedule>-s<seed>-f<fold>; "
        "--predict and --image_path average several: a,b,c",
        metavar="NAME",
        check=folder_names,
    )
    runs_dir: str = option("runs", "where run folders are kept", metavar="DIR", check=not_empty)
    overwrite: bool = option(False, "throw away a run or file of the same name instead of keeping it")

    @property
    def home(self) -> Path:
        """The comparison's folder, `runs/<comparison>`; without a name, that of experiments run one by one."""
        return Path(self.runs_dir) / (self.comparison or SINGLE)


@dataclass(frozen=True)
class PredictionOptions(Group):
    """Prediction."""

    output: str = option(
        "",
        "folder for what --predict, --export, --image_path, --view_aug and --explore write; "
        "default, but for the first: a folder below --runs_dir",
        metavar="DIR",
    )
    model_path: str = option(
        "",
        "the model to predict with, instead of a run: a bundle folder, or with --model weights from elsewhere",
        metavar="PATH",
    )
    ensemble: bool = option(False, "average all trained runs of --comparison")
    tta: bool = option(False, "average each prediction with that of the slice mirrored left to right")
    threshold: float = option(
        0.0,
        "probability from which a pixel is lesion, in scores, masks and panels; 0: the trained model's own, else 0.5",
        check=from_up_to(0, 1),
    )
    postprocessing: str = option(
        "",
        "clean-up of masks, steps in order, such as largest,fill,min_size=0.1ml,close=2mm,dilate=2px; none; "
        "default: the model's own",
        metavar="STEPS",
    )
    half: bool = option(False, "keep the weights of --export bundle in 16 bits: half the size")
    engine: str = option("auto", "what runs the net; auto: on a processor the fastest installed", choices=ENGINES)


@dataclass(frozen=True)
class FileOptions(Group):
    """Files of --predict."""

    pattern: str = option("", "only files that match, such as '**/*_T2w.nii.gz'", metavar="GLOB")
    channels: str = option(
        "", "which volume of a 4-D file is which sequence, such as t1=0,flair=1,t1ce=2", metavar="NAME=N,..."
    )
    plane: str = option("auto", "plane of the slices a volume is cut into; auto: the model's own", choices=PLANES)
    mask_suffix: str = option("_mask.nii", "end of a mask's name; '' writes no mask", metavar="SUFFIX")
    outputs: str = option(
        "",
        "further volumes: the image times the mask, where outside the mask MULT of it stays: "
        "0.0:_brain.nii extracts, 0.2:_overlay.nii dims the rest",
        metavar="MULT:SUFFIX,...",
    )
    save_probability: bool = option(False, "write the probability beside the mask")
    save_uncertainty: str = option(
        "none",
        "write a map of uncertainty: variance between the models of an ensemble, or entropy; bare: entropy",
        choices=("none", "variance", "entropy"),
        bare="entropy",
        off="none",
    )
    preview: bool = option(
        False, "write a sheet of slices, and a GIF that scrolls through them, with the outlines of the mask"
    )


@dataclass(frozen=True)
class ServingOptions(Group):
    """Service."""

    port: int = option(7860, "port of --serve on this machine; 0: any that is free", check=between(0, 65535))


@dataclass(frozen=True)
class MachineOptions(Group):
    """Machine."""

    gpus: str = option("auto", "auto, cpu, or the number of a GPU", metavar="WHICH", check=gpu_numbers)
    precision: str = option("auto", "arithmetic; auto: bf16 where the processor has it", choices=("auto", "32", "bf16"))
    num_workers: int = option(-1, "processes that prepare batches; -1: as fits the machine", check=at_least(-1))
    config: str = option("", "YAML file of any of these options; flags win over it", metavar="FILE", stored=False)
    print_config: bool = option(False, "print the options as YAML and leave", stored=False)
    debug: bool = option(False, "show the traceback of an error")


@dataclass(frozen=True)
class Options:
    """All options of one command, in their groups. Made by `cli.parse` and checked here."""

    verbs: Verbs = field(default_factory=Verbs)
    data: DataOptions = field(default_factory=DataOptions)
    input: InputOptions = field(default_factory=InputOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    comparison: ComparisonOptions = field(default_factory=ComparisonOptions)
    prediction: PredictionOptions = field(default_factory=PredictionOptions)
    files: FileOptions = field(default_factory=FileOptions)
    serving: ServingOptions = field(default_factory=ServingOptions)
    machine: MachineOptions = field(default_factory=MachineOptions)


GROUPS: dict[str, type[Group]] = {part.name: part.type for part in fields(Options)}  # type: ignore[misc]


def declarations(group: type[Group]) -> list["Field[Any]"]:
    """List the options of one group in their order."""
    return list(fields(group))  # type: ignore[arg-type]


OPTIONS: dict[str, "Field[Any]"] = {one.name: one for group in GROUPS.values() for one in declarations(group)}


def flat(options: Options, verbs: bool = False) -> dict[str, Any]:
    """Give all options as one dictionary of plain values (lists for tuples), in the order of `--help`.

    Args:
        options: what to flatten.
        verbs: whether what to do is part of it, or only how.

    Returns:
        Name to value; without the options that concern one command only (`--config`, `--print_config`).
    """
    values: dict[str, Any] = {}
    for group, kind in GROUPS.items():
        for one in declarations(kind):
            if describe(one).stored and (verbs or group != "verbs"):
                value = getattr(getattr(options, group), one.name)
                values[one.name] = list(value) if isinstance(value, tuple) else value
    return values


def from_flat(values: Mapping[str, Any]) -> Options:
    """Make options from a dictionary such as `flat` gives; what it leaves out has its default.

    Raises:
        UserError: a name is unknown, or a value is refused.
    """
    for name in values:
        known_option(name, "--")
    return Options(
        **{
            group: kind(**{one.name: values[one.name] for one in declarations(kind) if one.name in values})
            for group, kind in GROUPS.items()
        }  # type: ignore[arg-type]
    )


def replace(options: Options, **changes: Any) -> Options:
    """Give a copy of `options` with some of them changed by name: `replace(options, seed=1)`.

    Raises:
        UserError: a name is unknown, or a value is refused.
    """
    once = {name: getattr(options.machine, name) for name in ("config", "print_config")}
    return from_flat({**flat(options, verbs=True), **once, **changes})


def known_option(name: str, before: str) -> "Field[Any]":
    """Find an option by name; `before` stands before the name where the user meets it: `--`, or `demo.yaml: `.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name not in OPTIONS:
        raise UserError(f"{before}{name}: no such option{did_you_mean(name, OPTIONS)}")
    return OPTIONS[name]
