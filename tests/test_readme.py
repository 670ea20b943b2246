"""Every command of the README, the tutorial, the data page and several how-to pages is run, in a reader's order.

They run in a folder laid out like the checkout, whose `data/kaggle_3m` holds a few made-up patients. What would take
long is made short by flags at the end of the command (`SHORT`); nothing else is changed. A command of a kind that is
not known here fails.
"""

import importlib.metadata
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest

from headtohead.effects import READ

ROOT = Path(__file__).resolve().parents[1]
HOW_TO = ("cross-validate", "predict-volumes", "train-a-masker", "serve")
PAGES = ("README.md", "docs/tutorial.md", *(f"docs/how-to/{page}.md" for page in HOW_TO), "data/README.md")
FENCES = {"bash", "text"}  # `text` is for listings, which nobody runs
PROGRAMS = ("python", "make", "tensorboard", "pip", "source")
FEW = ["--root_dir", "data/kaggle_3m"]
SHORT = shlex.split("--num_epochs 1 --image_size 32 --empty_slices 0.05 --gpus cpu --num_workers 0")
VOLUMES = ("data/nifti", "configs/masker.yaml")  # a command that names one of these is not about LGG
# Small nets, and nothing that one model has of its own.
ONE_OF_EACH = ["--schedules", "none", "--width", "4", "--model_settings", ""]
FIVE_FOLDS = {"configs/lgg_cv.yaml", "configs/masker.yaml"}  # two show as well that the command does what is said
CASES = 12
TESTS = ("-m pytest", '-m "not exhaustive"', "--cov")

# Puts one made-up patient where Kaggle's archive would be unpacked.
FAKE_KAGGLEHUB = """
import shutil
from pathlib import Path

def dataset_download(handle, output_dir):
    source = sorted(Path("data/phantoms").glob("TCGA_*"))[0]
    shutil.copytree(source, Path(output_dir) / "kaggle_3m" / source.name)
    return output_dir
"""


