"""An installed copy does all that the checkout does: built as a wheel, called as `headtohead` from an empty folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from headtohead.scoring.protocol import PROTOCOL
from tests.tree.source import PACKAGE, ROOT

NO_CODE = {".css", ".j2", ".js", ".json", ".md", ".onnx", ".safetensors", ".csv", ".yaml"}
"""Ends of the names of what is no module and must be in the wheel all the same."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what it is made of, since building leaves its own files there."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    made = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("src", "configs"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=made)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    words = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(built)]
    subprocess.run([sys.executable, "-m", "pip", *words, str(source)], check=True, capture_output=True)
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into an environment of its own, which sees the packages of this one. Gives the folder of programs."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    programs = place / "bin"
    words = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    subprocess.run([*pip, *words], check=True, capture_output=True)
    [packages] = place.glob("lib/*/site-packages")
    (packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    return programs


@pytest.mark.exhaustive
def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("headtohead/")}
    needed = [
        path for path in PACKAGE.rglob("*") if path.suffix in NO_CODE | {".py"} and "__pycache__" not in path.parts
    ]
    needed += (PACKAGE / "configs").glob("*.yaml")
    names = {f"headtohead/{path.relative_to(PACKAGE).as_posix()}" for path in needed}
    assert {"headtohead/shipped/lgg-small/model.onnx", "headtohead/configs/demo.yaml"} <= names
    assert packed == names


def write_masks(folder: Path) -> dict[tuple[str, str], float]:
    """Write two cases as a truth and as two programs found them. Gives the Dice by program and case."""
    expected = {}
    for case, side in (("a", 4), ("b", 6)):
        truth = np.zeros((12, 12, 3), np.uint8)
        truth[2 : 2 + side, 2 : 2 + side] = 1
        for program, moved in (("truth", 0), ("first", 0), ("second", 1)):
            (folder / program).mkdir(exist_ok=True)
            mask = np.roll(truth, moved, axis=0)
            nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), folder / program / f"{case}.nii.gz")
            expected[program, case] = 2 * int((mask & truth).sum()) / int(mask.sum() + truth.sum())
    return {key: dice for key, dice in expected.items() if key[0] != "truth"}


@pytest.mark.exhaustive
def test_an_installed_copy_works_from_any_folder(
    installed: Path, comparison: Path, write_run: Any, tmp_path: Path
) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV"))}

    def run(program: str, *words: str) -> str:
        command = [str(installed / program), *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    assert "--compare" in run("headtohead", "--help")
    assert "results: data/phantoms" in run("headtohead", "--make_phantoms", "data/phantoms")
    case = min((tmp_path / "data" / "phantoms").glob("TCGA_*"))
    assert "results: masks" in run("headtohead", "--predict", str(case), "--output", "masks")
    assert list((tmp_path / "masks").rglob("*_mask.tif"))

    assert run("headtohead", "--print_config", "--config", "demo").count("comparison: demo") == 1
    now = {"protocol": PROTOCOL, "data": {"key": "d1", "root": str(tmp_path / "gone")}}
    write_run("unet", counts=[(5, 1, 1), (6, 2, 2), (7, 9, 9), (1, 0, 9)], **now)
    write_run("buda", counts=[(5, 2, 1), (6, 3, 2), (7, 9, 8), (2, 0, 9)], **now)
    assert "results: runs/lgg" in run("headtohead", "--report")
    page = (comparison / "report.html").read_text(encoding="utf-8")
    assert "<style>" in page and "buda, no schedule" in page

    expected = write_masks(tmp_path)
    words = ["--score", "--truth", "truth", "--masks", "first=first,second=second", "--comparison", "anybodys"]
    assert "results: runs/anybodys" in run("headtohead", *words)
    scored = pd.read_csv(tmp_path / "runs" / "anybodys" / "cases.csv")
    assert {(row["model"], row["case"]): row["dice"] for row in scored.to_dict("records")} == pytest.approx(expected)
    assert "second" in (tmp_path / "runs" / "anybodys" / "report.html").read_text(encoding="utf-8")

    program = (
        "import headtohead, pathlib, sys; print(pathlib.Path(headtohead.__file__).is_relative_to(sys.prefix));"
        f"print(len(headtohead.predict({str(case)!r}, 'again', model_path=sys.argv[1]).cases))"
    )
    shipped = next(installed.parent.glob("lib/*/site-packages/headtohead/shipped/lgg-small"))
    lines = run("python", "-c", program, str(shipped)).splitlines()
    assert lines[0] == "True" and lines[-1] == "1"
    masks = [path.relative_to(tmp_path / "masks") for path in (tmp_path / "masks").rglob("*_mask.tif")]
    assert all((tmp_path / "again" / name).read_bytes() == (tmp_path / "masks" / name).read_bytes() for name in masks)
