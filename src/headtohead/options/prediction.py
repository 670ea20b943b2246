"""How a trained model is put to work."""

from dataclasses import dataclass

from headtohead.options.checks import from_up_to
from headtohead.options.declaring import option
from headtohead.options.group import Group

ENGINES = ("auto", "torch", "onnx", "openvino")
THRESHOLD = 0.5


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
        "model to predict with, instead of a run: a bundle folder, the name of one that comes with the "
        "program, such as shipped, or third-party weights together with --model",
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
        "by target: core:largest;fill; default: those of the model",
        metavar="STEPS",
    )
    half: bool = option(False, "store the weights of --export bundle in 16 bits")
    engine: str = option(
        "auto", "inference engine; auto: PyTorch on a GPU, else the fastest one installed", choices=ENGINES
    )
