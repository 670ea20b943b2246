"""Packages that a bare machine lacks: fetched here as wheels, installed there without a network."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = "3.12"
"""Of the machine with the GPU; `--python` names another."""

PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux1")
NOT_NEEDED = frozenset({"kagglehub", "monai", "openvino", "python-multipart", "starlette", "uvicorn"})
"""Of requirements.txt, what only `--download`, `--serve`, MONAI's nets and a processor that predicts ask for."""


def listed(path: Path) -> list[str]:
    """List the requirements of a file, without its comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def name_of(requirement: str) -> str:
    """Give the name of a requirement as packages compare it: `PyYAML==6.0.3` is `pyyaml`."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def fetch(destination: Path, further: list[str], python: str = PYTHON) -> None:
    """Download the wheels of wheels.txt, and further ones, for the Python of the machine with the GPU."""
    destination.mkdir(parents=True, exist_ok=True)
    platforms = [word for name in PLATFORMS for word in ("--platform", f"{name}_x86_64")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", python, "--implementation", "cp", *platforms, "--dest", str(destination)]
    wanted = {name_of(one): one for one in [*listed(HERE / "wheels.txt"), *further]}  # a further one may replace one
    if subprocess.run([*command, *wanted.values()], check=False).returncode:
        sys.exit("wheels: pip could not fetch them; nothing can be installed from an incomplete folder")
    size = sum(wheel.stat().st_size for wheel in destination.glob("*.whl"))
    print(f"wheels: {len(wanted)} wheels for Python {python}, {size / 2**20:.0f} MiB in {destination}")


def install(source: Path, site: Path) -> None:
    """Install all wheels of a folder into `site`, and say what the program would still lack."""
    if wheels := sorted(str(wheel) for wheel in source.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
        if subprocess.run([*command, "--upgrade", "--target", str(site), *wheels], check=False).returncode:
            sys.exit(f"install: pip could not install the wheels of {source}; run `wheels` for this Python again")
    if lacking := missing():
        sys.exit(f"install: this machine lacks {', '.join(lacking)}; fetch them where there is a network: "
                 f"run.sh wheels {' '.join(lacking)}")  # fmt: skip
    versions = {name: metadata.version(name) for name in map(name_of, listed(HERE / "present.txt"))}
    print(f"install: {len(wheels)} wheels in {site}; nothing is missing")
    print(", ".join(f"{name} {version}" for name, version in versions.items()))


def missing() -> list[str]:
    """List what is neither installed nor among the wheels."""
    wanted = map(name_of, [*listed(HERE / "present.txt"), *listed(HERE / "wheels.txt")])
    return [name for name in wanted if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
