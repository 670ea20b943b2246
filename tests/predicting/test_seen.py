"""Whether a model has seen a case or a slice in its training."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headtohead.options.table import from_flat
from headtohead.predicting.files.grouping import Job
from headtohead.predicting.seen import part_of_case, part_of_split, seen_before
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.runs.folder import RunFolder
from headtohead.trained.choosing import Choice, choose_models
from headtohead.trained.facts import ModelFacts, read_facts
from headtohead.trained.shipped import SHIPPED
from headtohead.trained.source import Source, open_source

MakeRun = Callable[..., RunFolder]


def choose(folder: Path) -> Choice:
    """Choose the only run of a test's folder."""
    (choice,) = choose_models(from_flat({"runs_dir": str(folder / "runs")}), None)
    return choice


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


def test_what_the_start_of_the_training_had_seen_is_told(tmp_path: Path) -> None:
    parts = {"train": ["c"], "val": [], "start": ["c", "d"]}
    choice = Choice(Source(ModelFacts("m", "buda", 4, 5, {}, data={"parts": parts}, task=LGG_TASK)), "")
    assert [part_of_case(choice, case(tmp_path / f"{name}.nii.gz", "nifti")) for name in "cde"] == [
        "train",
        "start",
        "",
    ]
    warned = ["the model was started from weights trained on this case"]
    assert seen_before([choice], case(tmp_path / "d.nii.gz", "nifti")) == ("start", warned)


def test_part_by_the_list_of_the_model(tmp_path: Path) -> None:
    facts = ModelFacts("m", "buda", 4, 5, {}, data={"parts": {"train": ["c"], "val": ["d"]}}, task=LGG_TASK)
    choice, none = Choice(Source(facts), ""), Choice(Source(ModelFacts("n", "buda", 4, 5, {}, task=LGG_TASK)), "")
    assert part_of_split(choice, tmp_path / "c" / "c_1.tif", 0) == "train"
    assert part_of_split(choice, tmp_path / "d" / "d_1.tif", 0) == "val"
    assert part_of_split(choice, tmp_path / "e" / "e_1.tif", 0) == ""
    names = ("c.nii.gz", "c_flair.nii", "d-t1.nii", "e.nii", "flair.nii")
    assert [part_of_case(choice, case(tmp_path / name, "nifti")) for name in names] == ["train", "train", "val", "", ""]
    job = case(tmp_path / "c" / "c_1.tif")
    assert seen_before([choice], job) == ("train", ["the model was trained on this case"])
    assert seen_before([none, choice], job) == ("train", ["1 of 2 models was trained on this case"])
    assert seen_before([none], job) == ("", [])


def test_a_split_by_slices_is_told_apart_by_the_runs_own_list(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(root=tmp_path / "lgg", onnx=True)
    facts = read_facts(run.path)
    replace(facts, data={"parts": {"train": ["c"], "val": ["c"]}}).write(run.path)
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), ("c", 1, "train"), ("c", 2, "test")])
    assert part_of_split(choose(tmp_path), tmp_path / "lgg" / "c" / "c_2.tif", 1) == "test"


def test_the_shipped_model_knows_its_cases() -> None:
    choice = Choice(open_source(SHIPPED), "")
    parts = choice.source.facts.data["parts"]
    assert {part: len(set(cases)) for part, cases in parts.items()} == {"train": 77, "val": 11}
    card = (SHIPPED / "README.md").read_text()
    assert f"\nTraining: {', '.join(parts['train'])}.\n" in card
    assert f"\nValidation: {', '.join(parts['val'])}.\n" in card
    for name, part in (("TCGA_CS_4942_19970222", "train"), ("TCGA_CS_4941_19960909", "")):
        assert part_of_case(choice, case(Path(f"any/{name}/{name}_1.tif"))) == part


def test_the_layouts_of_nnunet_and_of_pictures_are_known(tmp_path: Path) -> None:
    """What readers call a case counts: of channels the case, of slices the patient, of folders all that lead there."""
    parts = {"train": ["c", "P1", "a_x"], "val": ["d"]}
    facts = ModelFacts(
        "m", "buda", 4, 5, {}, task=LGG_TASK, data={"parts": parts, "patient_pattern": r"^(?:images/)?(P\d+)_"}
    )
    choice = Choice(Source(facts), "")
    volumes = ("imagesTr/c_0000.nii.gz", "d_0003.nii", "c_0000_0001.nii.gz", "a/x.nii", "b/x.nii")
    found = [part_of_case(choice, case(tmp_path / name, "nifti")) for name in volumes]
    assert found == ["train", "val", "", "train", ""]
    pictures = ("P1_08.png", "any/images/P1_09.png", "P2_01.png", "a/images/x.png")
    found = [part_of_case(choice, case(tmp_path / name, "picture")) for name in pictures]
    assert found == ["train", "train", "", "train"]
    assert [part_of_split(choice, tmp_path / name, 0) for name in pictures] == found
    assert seen_before([choice], case(tmp_path / "P1_08.png", "picture"))[1] == ["the model was trained on this case"]


def test_a_case_of_the_runs_own_data_is_what_its_list_says(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(root=tmp_path / "nn")
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), ("c", 1, "train"), ("c_0001", 1, "test")])
    choice, folder = choose(tmp_path), tmp_path / "nn" / "imagesTr"
    found = [part_of_case(choice, case(folder / name, "nifti")) for name in ("c_0000.nii", "c_0001.nii", "e_0000.nii")]
    assert found == ["train", "", ""]
