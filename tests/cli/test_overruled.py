"""An option that another option leaves without effect is refused; one that still changes something is taken."""

from itertools import combinations, product
from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.parsing import parse

CHOICE = {
    "model_path": "bundle",
    "run_name": "a",
    "comparison": "mine",
    "data": "nifti",
    "runs_dir": "elsewhere",
}
PREDICTIONS = {
    "predict": ["--predict", "scans", "--output", "masks"],
    "image_path": ["--image_path", "a.tif", "--output", "masks"],
    "export": ["--export", "onnx", "--output", "exported"],
    "serve": ["--serve"],
}


def refusal(words: str | list[str]) -> str:
    """Give the line that refuses a command; empty where it is taken."""
    try:
        parse(words.split() if isinstance(words, str) else words)
    except UserError as reason:
        return as_flags(reason)
    return ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--predict x --output y --model_path b --run_name a", "--run_name: has no effect with --model_path"),
        ("--serve --model_path b --ensemble --comparison c", "--ensemble: has no effect with --model_path"),
        ("--image_path a.tif --model_path b --comparison c", "--comparison: has no effect with --model_path"),
        ("--export onnx --model_path b --data nifti", "--data: has no effect with --model_path"),
        ("--serve --model_path b --runs_dir r", "--runs_dir: has no effect with --model_path"),
        ("--predict x --output y --run_name a --data nifti", "--data: has no effect with --run_name"),
        ("--predict x --output y --comparison c --data nifti", "--data: has no effect with --comparison"),
        ("--view_aug --output y --comparison c", "--comparison: has no effect with --output"),
        ("--explore --output y --runs_dir r", "--runs_dir: has no effect with --output"),
        ("--view_aug --neighbours 2", "--neighbours: has no effect with --view_aug"),
        ("--train --split buda --split_seed 1", "--split_seed: has no effect with --split buda"),
        (
            "--train --sampling lesion_weighted --empty_slices 0.5",
            "--empty_slices: has no effect with --sampling lesion_weighted",
        ),
        ("--view_aug --normalise unit", "--normalise: has no effect with --view_aug"),
        ("--predict x --output y --engine onnx --precision bf16", "--precision: --engine onnx computes in float32"),
        (
            "--train --model unet --model_settings resnext.width=8",
            "--model_settings resnext.width=8: the model is unet",
        ),
        (
            "--train --model_settings unet.width=8,buda.num_epochs=1",
            "--model_settings buda.num_epochs=1: the model is unet",
        ),
        (
            "--train --model unet --image_size 64 --model_settings unet.image_size=96",
            "--image_size: has no effect: --model_settings sets it for unet",
        ),
        (
            "--compare --models unet,buda --num_epochs 3 --model_settings unet.num_epochs=1,buda.num_epochs=2",
            "--num_epochs: has no effect: --model_settings sets it for unet and buda",
        ),
        (
            "--train --num_epochs 3 --early_stopping 3",
            "--early_stopping: has no effect in 3 epochs of training",
        ),
        (
            "--train --model resnext --encoder_weights imagenet --init_from a",
            "--encoder_weights: has no effect with --init_from",
        ),
        ("--train --freeze encoder", "--freeze: has no effect on weights drawn at random; add --init_from"),
        ("--train --old_layers_rate 0.1", "--old_layers_rate: has no effect on weights drawn at random"),
        ("--compare --models unet,buda --thaw_epoch 2", "--thaw_epoch: changes nothing where nothing is frozen"),
        (
            "--train --num_epochs 2 --init_from a --freeze encoder --thaw_epoch 2",
            "--thaw_epoch: has no effect in 2 epochs of training; give less",
        ),
        ("--train --run_name r --encoder_weights imagenet", "--encoder_weights: unet has no pretrained encoder"),
        ("--compare --models resnext --width 16", "--width: resnext cannot be scaled"),
        ("--train --model resnext --width 16", "--width: resnext cannot be scaled"),
        ("--compare --models unet,buda --encoder_weights imagenet", "--encoder_weights: unet and buda have no"),
        ("--compare --models fetal_unet --neighbours 2", "--neighbours: the intensity scaling of fetal_unet"),
        ("--compare --models fetal_unet --channel_order bgr", "--channel_order: the intensity scaling of fetal_unet"),
        ("--view_aug --model fetal_unet --channel_order bgr", "--channel_order: the intensity scaling of fetal_unet"),
        ("--train --model fetal_unet --sequence_dropout 0.5", "--sequence_dropout: fetal_unet takes one sequence"),
    ],
)
def test_an_option_that_another_overrules_is_refused(words: str, message: str) -> None:
    assert refusal(words).startswith(message)


