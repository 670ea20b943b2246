"""Which run predicts: the best one, the named one, or a clear word that there is none."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.options import from_flat
from headtohead.predicting import choosing
from headtohead.predicting.choosing import Choice, choose_models, part_of_case, part_of_split, seen_before
from headtohead.predicting.files.grouping import Job
from headtohead.runs.folder import RunFolder
from headtohead.trained.facts import ModelFacts, read_facts
from headtohead.trained.source import Source, open_source

MakeRun = Callable[..., RunFolder]
IMAGE = Path("image.png")


def choose(folder: Path, image: Path = IMAGE, **settings: Any) -> Choice:
    """Choose one model among the runs of a test's folder."""
    (choice,) = choose_several(folder, image, **settings)
    return choice


def choose_several(folder: Path, image: Path = IMAGE, **settings: Any) -> list[Choice]:
    """Choose models among the runs of a test's folder."""
    return choose_models(from_flat({"runs_dir": str(folder / "runs"), **settings}), image)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle in place of the one that comes with the program."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    recipe = {"image_size": 32, "normalise": "inner", "neighbours": 1}
    ModelFacts("ours", "buda", 4, 5, recipe).write(folder)
    monkeypatch.setattr(choosing, "SHIPPED", folder)
    return folder


def test_best_validation_dice_wins(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("good", dice=0.7)
    best = make_run("best", "other", dice=0.9)
    make_run("unscored", dice=None)
    make_run("undefined", dice=float("nan"))
    make_run("half", dice=0.99, status="running")
    make_run("broken", dice=0.99, status="failed")
    choice = choose(tmp_path)
    assert choice.run == best
    assert choice.name == "other/best"
    assert choice.reason == "best validation Dice 0.900 of 4 trained runs"


def test_runs_without_a_model_or_with_a_damaged_record_are_passed_over(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("baseline", dice=0.99).best.unlink()
    (make_run("damaged").path / "run.json").write_text("{")
    good = make_run("good", dice=0.2)
    assert choose(tmp_path).run == good
    assert choose(tmp_path).reason == "the only trained run"


def test_run_of_the_same_data_set_goes_first(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("phantoms", dice=0.95)
    own = make_run("real", dice=0.8, root=tmp_path / "lgg")
    image = tmp_path / "lgg" / "case" / "case_1.tif"
    assert choose(tmp_path, image).run == own
    assert choose(tmp_path).name.split("/")[1] == "phantoms"


def test_comparison_narrows(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("best", "demo", dice=0.9)
    other = make_run("good", "lgg", dice=0.8)
    assert choose(tmp_path, comparison="lgg").run == other
    with pytest.raises(UserError, match=r"no trained model in .*nothing; train one first: --train"):
        choose(tmp_path, comparison="nothing")


def test_named_run(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("best", dice=0.9)
    named = make_run("mine", dice=0.1, status="running")
    assert choose(tmp_path, run_name="mine").run == named
    with pytest.raises(UserError, match=r"--run_name mime: no such run in .*; there are: best, mine"):
        choose(tmp_path, run_name="mime")
    named.best.unlink()
    with pytest.raises(UserError, match="holds no trained model yet"):
        choose(tmp_path, run_name="mine")


def test_one_name_in_several_comparisons(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("twin", "a")
    second = make_run("twin", "b")
    with pytest.raises(UserError, match="one in each of a, b; choose with --comparison"):
        choose(tmp_path, run_name="twin")
    assert choose(tmp_path, run_name="twin", comparison="b").run == second


def test_nothing_trained(tmp_path: Path, shipped: Path) -> None:
    choice = choose(tmp_path)
    assert (choice.name, choice.run, choice.source.folder) == ("ours", None, shipped)
    assert choice.reason == "shipped with the program; no run is trained here"
    assert part_of_split(choice, tmp_path / "c" / "c_1.tif", 0) == ""
    with pytest.raises(UserError, match="train first: --train"):
        choose(tmp_path, run_name="mine")


def test_several_names(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        make_run(name)
    assert [one.name for one in choose_several(tmp_path, run_name="c,a")] == ["single/c", "single/a"]
    with pytest.raises(UserError, match=r"--run_name d: no such run"):
        choose_several(tmp_path, run_name="a,d")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"run_name": "a,b,a"}, "--run_name a,b,a: a is named twice"),
        ({"run_name": "a", "ensemble": True, "comparison": "single"}, "--run_name a: --ensemble averages all runs"),
    ],
)
def test_what_would_be_ignored_is_refused(
    make_run: MakeRun, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    make_run("a")
    make_run("b")
    with pytest.raises(UserError, match=message):
        choose_several(tmp_path, **settings)


def test_whole_comparison(make_run: MakeRun, tmp_path: Path) -> None:
    for fold in range(3):
        make_run(f"buda-none-s0-f{fold}", "lgg")
    make_run("buda-none-s0-f3", "lgg", status="running")
    make_run("other")
    found = choose_several(tmp_path, ensemble=True, comparison="lgg")
    assert [one.name for one in found] == [f"lgg/buda-none-s0-f{fold}" for fold in range(3)]
    with pytest.raises(UserError, match="--ensemble: needs --comparison NAME"):
        choose_several(tmp_path, ensemble=True)
    with pytest.raises(UserError, match="--comparison none: no trained model"):
        choose_several(tmp_path, ensemble=True, comparison="none")


def test_model_path_goes_before_runs(make_run: MakeRun, tmp_path: Path, shipped: Path) -> None:
    run = make_run("best", dice=0.9)
    assert choose(tmp_path, model_path=str(shipped)).name == "ours"
    assert choose(tmp_path, model_path=str(run.path)).source.folder == run.path
    with pytest.raises(UserError, match=r"--model_path .*nowhere: no such bundle or file"):
        choose(tmp_path, model_path=str(tmp_path / "nowhere"))


def test_part_of_split(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(root=tmp_path / "lgg")
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), ("c", 1, "train"), ("c", 2, "val"), ("d", 1, "test")])
    choice = choose(tmp_path)
    folder = tmp_path / "lgg"
    assert part_of_split(choice, folder / "c" / "c_1.tif", 0) == "train"
    assert part_of_split(choice, folder / "c" / "c_2.tif", 1) == "val"
    assert part_of_split(choice, folder / "d" / "d_1.tif", 0) == "test"
    assert part_of_split(choice, folder / "e" / "e_1.tif", 0) == ""
    assert part_of_split(choice, tmp_path / "elsewhere" / "c" / "c_1.tif", 0) == ""


def case(image: Path, kind: Any = "folder") -> Job:
    return Job(image.name, (image,), kind, (), Path(image.name))


def test_part_of_case_in_the_runs_own_data(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(root=tmp_path / "lgg")
    parts = [("c", 1, "test"), ("c", 2, "val"), ("c", 3, "train"), ("d", 1, "test"), ("e", 1, "test"), ("e", 2, "val")]
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), *parts])
    choice, folder = choose(tmp_path), tmp_path / "lgg"
    found = [part_of_case(choice, case(folder / name / f"{name}_1.tif")) for name in "cdex"]
    assert found == ["train", "", "val", ""]
    assert part_of_case(choice, case(folder / "e" / "e_1.tif", "picture")) == "val"
    assert part_of_case(choice, case(folder / "e" / "lone.tif", "picture")) == ""
    assert part_of_case(choice, case(folder / "c.nii.gz", "nifti")) == "train"
    assert part_of_case(choice, case(tmp_path / "c" / "c_1.tif")) == ""


