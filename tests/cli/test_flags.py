"""Each flag reaches its option, and what is given wrongly is refused in one line that names it."""

from pathlib import Path

import pytest

from headtohead.errors import UserError
from headtohead.options.declaring import description_of
from headtohead.options.table import OPTIONS, Options, flat, replace
from headtohead.parsing import parse
from tests.cli.every_option import COMPANIONS, FOLLOWS, TABLE, value_of


def test_table_has_every_option() -> None:
    # `config` names a file that must exist; tests/cli/test_config.py has it.
    assert set(TABLE) == set(OPTIONS) - {"config"}


@pytest.mark.parametrize("name", TABLE)
def test_flag_reaches_its_option(name: str) -> None:
    text, value = TABLE[name]
    assert value != OPTIONS[name].default
    companions = COMPANIONS.get(name, {})
    beside = [word for key, word in companions.items() for word in (f"--{key}", word)]
    for argv in ([f"--{name}", text], [f"--{name}={text}"]):
        options = parse([*argv, *beside])
        assert value_of(options, name) == value
        others = {key: plain for key, plain in flat(options, verbs=True).items() if key != name}
        default = flat(Options(), verbs=True) | companions | FOLLOWS.get(name, {})
        assert others == {key: plain for key, plain in default.items() if key != name}


@pytest.mark.parametrize("name", TABLE)
def test_key_reaches_its_option(name: str, tmp_path: Path) -> None:
    text, value = TABLE[name]
    file = tmp_path / "one.yaml"
    file.write_text("".join(f"{key}: {word}\n" for key, word in ({name: text} | COMPANIONS.get(name, {})).items()))
    assert value_of(parse(["--config", str(file)]), name) == value


@pytest.mark.parametrize("name", [name for name, declared in OPTIONS.items() if declared.type is bool])
def test_switch_takes_every_spelling(name: str) -> None:
    for spelling in ([f"--{name}"], [f"--{name}=True"], [f"--{name}", "yes"], [f"--{name}", "1"]):
        assert value_of(parse(spelling), name) is True
    for spelling in ([f"--{name}=False"], [f"--{name}", "False"], [f"--{name}", "NO"], [f"--{name}=0"], []):
        assert value_of(parse(spelling), name) is False
    with pytest.raises(UserError, match=f"^--{name} perhaps: takes True or False$"):
        parse([f"--{name}", "perhaps"])


@pytest.mark.parametrize(
    ("argv", "schedule"),
    [
        (["--lr_scheduler"], "cosine"),
        (["--lr_scheduler", "--train"], "cosine"),
        (["--lr_scheduler=True"], "cosine"),
        (["--lr_scheduler", "cosine"], "cosine"),
        (["--lr_scheduler=False"], "none"),
        (["--lr_scheduler", "none"], "none"),
        (["--lr_scheduler=restarting_warmup"], "restarting_warmup"),
        ([], "none"),
    ],
)
def test_lr_scheduler(argv: list[str], schedule: str) -> None:
    assert parse(argv).training.lr_scheduler == schedule


def test_switch_before_another_flag_is_on() -> None:
    options = parse(["--train", "--test", "False", "--model", "resnext", "--num_workers", "-1"])
    assert (options.verbs.train, options.verbs.test, options.model.model) == (True, False, "resnext")


def test_last_of_a_repeated_flag_counts() -> None:
    assert parse(["--seed", "1", "--seed", "2"]).training.seed == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--modle", "unet"], "--modle: no such flag; did you mean --model?"),
        (["--modle=unet"], "--modle: no such flag; did you mean --model?"),
        (["-train"], "-train: no such flag; did you mean --train?"),
        (["--zzzz"], "--zzzz: no such flag; --help lists them"),
        (["--num_epoch", "3"], "--num_epoch: no such flag; did you mean --num_epochs?"),
        (["train"], "train: belongs to no flag; did you mean --train?"),
        (["--seeds", "0,", "1"], "1: belongs to no flag; put values after their flag"),
        (["--model"], "--model: needs a value"),
        (["--image_path", "--train"], "--image_path: needs a value"),
        (["--batch_size", "0"], "--batch_size 0: must be at least 1"),
        (["--batch_size=many"], "--batch_size many: takes a whole number"),
        (["--learning_rate", "fast"], "--learning_rate fast: takes a number"),
        (["--split", "pateint"], "--split pateint: not one of patient, slice, buda; did you mean patient?"),
        (["--folds", "1"], "--folds 1: takes a number of folds (2 or more), or the word patients"),
        (["--folds", "patient"], "--folds patient: takes a number of folds (2 or more), or the word patients"),
        (["--fold", "-1"], "--fold -1: must be at least 0"),
        (["--gpus", "zero"], "--gpus zero: takes auto, cpu, mps, or the number of a GPU"),
        (["--lr_scheduler", "cosin"], "did you mean cosine?"),
    ],
)
def test_wrong_flag_is_refused(argv: list[str], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(argv)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_every_bare_word_is_a_choice() -> None:
    for declared in OPTIONS.values():
        description = description_of(declared)
        if description.bare:
            off = {description.off} if declared.type is str else set()  # of what may be nothing, False is that
            assert {description.bare, *off} <= set(description.choices)


@pytest.mark.parametrize("argv", [["--mask-suffix", "_x.nii"], ["--mask-suffix=_x.nii"], ["--mask_suffix=_x.nii"]])
def test_hyphens_stand_for_underscores(argv: list[str]) -> None:
    assert parse(argv).files.mask_suffix == "_x.nii"
    assert parse(["--image-size=64", "--run_name", "a-b"]).comparison.run_name == "a-b"


def test_options_know_which_flags_were_given(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("seed: 0\n")
    options = parse(["--test", "--num_epochs", "30", "--config", str(tmp_path / "my.yaml")])
    assert options.given == replace(options, seed=1).given == {"test", "num_epochs", "config"}
