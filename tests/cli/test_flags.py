"""Each flag reaches its option, and what is given wrongly is refused in one line that names it."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.cli import VERBS, parse
from headtohead.effects import ALWAYS, READ
from headtohead.errors import UserError
from headtohead.options.declaring import describe
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS, OPTIONS, Options, flat

# Every option once, with the text of its flag and the value it must arrive as (never the default).
TABLE: dict[str, tuple[str, Any]] = {
    "download": ("yes", True),
    "make_phantoms": ("made/up", "made/up"),
    "view_aug": ("True", True),
    "train": ("true", True),
    "test": ("1", True),
    "compare": ("on", True),
    "report": ("True", True),
    "explore": ("True", True),
    "image_path": ("a.tif", "a.tif"),
    "root_dir": ("my/data", "my/data"),
    "cache_dir": ("my/cache", "my/cache"),
    "patient_pattern": ("P[0-9]+", "P[0-9]+"),
    "split": ("slice", "slice"),
    "split_seed": ("7", 7),
    "folds": ("5", "5"),
    "fold": ("2", 2),
    "fold_file": ("my/folds.csv", "my/folds.csv"),
    "image_size": ("96", 96),
    "normalise": ("unit", "unit"),
    "neighbours": ("0", 0),
    "channel_order": ("bgr", "bgr"),
    "model": ("buda", "buda"),
    "width": ("16", 16),
    "encoder_weights": ("imagenet", "imagenet"),
    "num_epochs": ("3", 3),
    "batch_size": ("8", 8),
    "learning_rate": ("1e-3", 1e-3),
    "optimizer": ("sgd", "sgd"),
    "lr_scheduler": ("plateau", "plateau"),
    "augmentation": ("flips", "flips"),
    "test_flips": ("True", True),
    "sequence_dropout": ("0", 0.0),
    "empty_slices": ("0.5", 0.5),
    "early_stopping": ("4", 4),
    "gradient_clip": ("1.5", 1.5),
    "seed": ("42", 42),
    "models": ("buda,unet", ("buda", "unet")),
    "schedules": ("plateau", ("plateau",)),
    "seeds": ("1,2", (1, 2)),
    "model_settings": ("unet.width=8,unet.seed=1", ("unet.width=8", "unet.seed=1")),
    "margin": ("0.05", 0.05),
    "case_gifs": ("all", "all"),
    "comparison": ("mine", "mine"),
    "run_name": ("first", "first"),
    "runs_dir": ("my/runs", "my/runs"),
    "overwrite": ("True", True),
    "output": ("out", "out"),
    "threshold": ("0.3", 0.3),
    "tune_postprocessing": ("True", True),
    "export": ("onnx", "onnx"),
    "predict": ("scans", "scans"),
    "serve": ("True", True),
    "data": ("nifti", "nifti"),
    "model_path": ("bundle", "bundle"),
    "ensemble": ("True", True),
    "tta": ("True", True),
    "postprocessing": ("largest,fill", "largest,fill"),
    "half": ("True", True),
    "engine": ("onnx", "onnx"),
    "pattern": ("scan*.nii.gz", "scan*.nii.gz"),
    "channels": ("t1=0,flair=1", "t1=0,flair=1"),
    "plane": ("sagittal", "sagittal"),
    "mask_suffix": ("_brain.nii", "_brain.nii"),
    "outputs": ("0.2:_dim.nii", "0.2:_dim.nii"),
    "save_probability": ("True", True),
    "save_uncertainty": ("variance", "variance"),
    "preview": ("True", True),
    "port": ("8000", 8000),
    "gpus": ("0,1", "0,1"),
    "precision": ("bf16", "bf16"),
    "num_workers": ("2", 2),
    "print_config": ("True", True),
    "debug": ("True", True),
}

# What an option makes no sense without.
COMPANIONS = {"fold": {"folds": "7"}}
# What an option switches on besides.
FOLLOWS = {"train": {"test": True}}


def value_of(options: Options, name: str) -> Any:
    """Find an option's value in whichever group holds it."""
    return next(getattr(group, name) for group in vars(options).values() if hasattr(group, name))


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
        (["--seeds", "0,", "1"], "1: belongs to no flag; a value follows its flag"),
        (["--model"], "--model: needs a value"),
        (["--image_path", "--train"], "--image_path: needs a value"),
        (["--batch_size", "0"], "--batch_size 0: must be at least 1"),
        (["--batch_size=many"], "--batch_size many: takes a whole number"),
        (["--learning_rate", "fast"], "--learning_rate fast: takes a number"),
        (["--split", "pateint"], "--split pateint: not one of patient, slice; did you mean patient?"),
        (["--folds", "1"], "--folds 1: takes a number of folds, 2 or more, or patients"),
        (["--folds", "patient"], "--folds patient: takes a number of folds, 2 or more, or patients"),
        (["--fold", "-1"], "--fold -1: must be at least 0"),
        (["--gpus", "zero"], "--gpus zero: takes auto, cpu, or the number of a GPU"),
        (["--lr_scheduler", "cosin"], "did you mean cosine?"),
    ],
)
def test_wrong_flag_is_refused(argv: list[str], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(argv)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--train", "--model", "resnxt"], "--model resnxt: no such model; did you mean resnext?"),
        (["--compare", "--models", "unet,resnxt"], "resnxt: no such model; did you mean resnext?"),
        (["--train", "--image_size", "100"], "--image_size 100: unet needs a multiple of 8"),
        (["--compare", "--models", "resnext", "--image_size", "48"], "--image_size 48: resnext needs"),
        (["--compare", "--run_name", "mine"], "--run_name names one run"),
        (["--compare", "--model", "buda"], "--model is for --train: --compare takes --models"),
        (["--compare", "--lr_scheduler"], "--lr_scheduler is for --train: --compare takes --schedules"),
        (["--compare", "--seed", "1"], "--seed is for --train: --compare takes --seeds"),
        (["--compare", "--folds", "5", "--fold", "1"], "--fold is for --train: --compare takes --folds"),
        (["--train", "--fold", "2"], "--fold 2: there is but one split; add --folds 5, or a --fold_file"),
        (["--train", "--split", "slice", "--folds", "5"], "--split slice has no folds"),
        (["--compare", "--split", "slice", "--fold_file", "a.csv"], "--split slice has no folds"),
        (["--train", "--folds", "5", "--fold_file", "a.csv"], "--folds and --fold_file both say what the folds are"),
    ],
)
def test_options_that_make_no_sense_together(argv: list[str], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(argv)
    assert message in str(refusal.value)


def test_every_bare_word_is_a_choice() -> None:
    for declared in OPTIONS.values():
        description = describe(declared)
        if description.bare:
            assert {description.bare, description.off} <= set(description.choices)


# Each verb as it is given on a command line.
VERB_FLAGS = {verb: [f"--{verb}"] if OPTIONS[verb].type is bool else [f"--{verb}", TABLE[verb][0]] for verb in VERBS}


def test_the_table_of_effects_is_whole() -> None:
    assert list(READ) == list(VERBS)
    known = {one.name for group, kind in GROUPS.items() if group != "verbs" for one in declarations(kind)}
    assert frozenset().union(*READ.values()) | ALWAYS == known


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_without_effect_is_refused_for_every_verb(verb: str) -> None:
    for name in set(TABLE) - set(VERBS) - {"print_config"}:
        beside = [word for key, text in COMPANIONS.get(name, {}).items() for word in (f"--{key}", text)]
        argv = [*VERB_FLAGS[verb], f"--{name}", TABLE[name][0], *(beside if "folds" in READ[verb] else [])]
        try:
            parse(argv)
            refusal = ""
        except UserError as reason:
            refusal = str(reason)
        expected = name not in READ[verb] | ALWAYS
        without_effect = refusal.startswith(f"--{name}") and ("has no effect with" in refusal or "is for" in refusal)
        if name == "fold" and "folds" not in READ[verb]:
            assert refusal
        elif name == "run_name" and verb == "compare":
            assert refusal.startswith("--run_name names one run")
        else:
            assert without_effect == expected, f"{argv}: {refusal}"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["--train", "--channels", "t1=0"],
            "--channels: has no effect with --train; it is for --image_path, --predict",
        ),
        (["--train", "--port", "1"], "--port: has no effect with --train; it is for --serve"),
        (["--predict", "x", "--num_epochs", "1"], "--num_epochs: has no effect with --predict; it is for --train"),
        (["--report", "--seeds", "1"], "--seeds: has no effect with --report; it is for --compare"),
        (["--train", "--explore", "--half"], "--half: has no effect with --train and --explore; it is for --export"),
    ],
)
def test_a_refusal_names_the_flag_and_the_verbs_that_take_it(argv: list[str], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        parse(argv)
    assert str(refusal.value).startswith(message)


def test_what_serves_any_verb_of_a_command_is_taken() -> None:
    options = parse(["--train", "--predict", "scans", "--output", "masks", "--preview", "--num_epochs", "1"])
    assert options.files.preview and options.training.num_epochs == 1


def test_keys_of_a_file_may_serve_other_commands(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("num_epochs: 3\nport: 8000\n")
    assert parse(["--config", str(file), "--predict", "scans"]).training.num_epochs == 3


@pytest.mark.parametrize("argv", [["--mask-suffix", "_x.nii"], ["--mask-suffix=_x.nii"], ["--mask_suffix=_x.nii"]])
def test_hyphens_stand_for_underscores(argv: list[str]) -> None:
    assert parse(argv).files.mask_suffix == "_x.nii"
    assert parse(["--image-size=64", "--run_name", "a-b"]).comparison.run_name == "a-b"


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
