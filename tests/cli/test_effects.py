"""An option that no verb of a command reads is refused."""

from pathlib import Path

import pytest

from headtohead.cli import VERBS
from headtohead.effects import ALWAYS, READ
from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS, OPTIONS
from headtohead.parsing import parse
from tests.cli.every_option import COMPANIONS, TABLE

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
            refusal = as_flags(reason)
        expected = name not in READ[verb] | ALWAYS
        without_effect = refusal.startswith(f"--{name}") and ("has no effect with" in refusal or "is for" in refusal)
        if name == "fold" and "folds" not in READ[verb]:
            assert refusal
        elif name == "run_name" and verb == "compare":
            assert refusal.startswith("--run_name: --compare makes many runs")
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
    assert as_flags(refusal.value).startswith(message)


def test_what_serves_any_verb_of_a_command_is_taken() -> None:
    options = parse(["--train", "--predict", "scans", "--output", "masks", "--preview", "--num_epochs", "1"])
    assert options.files.preview and options.training.num_epochs == 1


def test_keys_of_a_file_may_serve_other_commands(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("num_epochs: 3\nport: 8000\n")
    assert parse(["--config", str(file), "--predict", "scans"]).training.num_epochs == 3