@dataclass(frozen=True)
class Command:
    """One command and where it stands."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"

    @property
    def words(self) -> list[str]:
        """The words a shell would see."""
        return shlex.split(self.text, comments=True)


def commands_of(page: str, text: str) -> Iterator[Command]:
    """Find the commands of a page: lines of ```bash blocks, and code within a sentence that starts with a program."""
    language, pending, start = None, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            language = line[3:].strip() if language is None else None
            assert language is None or language in FENCES, f"{page}:{number}: block of unknown kind {line}"
        elif language == "bash":
            start = start or number
            pending += line.removesuffix("\\")
            if not line.endswith("\\") and shlex.split(pending, comments=True):
                yield Command(page, start, pending.strip())
            if not line.endswith("\\"):
                pending, start = "", 0
        elif language is None:
            for code in re.findall(r"`([^`]+)`", line):
                words = code.split()
                if len(words) > 1 and Path(words[0]).name in PROGRAMS:
                    yield Command(page, number, code)


def all_commands() -> list[Command]:
    """List the commands of all pages; one that stands on several is run once, where it stands first."""
    first: dict[str, Command] = {}
    for page in PAGES:
        for command in commands_of(page, (ROOT / page).read_text(encoding="utf-8")):
            first.setdefault(shlex.join(command.words), command)
    return list(first.values())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder that looks like a checkout, with made-up patients for data."""
    place = tmp_path_factory.mktemp("checkout")
    for name in ("main.py", "src", "configs", "Makefile", "requirements.txt", "requirements-dev.txt"):
        (place / name).symlink_to(ROOT / name)
    (place / "data").mkdir()
    (place / "fake").mkdir()
    (place / "fake" / "kagglehub.py").write_text(FAKE_KAGGLEHUB)
    run([sys.executable, "main.py", "--make_phantoms", "data/phantoms"], place)
    for case in sorted((place / "data" / "phantoms").glob("TCGA_*"))[:CASES]:
        shutil.copytree(case, place / "data" / "kaggle_3m" / case.name, copy_function=os.link)
    shutil.copy(place / "data" / "phantoms" / "data.csv", place / "data" / "kaggle_3m")
    write_volumes(place / "data")
    return place


def write_volumes(data: Path) -> None:
    """Write what a user of volumes has: scans of any kind to predict, and scans with masks to train on."""
    rng = np.random.default_rng(0)
    names = [
        ("scans", "a.nii"),
        ("scans", "deep/b.nii.gz"),
        *(("nifti", f"sub-{one:02}_T2w.nii.gz") for one in range(6)),
    ]
    for folder, name in names:
        path = data / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((24, 28, 6), np.uint8)
        mask[8:16, 9:20, 1:5] = 1
        values = rng.integers(20, 60, mask.shape) + 100 * mask
        affine = np.diag([1.0, 1.0, 3.0, 1.0])
        nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), affine), path)
        if folder == "nifti":
            nibabel.save(nibabel.Nifti1Image(mask, affine), path.with_name(name.replace("_T2w", "_T2w_mask")))
    case = sorted((data / "phantoms").glob("TCGA_*"))[0]
    shutil.copytree(case, data / "scans" / case.name, copy_function=os.link)


def run(words: list[str], place: Path, **environment: str) -> str:
    """Run a command to its end; give what it printed."""
    done = subprocess.run(
        words,
        cwd=place,
        env=os.environ | {"MPLBACKEND": "Agg"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,  # no test of speed: only so that nothing hangs for ever
    )
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def run_main(words: list[str], place: Path) -> None:
    """Run `main.py` with these words, made short; the places that it names must be there."""
    environment = {}
    if "--print_config" in words:
        assert run([sys.executable, "main.py", *words], place).startswith("#")
        return
    if "--download" in words:
        assert "--root_dir" not in words
        words = [*words, "--root_dir", "data/fetched"]
        environment["PYTHONPATH"] = str(place / "fake")
    else:
        words = [*words, *taken(words, SHORT), *([] if set(words) & set(VOLUMES) else taken(words, FEW))]
        if "--compare" in words and "configs/demo.yaml" not in words:
            words += ONE_OF_EACH
        if set(words) & FIVE_FOLDS:
            words += taken(words, ["--folds", "2"])
    output = run([sys.executable, "main.py", *(stand_in(word, place) for word in words)], place, **environment)
    drop_spent_checkpoints(place)
    last = output.splitlines()[-1]
    assert last.startswith("results: ")
    for result in last.removeprefix("results: ").split(", "):
        found = place / result
        assert found.is_file() or any(found.iterdir())


def taken(words: list[str], flags: list[str]) -> list[str]:
    """Of flags with their values, keep those that a verb of the command takes."""
    verbs = [verb for verb in READ if f"--{verb}" in words]
    pairs = zip(flags[::2], flags[1::2], strict=True)
    return [word for pair in pairs if any(pair[0][2:] in READ[verb] for verb in verbs) for word in pair]


def drop_spent_checkpoints(place: Path) -> None:
    """Free the disk of what only a killed training would need: of the largest net, 375 MB a run."""
    for last in place.glob("runs/*/*/checkpoints/last.ckpt"):
        if json.loads((last.parents[1] / "run.json").read_text())["status"] in ("trained", "finished"):
            last.unlink()


def stand_in(word: str, place: Path) -> str:
    """Name a made-up patient's image in place of a real one's; any other word stays."""
    if not (word.startswith("data/kaggle_3m/") and word.endswith(".tif")):
        return word
    return str(sorted(place.glob("data/phantoms/TCGA_*/*_mask.tif"))[0].relative_to(place)).replace("_mask", "")


def run_serve(words: list[str], place: Path) -> None:
    """Open the page on a free port, look at it, and stop it as a user does."""
    command = [sys.executable, "-u", "main.py", *words, "--port", "0"]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"Head-to-Head" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def run_make(target: str, place: Path) -> None:
    """Run what a target of the Makefile runs, but into this environment; tests do not run themselves."""
    if target == "help":
        assert "make demo" in run(["make", "help"], place)
        return
    recipe = run(["make", "--dry-run", target, "VENV=.absent"], place)
    assert "-m venv .absent" in recipe
    assert "-m pip install --quiet --requirement requirements.txt" in recipe
    runs = {"install": (), "test": TESTS, "test-all": TESTS, "lint": ("ruff check", "ruff format --check", "mypy")}
    if target in runs:
        assert all(command in recipe for command in runs[target])
        return
    assert target == "demo", f"make {target}: no such target in the tests of the pages"
    calls = [shlex.split(line) for line in recipe.splitlines() if "main.py" in line]
    assert calls
    for call in calls:
        assert call[:2] == [".absent/bin/python", "main.py"]
        run_main(call[2:], place)
    table = re.search(r"^echo \"table +(\S+)\"$", recipe, re.MULTILINE)
    assert table
    assert (place / table[1]).is_file()


def run_tensorboard(words: list[str], place: Path) -> None:
    """Let TensorBoard read the folder and say what it found there, in place of serving it."""
    output = run([sys.executable, "-m", "tensorboard.main", "--inspect", *words], place)
    assert "dice/val" in output
    assert "dice/train" in output


def check_pins(requirements: Path) -> None:
    """Hold an installation command to what it would install: exact pins, and those that are tested here."""
    for line in requirements.read_text().splitlines():
        requirement = line.split("#")[0].strip()
        if requirement:
            name, version = requirement.split("==")
            assert importlib.metadata.version(name).split("+")[0] == version


@pytest.mark.parametrize("command", all_commands(), ids=str)
def test_command(command: Command, place: Path) -> None:
    words = command.words
    program = words[0].removeprefix(".venv/bin/")
    if words[0] != program:
        assert ".venv" in run(["make", "--dry-run", "--always-make", "install"], place)
    if program == "make" and len(words) == 2:
        run_make(words[1], place)
    elif words[:2] == ["python", "main.py"]:
        if "--serve" in words:
            run_serve(words[2:], place)
        elif words[2:] != ["--help"]:
            run_main(words[2:], place)
        else:
            assert "--compare" in run([sys.executable, "main.py", "--help"], place)
    elif program == "tensorboard":
        run_tensorboard(words[1:], place)
    elif words == ["pip", "install", "-r", "requirements.txt"]:
        check_pins(ROOT / "requirements.txt")
    elif words[:2] == ["pip", "install"]:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"].values()
        names = [{re.split(r"[^\w-]", one)[0] for one in extra} for extra in extras]
        assert set(words[2:]) in names, "not what an extra of the package installs"
    elif words == ["source", ".venv/bin/activate"]:
        assert "-m venv .venv" in run(["make", "--dry-run", "--always-make", "install"], place)
    else:
        pytest.fail(f"{command}: say in this test how such a command is run")


def test_pins_are_what_is_tested() -> None:
    check_pins(ROOT / "requirements.txt")


def test_commands_are_found() -> None:
    shell = "```bash\nmake demo  # minutes\n\nmake \\\n  test\n```\n"
    page = f"Give `make help` or `main.py`.\n{shell}```text\nmake lunch\n```\n"
    assert [(one.line, shlex.join(one.words)) for one in commands_of("x.md", page)] == [
        (1, "make help"),
        (3, "make demo"),
        (5, "make test"),
    ]


def test_the_pages_have_the_main_commands() -> None:
    found = {shlex.join(command.words) for command in all_commands()}
    assert {"make demo", "make test", "python main.py --train --model resnext"} <= found
    assert any("--compare --config configs/lgg.yaml" in one for one in found)
    assert any("--image_path" in one for one in found)


def test_make_help_lists_every_target() -> None:
    listed = run(["make", "help"], ROOT)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert sorted(re.findall(r"^  make (\S+)", listed, re.MULTILINE)) == sorted(phony[1].split())
