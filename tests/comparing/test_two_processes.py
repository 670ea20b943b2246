"""The advertised use of two GPUs: the same `--compare` twice at once, on one comparison."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from headtohead.runs.folder import RunFolder

MAIN = Path(__file__).resolve().parents[2] / "main.py"
TINY = {
    "models": "buda,unet",
    "schedules": "none",
    "seeds": "0,1",
    "width": "2",
    "image_size": "32",
    "num_epochs": "1",
    "batch_size": "32",
    "empty_slices": "0.1",
    "gpus": "cpu",
    "num_workers": "0",
    "comparison": "both",
    "case_gifs": "all",
}


@pytest.mark.exhaustive
def test_two_processes_share_a_grid_and_its_report(phantom_root: Path, cache_dir: Path, tmp_path: Path) -> None:
    flags = TINY | {"root_dir": str(phantom_root), "cache_dir": str(cache_dir), "runs_dir": str(tmp_path / "runs")}
    command = [sys.executable, str(MAIN), "--compare", *(f"--{name}={value}" for name, value in flags.items())]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def both(*more: str) -> list[str]:
        """Run it twice at once; give what each printed."""
        began = [
            subprocess.Popen(
                [*command, *more], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for _ in range(2)
        ]
        ended = [process.communicate(timeout=300)[0] for process in began]
        assert [process.returncode for process in began] == [0, 0], ended
        return ended

    def epochs_trained(printed: list[str]) -> list[str]:
        lines = "\n".join(printed).splitlines()
        return sorted(line.split(":")[0] for line in lines if ": epoch 1/1" in line)

    names = sorted(f"{model}-none-s{seed}-f0" for model in ("buda", "unet") for seed in (0, 1))
    folder = tmp_path / "runs" / "both"
    assert epochs_trained(both()) == names
    made = {name: RunFolder(folder / name).made() for name in names}
    assert epochs_trained(both("--overwrite")) == names, "each once, by one of the two"
    for name in names:
        assert RunFolder(folder / name).record()["status"] == "finished"
        assert RunFolder(folder / name).made() != made[name]
    entrants = {f"{model} none{ensemble}" for model in ("buda", "unet") for ensemble in ("", ", ensemble of 2 seeds")}
    assert set(pd.read_csv(folder / "results.csv")["entrant"]) == entrants | {"flair-threshold"}
    assert len(list(folder.glob("figures/cases/*.gif"))) and (folder / "report.html").is_file()
    assert len(list(folder.glob("events.*.layout"))) == 1
    assert not list(tmp_path.rglob(".writing-*"))
