"""`--image_path`: predict one image; write its mask, its probability and a panel to look at."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from headtohead import machine
from headtohead.errors import UserError
from headtohead.options import Options
from headtohead.predicting.choosing import Choice, choose_run, part_of_split
from headtohead.predicting.panel import Prediction, draw_panel
from headtohead.predicting.reading import Picture, read_picture
from headtohead.saving import atomic_path
from headtohead.scoring.counts import count, dice

if TYPE_CHECKING:
    from headtohead.learning.checkpoint import Trained

OUTPUTS = ("mask", "probability", "panel")
SEEN = {"train": "a slice it was trained on", "val": "a validation slice", "test": "a test slice"}


def predict_image(options: Options) -> Path:
    """Carry out `--image_path`.

    Writes `<stem>_mask.png` (uint8 {0, 255}), `<stem>_probability.png` (uint16, 65535 is certain) and
    `<stem>_panel.png`, the first two on the image's own pixel grid, into `--output` or the run folder's `figures`.

    Returns:
        The folder they are in.

    Raises:
        UserError: the image, the run or the place to write to cannot be used; nothing is written then.
    """
    picture = read_picture(Path(str(options.verbs.image_path)))
    choice = choose_run(options.comparison, picture.path)
    folder = Path(options.prediction.output) if options.prediction.output else choice.folder.figures
    outputs = {kind: folder / f"{picture.path.stem}_{kind}.png" for kind in OUTPUTS}
    refuse_overwriting(outputs, picture.path, options.comparison.overwrite)

    # PyTorch takes a second to import, so every mistake in the files is told before it.
    from headtohead.learning.checkpoint import load_trained

    trained = load_trained(choice.folder.best)
    threshold = options.prediction.threshold or trained.threshold
    probability = predict_slice(trained, picture.volume, picture.index, options.machine.gpus)
    prediction = Prediction(picture.image, probability, threshold, picture.truth)
    facts = describe(prediction, choice, picture)
    pixels: dict[str, np.ndarray] = {
        "mask": prediction.mask.astype(np.uint8) * 255,
        "probability": (probability * 65535).round().astype(np.uint16),
        "panel": draw_panel(prediction, picture.path.name, "  ·  ".join(facts))[:, :, ::-1],
    }
    with all_or_none(outputs) as temporary:
        for kind, path in temporary.items():
            if not cv2.imwrite(str(path), pixels[kind]):
                raise UserError(f"{outputs[kind]}: cannot be written; choose another folder with --output")
    print(f"{picture.path.name}: model {choice.name} ({choice.reason})")
    print(f"{picture.path.name}: {', '.join(facts[1:])}, {surroundings(picture)}")
    return folder


def predict_slice(trained: "Trained", volume: np.ndarray, index: int, gpus: str = "cpu") -> np.ndarray:
    """Predict one slice of a volume exactly as in training and test.

    Args:
        trained: the model and its input recipe.
        volume: uint8 RGB [slices, H, W, 3]; its statistics scale the slice, its slices are the neighbours.
        index: which slice.
        gpus: as `--gpus`; `auto` is the processor, which is done with one slice before a GPU has started.

    Returns:
        Probability of lesion on the source grid: float32 [H, W].
    """
    import torch

    accelerator, devices = machine.pick_device("cpu" if gpus == "auto" else gpus)
    device = torch.device(accelerator, devices[0]) if isinstance(devices, list) else torch.device(accelerator)
    recipe = trained.recipe
    scaled = recipe.scale(recipe.view(volume, index), recipe.channel_statistics(recipe.measure(volume)))
    batch = torch.from_numpy(scaled).permute(2, 0, 1)[None].contiguous().to(device)
    with torch.inference_mode():
        probability = trained.model.to(device)(batch)[0, 0].sigmoid().float().cpu().numpy()
    return recipe.back(probability, *volume.shape[1:3])


def describe(prediction: Prediction, choice: Choice, picture: Picture) -> list[str]:
    """State model, threshold, Dice where there is a truth, and whether the model has seen the slice."""
    facts = [f"model {choice.name}", f"threshold {prediction.threshold:g}"]
    if prediction.truth is not None:
        score = float(dice(*count(prediction.mask, prediction.truth)))
        facts.append("no lesion, none predicted" if np.isnan(score) else f"Dice of this slice {score:.3f}")
    part = part_of_split(choice, picture.path, picture.index)
    return facts + ([SEEN[part]] if part else [])


def surroundings(picture: Picture) -> str:
    """Say what the intensity statistics and the neighbours were taken from."""
    slices = len(picture.volume)
    return f"scaled by the {slices} slices of its folder" if slices > 1 else "a lone image, scaled by itself"


def refuse_overwriting(outputs: dict[str, Path], image: Path, overwrite: bool) -> None:
    """Refuse to replace files, unless told to, and ever to put a predicted mask where the truth is looked for.

    Raises:
        UserError: names the file and the mend.
    """
    folder = outputs["mask"].parent
    if folder.resolve() == image.resolve().parent:
        raise UserError(
            f"--output {folder}: the image's own folder, where {outputs['mask'].name} would pass for its truth; "
            "choose another folder"
        )
    for path in outputs.values():
        if path.exists() and not overwrite:
            raise UserError(f"{path}: there already; choose another folder with --output, or --overwrite it")


@contextmanager
def all_or_none(outputs: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """Give a temporary path for each output; all get their names on success, none on any failure.

    Raises:
        UserError: the folder cannot be made or written to.
    """
    with ExitStack() as stack:
        try:
            temporary = {kind: stack.enter_context(atomic_path(path)) for kind, path in outputs.items()}
        except OSError as fault:
            folder = outputs["mask"].parent
            raise UserError(f"{folder}: cannot be written to ({fault.strerror}); choose another --output") from fault
        yield temporary
