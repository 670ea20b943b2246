"""run.json says where a result comes from."""

import json
import subprocess
from pathlib import Path

import pytest

from headtohead import __version__
from headtohead.batches.folds import make_folds
from headtohead.batches.splits import make_split
from headtohead.cohort import Cohort
from headtohead.comparing import provenance as module
from headtohead.comparing.provenance import PROTOCOL, git_commit, now, provenance
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.lgg import TASK as LGG_TASK


def test_names_data_split_protocol_and_machine(phantom_cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["main.py", "--train", "--root_dir", "my data"])
    split = make_split(phantom_cohort, "slice", 3)
    facts = provenance(phantom_cohort, split, InputRecipe(32, "unit", 2), "mine")
    assert json.loads(json.dumps(facts)) == facts, "it is written as JSON"
    assert (facts["comparison"], facts["protocol"]) == ("mine", PROTOCOL)
    assert facts["command"] == "python main.py --train --root_dir 'my data'"
    assert facts["data"] == {
        "kind": "lgg",
        "task": LGG_TASK.to_dict(),
        "made_up": True,
        "patient_pattern": "",
        "root": str(phantom_cohort.root),
        "key": phantom_cohort.key,
        "cases": 12,
        "slices": phantom_cohort.n_slices,
    }
    sizes = {part: len(getattr(split, part)) for part in ("train", "val", "test")}
    leaking = split.leaking_patients(phantom_cohort)
    assert leaking > 0
    alone = {"plan": "", "folds": 1}
    assert facts["split"] == {
        "kind": "slice",
        "seed": 3,
        "key": split.key,
        **alone,
        **sizes,
        "leaking_patients": leaking,
    }
    assert facts["recipe"] == {"image_size": 32, "normalise": "unit", "neighbours": 2}
    assert facts["versions"]["headtohead"] == __version__
    assert {"python", "torch", "pytorch-lightning"} <= facts["versions"].keys()
    assert {"processor", "cores", "memory"} <= facts["hardware"].keys()
    assert not facts["versions"].keys() & facts["hardware"].keys()


def test_a_fold_names_its_table(phantom_cohort: Cohort) -> None:
    folds = make_folds(phantom_cohort, "3", seed=2)
    one, other = (
        provenance(phantom_cohort, folds.split(phantom_cohort, k), InputRecipe(32, "unit", 0), "m")["split"]
        for k in (0, 2)
    )
    assert (one["plan"], one["folds"]) == (other["plan"], other["folds"]) == (folds.key, 3)
    assert one["key"] != other["key"]
    assert one["leaking_patients"] == other["leaking_patients"] == 0


def git(folder: Path, *words: str) -> str:
    name = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    return subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_commit_and_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "code.py"
    code.write_text("one")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    monkeypatch.setattr(module, "__file__", str(code))
    commit = git(tmp_path, "rev-parse", "HEAD")[:12]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "result").touch()  # results are no change of the code
    assert git_commit() == commit
    code.write_text("two")
    assert git_commit() == f"{commit} with local changes"


def test_outside_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "code.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == ""


def test_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_commit() == ""


def test_time_is_utc() -> None:
    assert now().endswith("+00:00") and len(now()) == 25
