"""What options mean together: contradictions are refused, and a training ends with its test."""

from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.parsing import parse


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--train", "--model", "resnxt"], "--model resnxt: no such model; did you mean resnext?"),
        (["--compare", "--models", "unet,resnxt"], "resnxt: no such model; did you mean resnext?"),
        (["--train", "--image_size", "100"], "--image_size 100: unet needs a multiple of 8"),
        (["--compare", "--models", "resnext", "--image_size", "48"], "--image_size 48: resnext needs"),
        (["--compare", "--run_name", "mine"], "--run_name: --compare makes many runs"),
        (["--compare", "--model", "buda"], "--model: is for --train; with --compare, use --models"),
        (["--compare", "--lr_scheduler"], "--lr_scheduler: is for --train; with --compare, use --schedules"),
        (["--compare", "--seed", "1"], "--seed: is for --train; with --compare, use --seeds"),
        (["--compare", "--folds", "5", "--fold", "1"], "--fold: is for --train; with --compare, use --folds"),
        (
            ["--train", "--fold", "2"],
            "--fold 2: without folds there is only one split; add --folds 5, or",
        ),
        (["--train", "--split", "slice", "--folds", "5"], "--split slice: folds are by patient"),
        (["--compare", "--split", "slice", "--fold_file", "a.csv"], "--split slice: folds are by patient"),
        (["--train", "--folds", "5", "--fold_file", "a.csv"], "--folds and --fold_file both define the folds"),
    ],
)
def test_options_that_make_no_sense_together(argv: list[str], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(argv)
    assert message in as_flags(refusal.value)


class TestTrainingEndsWithTheTest:
    @pytest.mark.parametrize(
        ("argv", "test"),
        [
            (["--train"], True),
            (["--train", "--test", "False"], False),
            (["--train", "--test"], True),
            (["--train", "False"], False),
            (["--compare"], False),
        ],
    )
    def test_by_flags(self, argv: list[str], test: bool) -> None:
        assert parse(argv).verbs.test is test

    @pytest.mark.parametrize(
        ("text", "argv", "test"),
        [
            ("train: true\n", [], True),
            ("train: true\ntest: false\n", [], False),
            ("train: false\ntest: false\n", ["--train"], True),  # as --print_config writes without a verb
            ("train: true\ntest: false\n", ["--test"], True),
        ],
    )
    def test_by_a_file(self, tmp_path: Path, text: str, argv: list[str], test: bool) -> None:
        file = tmp_path / "my.yaml"
        file.write_text(text)
        assert parse(["--config", str(file), *argv]).verbs.test is test
