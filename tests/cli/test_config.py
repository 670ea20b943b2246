"""YAML files: they mean the same as flags, lose to flags, and come out of --print_config as they went in."""

from pathlib import Path

import pytest

from headtohead.cli import main
from headtohead.errors import UserError
from headtohead.parsing import parse
from tests.tree.source import ROOT

MANY = [
    "--train", "--lr_scheduler", "--learning_rate", "1e-5", "--gpus", "0,1", "--explore", "--run_name", "010",
    "--output", "a folder: with # odd 'signs'", "--precision", "32", "--root_dir", "Daten/Köpfe",
]  # fmt: skip
GRID = ["--compare", "--models", "buda,unet", "--seeds", "1,2"]


def write(folder: Path, text: str, name: str = "my.yaml") -> str:
    """Write a YAML file and give its path as a flag takes it."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize(
    "argv",
    [[], MANY, ["--compare", "--models", "buda,unet", "--seeds", "1,2"], ["--view_aug", "--image_path", __file__]],
)
def test_print_config_round_trips(argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*argv, "--print_config"]) == 0
    printed = capsys.readouterr().out
    file = write(tmp_path, printed)
    assert parse(["--config", file]) == parse(argv)
    assert main(["--config", file, "--print_config"]) == 0
    assert capsys.readouterr().out == printed


def test_printed_config_says_what_each_option_means(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--print_config"])
    printed = capsys.readouterr().out
    assert "\n# Training.\n" in printed
    assert "\nbatch_size: 32 " in printed
    assert "# slices in a batch\n" in printed


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "seed: 1\nbatch_size: 4\ntrain: true\n")
    options = parse(["--config", file, "--seed", "2", "--train=False"])
    assert (options.training.seed, options.training.batch_size, options.verbs.train) == (2, 4, False)


def test_yaml_spellings(tmp_path: Path) -> None:
    text = "lr_scheduler: yes\nlearning_rate: 5e-4\nseeds: [0, 1]\nmodels: unet,buda\ngpus: 0\nprecision: 32\n"
    options = parse(["--config", write(tmp_path, text)])
    assert options.training.lr_scheduler == "cosine"
    assert options.training.learning_rate == 5e-4
    assert options.comparison.seeds == (0, 1)
    assert options.comparison.models == ("unet", "buda")
    assert (options.machine.gpus, options.machine.precision) == ("0", "32")


@pytest.mark.parametrize("verb", ["--train", "--test"])
def test_one_run_of_a_compared_model(verb: str, tmp_path: Path) -> None:
    """The file of a comparison of one model means that model, not the default one."""
    alone, several = (
        write(tmp_path, "models: buda\n", "one.yaml"),
        write(tmp_path, "models: buda,resnext\n", "two.yaml"),
    )
    assert parse([verb, "--config", alone]).model.architecture == "buda"
    assert parse([verb, "--config", alone, "--model", "resnext"]).model.architecture == "resnext"
    assert parse([verb, "--config", write(tmp_path, "models: buda,unet\n")]).model.architecture == "unet"
    with pytest.raises(UserError, match=r"two\.yaml: compares buda, resnext; name one of them by --model"):
        parse([verb, "--config", several])
    parse(["--test", "--run_name", "mine", "--config", several])


def test_file_builds_on_another(tmp_path: Path) -> None:
    base = write(tmp_path, "seed: 1\nbatch_size: 4\n", "base.yaml")
    options = parse(["--config", write(tmp_path, f"config: {base}\nseed: 2\n")])
    assert (options.training.seed, options.training.batch_size) == (2, 4)


def test_file_that_builds_on_itself_is_refused(tmp_path: Path) -> None:
    file = str(tmp_path / "my.yaml")
    write(tmp_path, f"config: {file}\n")
    with pytest.raises(UserError, match="includes itself"):
        parse(["--config", file])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batchsize: 4\n", "my.yaml: batchsize: no such option; did you mean batch_size?"),
        ("1: 4\n", "my.yaml: 1: no such option"),
        ("batch_size: many\n", "my.yaml: batch_size many: takes a whole number"),
        ("batch_size: 0\n", "my.yaml: batch_size 0: must be at least 1"),
        ("batch_size:\n", "my.yaml: batch_size: needs a value"),
        ("train: perhaps\n", "my.yaml: train perhaps: takes True or False"),
        ("run_name: no\n", "my.yaml: run_name False: takes text; in YAML, put it in quotes"),
        ("training:\n  seed: 1\n", "my.yaml: training: no such option"),
        ("- seed\n", "my.yaml: must consist of lines of the form key: value"),
        ("", "my.yaml: must consist of lines of the form key: value"),
        ("seed: 1\n  batch_size: [\n", "my.yaml: line 2: not valid YAML"),
    ],
)
def test_wrong_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        parse(["--config", write(tmp_path, text)])
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"^`config` nowhere.yaml: no such file; check the path, or name .*: brats, brats_t1ce, buda, "
    ):
        parse(["--config", "nowhere.yaml"])
    with pytest.raises(UserError, match=r": is a directory; correct the file$"):
        parse(["--config", str(tmp_path)])


@pytest.mark.parametrize("name", ["demo", "lgg_cv"])
def test_a_shipped_file_goes_by_its_bare_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_path = parse(["--config", str(ROOT / "configs" / f"{name}.yaml")])
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()  # no file
    assert parse(["--config", name]) == by_path
    (tmp_path / "my.yaml").write_text(f"config: {name}\nseed: 5\n")
    assert parse(["--config", "my.yaml"]) == parse(["--config", name, "--seed", "5"])
    (tmp_path / name).rmdir()
    (tmp_path / name).write_text("seed: 7\n")
    assert parse(["--config", name]).training.seed == 7  # a file of the user's wins


@pytest.mark.parametrize("name", ["../demo", "demo.yml", "demo2", "sub/demo", ".."])
def test_only_a_bare_name_is_looked_up_among_the_shipped_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^`config` "):
        parse(["--config", name])
