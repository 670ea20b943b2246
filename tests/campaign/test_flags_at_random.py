"""Command lines from a grammar: real flags and near misses, with values that fit and values that do not."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead import cli
from headtohead.options.declaring import description_of
from headtohead.options.table import OPTIONS
from tests.campaign.conftest import Attacks
from tests.campaign.judging import attack
from tests.cli.every_option import TABLE

pytestmark = pytest.mark.exhaustive

VERBS = ("--train", "--test", "--compare", "--report", "--explore", "--view_aug", "--export", "--serve",
         "--predict", "--image_path", "--tune_postprocessing", "--make_phantoms")  # fmt: skip
ODD = ("", "0", "-1", "1e400", "nan", "9" * 20, "9" * 5000, "x" * 5000, "\x1b[31mred", "a,b", "1,,2", ",",
       "..", "../..", "/dev/null", "/", "~", "*", "None", "True", "1/0", "é", "\udcff", "0:.nii",
       "a=b", "--", "-")  # fmt: skip


def command_line(rng: random.Random, files: Path) -> list[str]:
    """Draw a verb or two and some flags."""
    words = list(rng.choices(VERBS, k=rng.choice((1, 1, 1, 2))))
    for _ in range(rng.choice((0, 1, 2, 3, 6))):
        name = rng.choice([name for name in OPTIONS if name != "debug"])  # which prints more than a line
        flag = f"--{name.replace('_', '-') if rng.random() < 0.2 else name}"
        if rng.random() < 0.05:
            flag = flag[:-1]
        kind = rng.random()
        known = TABLE[name][0] if name in TABLE else ""
        value = known if kind < 0.5 else rng.choice((*description_of(OPTIONS[name]).choices, *ODD))
        if name in ("predict", "image_path", "config", "model_path", "fold_file") and kind < 0.5:
            value = str(rng.choice(sorted(files.iterdir())))
        words += [flag] if rng.random() < 0.1 else [f"{flag}={value}"] if rng.random() < 0.5 else [flag, value]
    return words


def test_flags_at_random(
    tmp_path: Path,
    attacks: Attacks,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    record_property: Callable[..., None],
) -> None:
    """Nothing is carried out: only what the command line is taken for counts here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "run_verb", lambda verb, options: None)
    (tmp_path / "data" / "kaggle_3m").mkdir(parents=True)
    files = tmp_path / "files"
    (files / "folder").mkdir(parents=True)
    for name, text in (
        ("a.yaml", "folds: 5\n"),
        ("b.yaml", "train: yes\n? ["),
        ("c.nii", ""),
        ("d.csv", "case,fold\n"),
    ):
        (files / name).write_text(text)
    ended = {0: 0, 1: 0, 2: 0}
    for attempt in attacks(4000):
        words = command_line(random.Random(f"flags {attempt}"), files)
        ended[attack(words, tmp_path, capfd, f"flags {attempt}")] += 1
    record_property("campaign", f"flags: {sum(ended.values())} command lines, {ended[2]} refused, {ended[0]} taken")