def test_part_by_the_list_of_the_model(tmp_path: Path) -> None:
    facts = ModelFacts("m", "buda", 4, 5, {}, data={"parts": {"train": ["c"], "val": ["d"]}})
    choice, none = Choice(Source(facts), ""), Choice(Source(ModelFacts("n", "buda", 4, 5, {})), "")
    assert part_of_split(choice, tmp_path / "c" / "c_1.tif", 0) == "train"
    assert part_of_split(choice, tmp_path / "d" / "d_1.tif", 0) == "val"
    assert part_of_split(choice, tmp_path / "e" / "e_1.tif", 0) == ""
    names = ("c.nii.gz", "c_flair.nii", "d-t1.nii", "e.nii", "flair.nii")
    assert [part_of_case(choice, case(tmp_path / name, "nifti")) for name in names] == ["train", "train", "val", "", ""]
    job = case(tmp_path / "c" / "c_1.tif")
    assert seen_before([choice], job) == ("train", ["the model was trained on this case"])
    assert seen_before([none, choice], job) == ("train", ["1 of 2 models were trained on this case"])
    assert seen_before([none], job) == ("", [])


def test_a_split_by_slices_is_told_apart_by_the_runs_own_list(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(root=tmp_path / "lgg", onnx=True)
    facts = read_facts(run.path)
    replace(facts, data={"parts": {"train": ["c"], "val": ["c"]}}).write(run.path)
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), ("c", 1, "train"), ("c", 2, "test")])
    assert part_of_split(choose(tmp_path), tmp_path / "lgg" / "c" / "c_2.tif", 1) == "test"


def test_the_shipped_model_knows_its_cases() -> None:
    choice = Choice(open_source(choosing.SHIPPED), "")
    parts = choice.source.facts.data["parts"]
    assert {part: len(set(cases)) for part, cases in parts.items()} == {"train": 77, "val": 11}
    card = (choosing.SHIPPED / "README.md").read_text()
    assert f"\nTraining: {', '.join(parts['train'])}.\n" in card
    assert f"\nValidation: {', '.join(parts['val'])}.\n" in card
    for name, part in (("TCGA_CS_4942_19970222", "train"), ("TCGA_CS_4941_19960909", "")):
        assert part_of_case(choice, case(Path(f"any/{name}/{name}_1.tif"))) == part
