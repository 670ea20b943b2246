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
MARGIN = 0.02
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

    download: bool = option(False, "download the LGG data set from Kaggle into --root_dir")
    make_phantoms: str | None = option(None, "write made-up patients into DIR, in the layout of LGG", metavar="DIR")
    view_aug: bool = option(False, "write a sheet of augmented training images with their mask outlines")
    train: bool = option(False, "train one experiment (--model, --lr_scheduler, --seed), then --test it")
    test: bool = option(
        False, "score the best checkpoint of one experiment on its test cases; --train --test False leaves it out"
    )
    compare: bool = option(False, "train and score --models x --schedules x --seeds x --folds, then the report")
    tune_postprocessing: bool = option(
        False, "choose threshold and clean-up of a trained run on its validation cases and store them with the model"
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


@dataclass(frozen=True)
class DataOptions(Group):
    """Data."""

    data: str = option("lgg", "kind of data in --root_dir: LGG folders, or NIfTI images with masks", choices=DATA_SETS)
    root_dir: str = option("data/kaggle_3m", "folder of the data set", metavar="DIR", check=not_empty)
    cache_dir: str = option("data/packed", "folder for the packed copy of the data", metavar="DIR", check=not_empty)
    patient_pattern: str = option(
        "",
        "whose scan a volume is, of --data nifti: a regular expression searched for in its path below --root_dir; its "
        "first group (or all that matches) is the patient; default: sub-01 of BIDS, else each volume is a patient",
        metavar="REGEX",
        check=regular_expression,
    )
    split: str = option(
        "patient", "what is split: patients, or slices, in which case patients leak", choices=("patient", "slice")
    )
    split_seed: int = option(0, "seed of the split, the same for every experiment of a comparison", check=SEED)
    folds: str = option(
        "", "cross-validation by patient: number of folds; patients: leave-one-out", metavar="N", check=fold_count
    )
    fold: int = option(0, "fold of --train and --test, counted from 0", check=at_least(0))
    fold_file: str = option("", "CSV file of case,fold with your own folds", metavar="FILE")


@dataclass(frozen=True)
class InputOptions(Group):
    """Model input. Saved with the model and applied in prediction too."""

    image_size: int = option(128, "width and height of the model input in pixels", check=between(16, 2048))
    normalise: str = option(
        "inner",
        "intensity scaling: z-score by the inner head or by the whole head of each case, /255, or ImageNet statistics",
        choices=("inner", "zscore", "unit", "imagenet"),
    )
    neighbours: int = option(1, "FLAIR of this many slices before and after as extra channels", check=between(0, 8))
    channel_order: str = option(
        "rgb",
        "rgb: pre, FLAIR, post; bgr: post, FLAIR, pre, scaled by statistics in rgb order, a historical fault kept to "
        "reproduce old numbers",
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
    augmentation: str = option(
        "standard", "augmentation of the training images", choices=("none", "flips", "standard", "turns", "historical")
    )
    test_flips: bool = option(
        False,
        "randomly flip and rotate validation and test slices too, a historical fault kept to reproduce old numbers",
    )
    sequence_dropout: float = option(
        0.25,
        "probability that post-contrast (and mostly also pre-contrast) is replaced by FLAIR",
        check=between(0, 1),
    )
    empty_slices: float = option(
        1.0, "share of the lesion-free training slices used in an epoch, drawn at random each time", check=above(0, 1)
    )
    early_stopping: int = option(
        0, "stop after this many epochs without improvement of the validation Dice; 0: never", check=at_least(0)
    )
    gradient_clip: float = option(0.0, "maximum norm of the gradient; 0: no clipping", check=at_least(0))
    seed: int = option(0, "seed of initial weights, order of slices and augmentation", check=SEED)


@dataclass(frozen=True)
class ComparisonOptions(Group):
    """Comparison and run folders."""

    models: tuple[str, ...] = option(("unet", "resnext"), "models of --compare", metavar="A,B", check=not_empty)
    schedules: tuple[str, ...] = option(("none", "cosine"), "schedules of --compare", metavar="A,B", choices=SCHEDULES)
    seeds: tuple[int, ...] = option((0,), "seeds of --compare", metavar="0,1", check=SEED)
    model_settings: tuple[str, ...] = option(
        (),
        "options of one model only: resnext.image_size=96,resnext.num_epochs=10",
        metavar="MODEL.OPTION=VALUE,...",
        check=model_setting,
    )
    margin: float = option(
        MARGIN,
        "difference in mean Dice that is too small to matter, declared before the results are seen: models are called "
        "equivalent only after two one-sided tests at this margin",
        check=above(0, 1),
    )
    case_gifs: str = option(
        "few",
        "GIFs of cases; few: worst, median and best, in figures/, and those of figures/cases/ that are current; all: "
        "every case as well, in figures/cases/; none: no GIFs, and figures/cases/ is removed",
        choices=("few", "all", "none"),
    )
    comparison: str = option(
        "",
        "name of the comparison: the folder below --runs_dir; default: single, for --compare grid, "
        "for --report the only one, for --image_path any",
        metavar="NAME",
        check=lambda value: folder_name(value) if value else "",
    )
    run_name: str = option(
        "",
        "name of the run folder; default <model>-<schedule>-s<seed>-f<fold>; "
        "with --predict and --image_path, a,b,c averages several",
        metavar="NAME",
        check=folder_names,
    )
    runs_dir: str = option("runs", "folder of all comparisons", metavar="DIR", check=not_empty)
    overwrite: bool = option(False, "replace existing runs or files instead of keeping them")

    @property
    def home(self) -> Path:
        """The comparison's folder, `runs/<comparison>`; without a name, that of experiments run one by one."""
        return Path(self.runs_dir) / (self.comparison or SINGLE)


@dataclass(frozen=True)
class PredictionOptions(Group):
    """Prediction."""

    output: str = option(
        "",
        "output folder of --predict, --export, --image_path, --view_aug and --explore; "
        "default: a folder in --runs_dir, except for --predict",
        metavar="DIR",
    )
    model_path: str = option(
        "",
        "model to predict with, instead of a run: a bundle folder, or third-party weights together with --model",
        metavar="PATH",
    )
    ensemble: bool = option(False, "average all trained runs of --comparison")
    tta: bool = option(False, "test-time augmentation: average the predictions of each slice and its mirror image")
    threshold: float = option(
        0.0,
        "probability threshold of scores, masks and panels; 0: the threshold of the model, else 0.5",
        check=from_up_to(0, 1),
    )
    postprocessing: str = option(
        "",
        "clean-up steps of masks, in order: largest,fill,min_size=0.1ml,close=2mm,dilate=2px; or none; "
        "default: those of the model",
        metavar="STEPS",
    )
    half: bool = option(False, "store the weights of --export bundle in 16 bits")
    engine: str = option(
        "auto", "inference engine; auto: PyTorch on a GPU, else the fastest one installed", choices=ENGINES
    )


@dataclass(frozen=True)
class FileOptions(Group):
    """Files of --predict."""

    pattern: str = option("", "only files that match, for example '**/*_T2w.nii.gz'", metavar="GLOB")
    channels: str = option(
        "", "volumes of the sequences in a 4-D file, for example t1=0,flair=1,t1ce=2", metavar="NAME=N,..."
    )
    plane: str = option("auto", "plane of the slices of a volume; auto: the plane of the model", choices=PLANES)
    mask_suffix: str = option("_mask.nii", "suffix of mask files; '': no masks", metavar="SUFFIX")
    outputs: str = option(
        "",
        "further volumes: the image, multiplied by MULT outside the mask: "
        "0.0:_brain.nii extracts, 0.2:_overlay.nii dims the rest",
        metavar="MULT:SUFFIX,...",
    )
    save_probability: bool = option(False, "write probability maps too")
    save_uncertainty: str = option(
        "none",
        "write uncertainty maps: variance between the models of an ensemble, or entropy; without a value: entropy",
        choices=("none", "variance", "entropy"),
        bare="entropy",
        off="none",
    )
    preview: bool = option(False, "write a sheet and a GIF of the slices with the outlines of the mask")


@dataclass(frozen=True)
class ServingOptions(Group):
    """Service."""

    port: int = option(7860, "port of --serve on this machine; 0: any that is free", check=between(0, 65535))


@dataclass(frozen=True)
class MachineOptions(Group):
    """Machine."""

    gpus: str = option("auto", "auto, cpu, or the number of a GPU", metavar="WHICH", check=gpu_numbers)
    precision: str = option(
        "auto", "arithmetic; auto: bf16 if the hardware supports it", choices=("auto", "32", "bf16")
    )
    num_workers: int = option(-1, "processes that prepare batches; -1: chosen automatically", check=at_least(-1))
    config: str = option("", "YAML file with any of these options; flags override it", metavar="FILE", stored=False)
    print_config: bool = option(False, "print the options as YAML and exit", stored=False)
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
