"""`--image_path`: predict one image; write its mask, its probability and a panel to look at.

Everything on this way is light to import: from a cold start it is done before PyTorch would be loaded.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from headtohead.errors import printable
from headtohead.options.table import Options
from headtohead.predicting.cleaning.postprocessing import clean
from headtohead.predicting.files.grouping import Job, refuse_ignored_channels, refuse_ignored_plane
from headtohead.predicting.files.reading import Picture, read_picture, refuse_wrong_file, slices_around
from headtohead.predicting.files.weighing import weigh_pictures
from headtohead.predicting.predictor import Predictor, open_sound
from headtohead.predicting.results.panel import Prediction, draw_panel
from headtohead.predicting.results.placing_one import all_or_none, folder_for, refuse_overwriting
from headtohead.predicting.results.summary import dice_of_lesion
from headtohead.predicting.results.written import Records, truth_is_ours
from headtohead.predicting.seen import part_of_split
from headtohead.predicting.trust.familiarity import unfamiliar_features
from headtohead.readers.volume_names import volume_end
from headtohead.saving import write_picture

OUTPUTS = ("mask", "probability", "panel")
SEEN = {"train": "a slice that the model was trained on", "val": "a validation slice", "test": "a test slice"}


def predict_image(options: Options) -> Path:
    """Carry out `--image_path`.

    Writes `<stem>_mask.png` (uint8 {0, 255}), `<stem>_probability.png` (uint16, 65535 is certain) and
    `<stem>_panel.png`, the first two on the image's own pixel grid, into `--output` or the run folder's `figures`.
    Of a NIfTI volume mask and probability are NIfTI on its own grid, and the panel shows its fullest slice.

    Returns:
        The folder they are in.

    Raises:
        UserError: the image, the model or the place to write to cannot be used; nothing is written then.
    """
    path = Path(str(options.verbs.image_path))
    if volume_end(path.name):
        from headtohead.predicting.volume import predict_volume

        return predict_volume(options, path)
    refuse_wrong_file(path)
    weigh_pictures(slices_around(path), as_bytes=True).refuse_unless_free()
    picture = read_picture(path)
    job = Job(path.name, (picture.path,), "picture", (), Path(path.name))
    refuse_ignored_plane([job], options.files.plane)
    if picture.truth is not None and truth_is_ours(job, Records()):
        picture = replace(picture, truth=None)
    predictor = open_sound(options, picture.path, many=False)
    choices = list(predictor.choices)
    refuse_ignored_channels([job], options.files.channels, predictor.facts.task)
    folder = folder_for(options, choices)
    outputs = {kind: folder / f"{picture.path.stem}_{kind}.png" for kind in OUTPUTS}
    refuse_overwriting(outputs, picture.path, options.comparison.overwrite)

    probability = predictor.slice(picture.volume, picture.index)
    prediction = predicted(options, predictor, picture, probability)
    facts = describe(prediction, predictor, picture)
    pixels: dict[str, np.ndarray] = {
        "mask": prediction.mask.astype(np.uint8) * 255,
        "probability": (probability * 65535).round().astype(np.uint16),
        "panel": draw_panel(prediction, picture.path.name, "  ·  ".join(facts))[:, :, ::-1],
    }
    with all_or_none(outputs) as temporary:
        for kind, place in temporary.items():
            write_picture(place, pixels[kind])
    shown = printable(picture.path.name)
    for choice in choices:
        print(f"{shown}: {choice.line}")
    print(f"{shown}: {', '.join(facts[1:])}, {surroundings(picture)}")
    for line in unfamiliar_features(
        picture.volume, None, predictor.facts.familiar, predictor.facts.task.primary_channel
    ):
        print(f"{shown}: unlike the training data: {line}", file=sys.stderr)
    return folder


def predicted(options: Options, predictor: Predictor, picture: Picture, probability: np.ndarray) -> Prediction:
    """Turn the probability of one slice into what the panel shows.

    Clean-up that is stored with a model is for whole volumes; a slice is cleaned only by what the command gives.
    """
    cleaned = None
    if options.prediction.postprocessing:
        cleaned = clean((probability >= predictor.threshold)[None], predictor.steps, None)[0]
    return Prediction(picture.image, probability, predictor.threshold, picture.truth, predictor.facts.task, cleaned)


def describe(prediction: Prediction, predictor: Predictor, picture: Picture) -> list[str]:
    """State model, threshold, Dice where there is a truth, and whether a model has seen the slice."""
    facts = [f"model {predictor.name}", f"threshold {prediction.threshold:g}"]
    if prediction.truth is not None:
        score = dice_of_lesion(prediction.mask, prediction.truth)
        healthy = f"no lesion in the truth: {'false alarm' if prediction.mask.any() else 'left alone'}"
        facts.append(healthy if np.isnan(score) else f"Dice of this slice {score:.3f}")
    parts = {part_of_split(choice, picture.path, picture.index) for choice in predictor.choices}
    # Of several models the one that knows most of the slice is what a reader must be told of.
    return facts + [words for part, words in SEEN.items() if part in parts][:1]


def surroundings(picture: Picture) -> str:
    """Say what the intensity statistics and the neighbours were taken from."""
    slices = len(picture.volume)
    return (
        f"scaled by the {slices} slices of its folder"
        if slices > 1
        else "a single image, scaled by its own intensities"
    )
