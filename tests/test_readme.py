"""Every command of the README, the tutorial and several other pages is run as printed, in printed order.

They run one after the other in a folder laid out like the checkout, so each finds what those before it left; the README
comes first. Four things differ from a reader's machine: there are fewer made-up patients, the download gives some of
these in place of the real ones, `resnext` is a small net, and trainings that would take long are made short by flags at
the end (`SHORT`). A command of a kind that is not known here fails.
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
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest

from headtohead import cli
from headtohead.cohort.phantom import writing
from headtohead.models.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]
HOW_TO = ("cross-validate", "predict-volumes", "train-a-masker", "serve")
PAGES = ("README.md", "docs/tutorial.md", *(f"docs/how-to/{page}.md" for page in HOW_TO), "data/README.md")
FENCES = {"bash", "text"}  # `text` is for listings, which nobody runs
PROGRAMS = ("python", "python3", "make", "tensorboard", "pip", "source")
PATIENTS = 10  # the first of those that `--make_phantoms` draws
REAL_CASE = "TCGA_CS_4941_19960909"  # which the pages name, with its slice 12
LATER = 6  # by which the slices of a made-up patient are renumbered, so that there is a slice 12
DEMO = "--make_phantoms data/phantoms --compare --config configs/demo.yaml"
SHORT = shlex.split("--num_epochs 1 --image_size 32 --empty_slices 0.05 --gpus cpu --num_workers 0")
# Small nets, and nothing that one model has of its own.
ONE_OF_EACH = ["--schedules", "none", "--width", "4", "--model_settings", "", "--case_gifs", "none"]
FIVE_FOLDS = {"configs/lgg_cv.yaml", "configs/masker.yaml"}  # two are enough to run the command
TESTS = ("-m pytest", '-m "not exhaustive"', "--cov")


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
    """Make a folder that looks like the checkout, with volumes of a user's own beside it."""
    place = tmp_path_factory.mktemp("checkout")
    for name in ("main.py", "src", "configs", "Makefile", "requirements.txt", "requirements-dev.txt"):
        (place / name).symlink_to(ROOT / name)
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


@pytest.fixture
def reader(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sit down in that folder: commands run in this process, which has imported everything already."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setattr(cli.machine, "tune_allocator", lambda: None)
    small = {"builder": MODELS["unet"].builder, "width": 4, "encoder": ""}
    monkeypatch.setitem(MODELS, "resnext", replace(MODELS["resnext"], **small))
    drawn = writing.plan_cases
    monkeypatch.setattr(writing, "plan_cases", lambda parameters: drawn(parameters)[:PATIENTS])
    monkeypatch.setitem(sys.modules, "kagglehub", SimpleNamespace(dataset_download=fetch))
    return place


def fetch(handle: str, output_dir: str) -> str:
    """Unpack made-up patients where Kaggle's archive would be; one has the name that the pages use."""
    archive = Path(output_dir) / "kaggle_3m"
    cases = sorted(Path("data/phantoms").glob("TCGA_*"))
    for case in cases:
        shutil.copytree(case, archive / case.name, copy_function=os.link)
    first = (archive / cases[0].name).rename(archive / REAL_CASE)
    for path in list(first.iterdir()):
        number, *mask = path.stem.removeprefix(f"{cases[0].name}_").split("_")
        path.rename(first / f"{'_'.join([REAL_CASE, str(int(number) + LATER), *mask])}.tif")
    shutil.copy("data/phantoms/data.csv", archive)
    return output_dir


def run(words: list[str], place: Path) -> str:
    """Run a program to its end; give what it printed."""
    done = subprocess.run(
        words,
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,  # no test of speed: only so that nothing hangs for ever
    )
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def run_main(words: list[str], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run `main.py` with these words, a long training made short; the places that it names must be there."""
    status = cli.main([*words, *shortening(words)])
    printed = capsys.readouterr()
    assert status == 0, f"{printed.out[-2000:]}\n{printed.err[-4000:]}"
    if "--help" in words:
        assert "--compare" in printed.out
        return
    if "--print_config" in words:
        assert printed.out.startswith("#")
        return
    drop_spent_checkpoints(place)
    last = printed.out.splitlines()[-1]
    assert last.startswith("results: ")
    for result in last.removeprefix("results: ").split(", "):
        found = place / result
        assert found.is_file() or any(found.iterdir())


def shortening(words: list[str]) -> list[str]:
    """Give the flags that make a long training short; none for any other command, which runs as it is printed."""
    if "--print_config" in words or not {"--compare", "--train"} & set(words) or "trial" in words:
        return []
    flags = list(SHORT)
    if "--compare" in words and "configs/demo.yaml" not in words:
        flags += ONE_OF_EACH
    if set(words) & FIVE_FOLDS:
        flags += ["--folds", "2"]
    return flags


def drop_spent_checkpoints(place: Path) -> None:
    """Free the disk of what only a killed training would need."""
    for last in place.glob("runs/*/*/checkpoints/last.ckpt"):
        if json.loads((last.parents[1] / "run.json").read_text())["status"] in ("trained", "finished"):
            last.unlink()


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


def run_make(target: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    calls = [line.removeprefix(".absent/bin/python main.py ") for line in recipe.splitlines() if "main.py" in line]
    assert calls == [DEMO]
    run_main(shlex.split(DEMO), place, capsys)
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
        requirement = re.split("[#;]", line)[0].strip()
        if requirement:
            name, version = requirement.split("==")
            assert importlib.metadata.version(name).split("+")[0] == version


@pytest.mark.no_cover  # it takes half as long again, and these lines are measured in their own tests
@pytest.mark.parametrize("command", all_commands(), ids=str)
def test_command(command: Command, reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = command.words
    program = words[0].removeprefix(".venv/bin/")
    if words[0] != program:
        assert ".venv" in run(["make", "--dry-run", "--always-make", "install"], reader)
    if program == "make" and len(words) == 2:
        run_make(words[1], reader, capsys)
    elif program == "python" and words[1] == "main.py":
        if shlex.join(words[2:]) == DEMO:
            assert (reader / "runs" / "demo" / "report.html").is_file()  # `make demo` has run the very same
        elif "--serve" in words:
            run_serve(words[2:], reader)
        else:
            run_main(words[2:], reader, capsys)
    elif program == "tensorboard":
        run_tensorboard(words[1:], reader)
    elif words[-3:] == ["install", "-r", "requirements.txt"]:
        check_pins(ROOT / "requirements.txt")
    elif words in (["source", ".venv/bin/activate"], ["python3", "-m", "venv", ".venv"]):
        assert "python3 -m venv .venv" in run(["make", "--dry-run", "--always-make", "install"], reader)
    else:
        pytest.fail(f"{command}: say in this test how such a command is run")


def test_the_program_starts_as_printed(place: Path) -> None:
    assert run([sys.executable, "main.py", "--version"], place).startswith("headtohead ")


def test_nothing_that_a_page_runs_is_left_to_install() -> None:
    """Whatever the pages run, `make demo` has installed: the page's server and the faster engine are no extras."""
    pinned = (ROOT / "requirements.txt").read_text()
    assert all(f"\n{name}==" in pinned for name in ("starlette", "uvicorn", "python-multipart", "openvino"))
    check_pins(ROOT / "requirements.txt")


def test_make_and_the_three_commands_do_the_same() -> None:
    assert [shlex.join(command.words) for command in all_commands()[:5]] == [
        "make demo",
        "make test",
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install -r requirements.txt",
        f".venv/bin/python main.py {DEMO}",
    ]


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