@pytest.mark.parametrize(
    "words",
    [
        "--train --data nifti --comparison c --predict x --output y",
        "--train --comparison c --predict x --output y --model_path b",
        "--view_aug --train --neighbours 2 --normalise unit",
        "--image_path a.tif --model_path b --runs_dir r",
        "--predict x --output y --run_name a --comparison c",
        "--predict x --output y --engine onnx --precision 32",
        "--predict x --output y --model_path b --ensemble False",
        "--compare --models unet,resnext --width 16 --encoder_weights imagenet",
        "--compare --models unet,buda --num_epochs 3 --model_settings unet.num_epochs=1",
        "--compare --models fetal_unet,unet --neighbours 2 --sequence_dropout 0",
        "--test --run_name a --model_settings resnext.image_size=96",
        "--test --run_name a --encoder_weights imagenet",
        "--test --run_name a --early_stopping 40",
        "--test --early_stopping 40",
        "--train --num_epochs 3 --early_stopping 2",
        "--train --num_epochs 3 --init_from a --freeze encoder --thaw_epoch 2 --old_layers_rate 0.5",
        "--train --model resnext --encoder_weights imagenet --freeze encoder --old_layers_rate 0.5",
        "--compare --models unet,buda --freeze encoder --model_settings buda.init_from=a",
        "--test --run_name a --thaw_epoch 2",
        "--compare --models unet,buda --num_epochs 3 --early_stopping 5 --model_settings buda.num_epochs=9",
    ],
)
def test_an_option_that_still_changes_something_is_taken(words: str) -> None:
    assert refusal(words) == ""


@pytest.mark.parametrize("verb", PREDICTIONS)
def test_of_options_that_choose_a_model_every_one_counts_or_is_refused(verb: str) -> None:
    for names in (pair for size in (1, 2, 3) for pair in combinations(CHOICE, size)):
        argv = [*PREDICTIONS[verb], *(word for name in names for word in (f"--{name}", CHOICE[name]))]
        idle = set(names) - {"model_path"} if "model_path" in names else set()
        if {"run_name", "comparison"} & set(names):
            idle |= {"data"} & set(names)
        found = refusal(argv)
        assert bool(found) == bool(idle), f"{argv}: {found}"
        assert not idle or found.split(":")[0].removeprefix("--") in idle


def test_a_key_of_a_file_is_overruled_in_silence_and_overrules_a_flag(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("comparison: mine\nmodel_settings: [resnext.image_size=96]\n")
    start = f"--config {file} "
    assert refusal(start + "--train --model unet") == ""
    assert refusal(start + "--predict x --output y --model_path b") == ""
    assert refusal(start + "--train --model resnext --image_size 64").startswith("--image_size: has no effect")
    assert refusal(start + "--predict x --output y --data nifti").startswith("--data: has no effect with --comparison")


@pytest.mark.parametrize(("verb", "name"), list(product(("export", "serve"), ("run_name", "comparison"))))
def test_every_refusal_is_a_line_that_says_what_to_do(verb: str, name: str) -> None:
    found = refusal([*PREDICTIONS[verb], "--model_path", "b", f"--{name}", "a"])
    assert "leave" in found and "\n" not in found
