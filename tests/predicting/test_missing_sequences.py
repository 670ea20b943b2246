"""A sequence that is missing: the one that the task names stands in for it, or the case is refused in one line."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.predicting import image as module
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.predictor import open_predictor
from headtohead.predicting.trust.geometry import doubts_of_scan
from headtohead.task import Task
from headtohead.trained.facts import ModelFacts
from tests.predicting.conftest import FACTS, Brightness
from tests.predicting.scans import Predict, files_in, head

FOUR = replace(FACTS, task=Task("BraTS", ("pre", "post", "t2", "flair"), "flair", FACTS.task.targets))
LACKING = "the model needs T1 and T1+contrast and T2 of the same case, too; put X_t1.nii.gz, X_t1c.nii.gz, X_t2.nii.gz"


def refusal(source: Path, facts: ModelFacts = FOUR, channels: str = "") -> str:
    [job] = find_jobs(source, "", facts.task, ())
    with pytest.raises(UserError) as refused:
        read_scan(job, facts, channels, "auto")
    return str(refused.value)


def test_a_case_that_lacks_sequences_fails_alone(
    tmp_path: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    head(tmp_path / "in/a_flair.nii.gz")
    for end in ("flair", "t1", "t1ce", "t2"):
        head(tmp_path / f"in/b_{end}.nii.gz")
    assert predict(predictor=Brightness(facts=FOUR)) == 1
    said = capsys.readouterr()
    assert f"error: a_flair: named as FLAIR, but {LACKING} beside it\n" in said.err
    assert "used in" not in said.out and "1 of 2" in said.err
    assert "b_flair_mask.nii.gz" in files_in(tmp_path / "out")
    assert "a_flair_mask.nii.gz" not in files_in(tmp_path / "out")


def test_one_image_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = head(tmp_path / "x.nii.gz"), tmp_path / "out"
    monkeypatch.setattr(module, "open_predictor", lambda *_, **__: Brightness(facts=FOUR))
    with pytest.raises(UserError) as refused:
        module.predict_image(from_flat({"image_path": str(path), "output": str(out)}))
    mend = f"{path}: taken as FLAIR, but {LACKING} beside it, and name this one X_flair.nii.gz"
    assert str(refused.value) == mend and not out.exists()


def test_the_line_says_what_is_there_and_how_to_mend_it(tmp_path: Path, save: Callable) -> None:
    path = head(tmp_path / "a/x_flair.nii.gz")
    head(tmp_path / "a/x_t1.nii.gz")
    assert refusal(path.parent) == (
        f"{path}: no T1+contrast or T2 among the files of this case, x_flair.nii.gz (FLAIR), x_t1.nii.gz (T1), but the "
        "model needs T1+contrast and T2; put X_t1c.nii.gz, X_t2.nii.gz beside them"
    )
    alone = head(tmp_path / "b/x_t1.nii.gz")
    assert refusal(alone) == (
        f"{alone}: named as T1, but the model needs T1+contrast and T2 and FLAIR; put X_t1c.nii.gz, X_t2.nii.gz, "
        "X_flair.nii.gz of the same case beside it"
    )
    several = save("c/x.nii.gz", np.ones((6, 6, 4, 2), np.int16))
    assert refusal(several, channels="flair=0,t1=1").endswith(
        "`channels` names no T1+contrast or T2, but the model needs T1+contrast and T2; add t1c=NUMBER,t2=NUMBER"
    )


def test_of_channels_of_nnunet_too(tmp_path: Path) -> None:
    for number in (0, 2, 3):
        head(tmp_path / f"in/a_{number:04d}.nii.gz")
    names = '{"channel_names": {"0": "T1", "1": "T1ce", "2": "T2", "3": "FLAIR"}}'
    (tmp_path / "in/dataset.json").write_text(names)
    line = refusal(tmp_path / "in")
    assert "no T1+contrast among the files of this case, a_0003.nii.gz (FLAIR), a_0000.nii.gz (T1), a_0002" in line
    assert line.endswith("the model needs T1+contrast; put the files of those channels beside them")


def test_of_sequences_without_a_word_too(save: Callable) -> None:
    nameless = replace(FACTS, task=Task("nn", ("channel 0", "channel 1"), "channel 0", FACTS.task.targets))
    line = refusal(save("x.nii.gz", np.ones((6, 6, 4, 2), np.int16)), nameless, "channel 0=0")
    assert line.endswith("`channels` names no CHANNEL 1, but the model needs CHANNEL 1; add channel 1=NUMBER")


def test_the_sequence_that_the_task_names_stands_in(tmp_path: Path, save: Callable) -> None:
    rng = np.random.default_rng(0)
    for end in ("flair", "t2"):
        save(f"in/x_{end}.nii.gz", rng.integers(1, 1000, (6, 7, 4), dtype=np.int16))
    three = replace(FACTS, task=Task("three", ("post", "flair", "t2"), "flair", FACTS.task.targets, {"post": "t2"}))
    [job] = find_jobs(tmp_path / "in", "", three.task, ())
    scan = read_scan(job, three, "", "auto")
    np.testing.assert_array_equal(scan.volume[..., 0], scan.volume[..., 2])
    assert (scan.volume[..., 0] != scan.volume[..., 1]).any()
    assert doubts_of_scan(scan, three.task) == ["no T1+contrast; T2 was used in its place"]
    (tmp_path / "in/x_t2.nii.gz").unlink()
    assert "but the model needs T2 of the same case, too" in refusal(tmp_path / "in", three)


def test_nobody_has_to_bring_what_a_model_is_not_shown(make_run: Callable, tmp_path: Path, save: Callable) -> None:
    """`inputs`: of two models that are averaged, what either is shown is asked for; the others change nothing."""
    rng, names = np.random.default_rng(0), {"flair": "flair", "t1": "pre", "t1ce": "post", "t2": "t2"}
    for end in names:
        save(f"in/x_{end}.nii.gz", rng.integers(1, 1000, (40, 30, 4), dtype=np.int16))
    task = replace(FOUR.task, sequences=tuple(names.values()))
    shown = {"a": (0, 1), "b": (0, 3)}
    for name, channels in shown.items():
        recipe = {"image_size": 32, "normalise": "unit", "neighbours": 0, "primary": 0, "sequences": 4}
        chosen = replace(
            FOUR, model="buda", width=4, in_channels=2, recipe=recipe | {"shown": list(channels)}, task=task
        )
        folder = make_run(name, net_channels=2).path
        chosen.write(folder)

    def opened(name: str) -> Any:
        return open_predictor(from_flat({"runs_dir": str(tmp_path / "runs"), "run_name": name, "gpus": "cpu"}))

    def asked(predictor: Any) -> tuple[np.ndarray, list[str]]:
        [job] = find_jobs(tmp_path / "in", "", predictor.facts.task, ())
        scan = read_scan(job, predictor.facts, "", "auto")
        return predictor(scan).probability, doubts_of_scan(scan, predictor.facts.task, predictor.idle)

    whole, said = asked(opened("a"))
    assert not said and opened("a").idle == {"post", "t2"} and opened("a,b").idle == {"post"}
    for end in ("t1ce", "t2"):
        (tmp_path / f"in/x_{end}.nii.gz").unlink()
    found, said = asked(opened("a"))
    np.testing.assert_array_equal(found, whole)
    assert not said and found.std() > 0
    with pytest.raises(UserError, match="the model needs T2; put X_t2"):
        asked(opened("a,b"))
    (tmp_path / "in/x_t1.nii.gz").unlink()
    with pytest.raises(UserError, match="the model needs T1 of the same case"):
        asked(opened("a"))
