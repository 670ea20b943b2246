"""Which model predicts: the one that is named, the best run that is fit for the files, else the shipped one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from headtohead.cohort.cohort import IMAGE
from headtohead.errors import UserError
from headtohead.options.table import from_flat
from headtohead.runs.folder import RunFolder
from headtohead.trained import choosing
from headtohead.trained.choosing import Choice, choose_models
from headtohead.trained.export import choice_to_export
from headtohead.trained.facts import ModelFacts

MakeRun = Callable[..., RunFolder]
RECIPE = {"image_size": 32, "normalise": "inner", "neighbours": 1}
PHANTOM = "TCGA_CS_9003_19001216"


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle in place of the one that comes with the program."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    data = {"kind": "lgg", "made_up": False, "cases": 110, "parts": {"train": ["a", "b"], "val": []}}
    ModelFacts("ours", "buda", 4, 5, RECIPE, data=data).write(folder)
    monkeypatch.setattr(choosing, "SHIPPED", folder)
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Give a function that leaves what a choice reads of a run: run.json, model.json, a checkpoint nobody opens."""

    def make(
        name: str,
        dice: float | None = 0.8,
        *,
        data: str = "real",
        split: str = "s1",
        plan: str = "",
        ended: str = "2026-01-01",
        status: str = "finished",
        model: str = "unet",
        kind: str = "lgg",
        made_up: bool | None = False,
    ) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / name)
        run.best.parent.mkdir(parents=True)
        run.best.touch()
        about = {"key": data, "kind": kind, "cases": 8, **({} if made_up is None else {"made_up": made_up})}
        sequences = {"sequences": IMAGE} if kind == "nifti" else {}
        parts = {"parts": {"train": ["p", "q"], "val": []}} if made_up is not None else {}
        facts = ModelFacts(name, model, 4, 5, RECIPE, data={"name": data, **about, **parts}, **sequences)
        facts.write(run.path)
        record = {
            "status": status,
            "best_val_dice": dice,
            "ended": ended,
            "experiment": {"model": model},
            "data": {**about, "root": str(tmp_path / data)},
            "split": {"key": split, "plan": plan},
        }
        (run.path / "run.json").write_text(json.dumps(record))
        return run

    return make


@pytest.fixture
def demo(make_run: MakeRun) -> None:
    """What `make demo` leaves."""
    for model, dice in (("unet", 0.713), ("resnext", 0.6)):
        for fold in range(2):
            name = f"demo/{model}-none-s0-f{fold}"
            make_run(name, dice - fold / 10, data="phantoms", split=str(fold), plan="p", model=model, made_up=True)


def choose(folder: Path, image: str | None = "elsewhere/scan.tif", **settings: Any) -> Choice:
    """Choose one model among the runs of a test's folder."""
    (choice,) = choose_several(folder, image, **settings)
    return choice


def choose_several(folder: Path, image: str | None = "elsewhere/scan.tif", **settings: Any) -> list[Choice]:
    """Choose models among the runs of a test's folder."""
    return choose_models(from_flat({"runs_dir": str(folder / "runs"), **settings}), folder / image if image else None)


class TestMadeUpPatients:
    """After `make demo`."""

    @pytest.mark.parametrize("image", ["elsewhere/scan.tif", "phantoms-of-others/a.nii", None])
    def test_other_files_get_the_shipped_model(self, demo: None, tmp_path: Path, image: str | None) -> None:
        assert choose(tmp_path, image).line == (
            "model ours (trained on 2 patients of LGG MRI segmentation; shipped with the program; "
            "passed over: 4 trained on made-up patients)"
        )

    def test_so_does_an_export(self, demo: None, tmp_path: Path) -> None:
        assert choice_to_export(from_flat({"runs_dir": str(tmp_path / "runs"), "export": "onnx"})).name == "ours"

    def test_their_own_files_get_them_and_the_line_says_so(self, demo: None, tmp_path: Path) -> None:
        for image in ("phantoms", f"phantoms/{PHANTOM}/{PHANTOM}_1.tif"):
            assert choose(tmp_path, image).line == (
                "model demo/unet-none-s0-f0 (trained on 2 made-up patients; "
                "best validation Dice 0.713 of 4 trained runs on this data set)"
            )

    @pytest.mark.parametrize(
        "settings", [{"comparison": "demo"}, {"run_name": "unet-none-s0-f0"}, {"comparison": "demo", "ensemble": True}]
    )
    def test_named_they_are_used(self, demo: None, tmp_path: Path, settings: dict[str, Any]) -> None:
        for choice in choose_several(tmp_path, **settings):
            assert choice.name.startswith("demo/") and "trained on 2 made-up patients" in choice.line

    def test_an_older_run_is_known_by_the_names_of_its_cases(self, make_run: MakeRun, tmp_path: Path) -> None:
        old = make_run("demo/old", made_up=None)
        assert choose(tmp_path).run is not None, "where nothing is known, patients count as real"
        old.split.write_text(f"case,slice,part\n{PHANTOM},1,train\n")
        assert choose(tmp_path).name == "ours"
        assert "trained on made-up patients" in choose(tmp_path, run_name="old").line

    def test_a_bundle_of_one(self, demo: None, tmp_path: Path) -> None:
        bundle = str(tmp_path / "runs" / "demo" / "unet-none-s0-f0")
        assert choose(tmp_path, model_path=bundle).line.endswith(
            "(trained on 2 made-up patients; named by --model_path)"
        )

    def test_a_real_run_goes_before_them(self, demo: None, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("single/mine", 0.3)
        assert choose(tmp_path).name == "single/mine"
        assert choose(tmp_path).reason == "the only trained run; passed over: 4 trained on made-up patients"


class TestAToyRun:
    """A later run that has learned nothing displaces nothing."""

    TOY: ClassVar = {"name": "single/toy", "dice": 0.013, "ended": "2027-01-01"}

    @pytest.mark.parametrize("data", ["real", "other"])
    def test_not_the_shipped_model(self, make_run: MakeRun, tmp_path: Path, data: str) -> None:
        make_run(**self.TOY, data=data)
        assert choose(tmp_path).name == "ours"
        assert choose(tmp_path).reason.endswith("passed over: 1 with a validation Dice below 0.1")
        assert choose(tmp_path, comparison="single").name == "single/toy"

    @pytest.mark.parametrize(
        "toy",
        [
            {},
            {"split": "s2"},
            {"data": "phantoms", "made_up": True},
            {"data": "volumes", "kind": "nifti", "dice": 0.9},
            {"dice": 0.5},
        ],
        ids=["same split", "other split", "made-up", "other data", "better, but not the best"],
    )
    def test_not_a_good_run(self, make_run: MakeRun, tmp_path: Path, toy: dict[str, Any]) -> None:
        good = make_run("lgg/good", 0.82)
        make_run(**(self.TOY | toy))
        assert choose(tmp_path).run == good


class TestModelNarrows:
    def test_within_the_data_set_of_the_files(self, demo: None, tmp_path: Path) -> None:
        choice = choose(tmp_path, "phantoms/a.tif", model="resnext")
        assert choice.name == "demo/resnext-none-s0-f0"
        assert choice.reason == "best validation Dice 0.600 of 2 trained runs on this data set"

    def test_among_real_runs(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("lgg/unet-none-s0-f0", 0.9)
        make_run("lgg/resnext-none-s0-f0", 0.5, model="resnext")
        assert choose(tmp_path, model="resnext").name == "lgg/resnext-none-s0-f0"
        assert choose(tmp_path, comparison="lgg", model="resnext").name == "lgg/resnext-none-s0-f0"
        assert [one.name for one in choose_several(tmp_path, comparison="lgg", ensemble=True, model="resnext")] == [
            "lgg/resnext-none-s0-f0"
        ]
        given = {"runs_dir": str(tmp_path / "runs"), "export": "onnx", "model": "resnext"}
        assert choice_to_export(from_flat(given)).name == "lgg/resnext-none-s0-f0"

    def test_to_the_shipped_model(self, demo: None, tmp_path: Path) -> None:
        assert choose(tmp_path, model="buda").name == "ours"

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({}, "--model resnext: no run of it is fit for these files: 2 trained on made-up patients; to use one all "
                 "the same, name its --comparison, such as demo"),
            ({"comparison": "lgg"}, "--model resnext: no trained run of it in .*lgg; there are runs of unet"),
            ({"comparison": "lgg", "ensemble": True}, "--model resnext: no trained run of it in .*lgg"),
            ({"run_name": "good"}, "--model resnext: --run_name good is of unet; leave one of the two out"),
            ({"model_path": "shipped"}, "--model resnext: --model_path .*shipped is of buda"),
        ],
    )  # fmt: skip
    def test_to_nothing_is_refused(
        self, demo: None, make_run: MakeRun, tmp_path: Path, settings: dict[str, Any], message: str
    ) -> None:
        make_run("lgg/good", 0.9)
        if "model_path" in settings:
            settings = {"model_path": str(tmp_path / "shipped")}
        with pytest.raises(UserError, match=message):
            choose_several(tmp_path, model="resnext", **settings)


class TestRanking:
    def test_best_validation_dice_of_one_split(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("single/good", 0.7)
        best = make_run("other/best", 0.9)
        make_run("single/unscored", None)
        make_run("single/undefined", float("nan"))
        make_run("single/half", 0.99, status="running")
        make_run("single/broken", 0.99, status="failed")
        choice = choose(tmp_path)
        assert choice.run == best
        assert choice.line == (
            "model other/best (trained on 2 patients of LGG MRI segmentation; "
            "best validation Dice 0.900 of 4 trained runs)"
        )

    def test_of_several_splits_or_data_sets_the_newest(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("lgg/best", 0.95)
        for fold in range(2):  # the folds of one table are ranked together, though each has a key of its own
            make_run(f"cv/f{fold}", 0.6 + fold / 10, split=f"f{fold}", plan="p", ended=f"2026-02-0{2 - fold}")
        make_run("own/old", 0.99, data="own", ended="2025-01-01")
        choice = choose(tmp_path)
        assert choice.name == "cv/f1"
        assert choice.reason == "best validation Dice 0.700 of 2 trained runs, the newest of 3 data sets or splits"

    def test_ties(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("single/a", 0.8, ended="2026-01-02")
        make_run("single/c", 0.8)
        make_run("single/d", None, ended="2026-01-03")
        assert choose(tmp_path).name == "single/a", "the later of equal Dice, and none before an unknown one"
        make_run("single/b", 0.8, ended="2026-01-02")
        assert choose(tmp_path).name == "single/b", "the last by name of equal age"

    def test_other_data_is_for_its_own_files_or_on_request(self, make_run: MakeRun, tmp_path: Path) -> None:
        masker = make_run("masker/buda", 0.95, data="volumes", kind="nifti")
        assert choose(tmp_path).line.endswith("passed over: 1 trained on other data (--data nifti))")
        for choice in (choose(tmp_path, "volumes/sub-01.nii"), choose(tmp_path, data="nifti")):
            assert choice.run == masker
            assert choice.origin == "trained on 2 NIfTI volumes of volumes"

    def test_runs_of_the_files_data_set_go_first(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("single/newer", 0.95, data="other", ended="2027-01-01")
        own = make_run("single/own", 0.05)
        assert choose(tmp_path, "real/case/case_1.tif").run == own
        assert choose(tmp_path, "real/case/case_1.tif").reason == "the only trained run on this data set"

    def test_runs_without_a_model_or_with_a_damaged_record_are_passed_over(
        self, make_run: MakeRun, tmp_path: Path
    ) -> None:
        make_run("single/baseline", 0.99).best.unlink()
        (make_run("single/damaged").path / "run.json").write_text("{")
        assert choose(tmp_path).name == "ours"
        good = make_run("single/good", 0.2)
        assert choose(tmp_path).run == good
        assert choose(tmp_path).reason == "the only trained run"

    def test_comparison_narrows(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("demo/best", 0.9)
        other = make_run("lgg/good", 0.8)
        assert choose(tmp_path, comparison="lgg").run == other
        with pytest.raises(UserError, match=r"no trained model in .*nothing; train one first: --train"):
            choose(tmp_path, comparison="nothing")


class TestNamed:
    def test_run(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("single/best", 0.9)
        named = make_run("single/mine", 0.1, status="running")
        assert choose(tmp_path, run_name="mine").run == named
        assert choose(tmp_path, run_name="mine").reason == "named by --run_name, though its training is not finished"
        with pytest.raises(UserError, match=r"--run_name mime: no such run in .*; there are: best, mine"):
            choose(tmp_path, run_name="mime")
        named.best.unlink()
        with pytest.raises(UserError, match="holds no trained model yet"):
            choose(tmp_path, run_name="mine")

    def test_one_name_in_several_comparisons(self, make_run: MakeRun, tmp_path: Path) -> None:
        make_run("a/twin")
        second = make_run("b/twin")
        with pytest.raises(UserError, match="one in each of a, b; choose with --comparison"):
            choose(tmp_path, run_name="twin")
        assert choose(tmp_path, run_name="twin", comparison="b").run == second

    def test_nothing_trained(self, tmp_path: Path, shipped: Path) -> None:
        choice = choose(tmp_path)
        assert (choice.name, choice.run, choice.source.folder) == ("ours", None, shipped)
        assert choice.reason == "shipped with the program; no run is trained here"
        with pytest.raises(UserError, match="train first: --train"):
            choose(tmp_path, run_name="mine")

    def test_several_names(self, make_run: MakeRun, tmp_path: Path) -> None:
        for name in ("a", "b", "c"):
            make_run(f"single/{name}")
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
        self, make_run: MakeRun, tmp_path: Path, settings: dict[str, Any], message: str
    ) -> None:
        make_run("single/a")
        make_run("single/b")
        with pytest.raises(UserError, match=message):
            choose_several(tmp_path, **settings)

    def test_whole_comparison(self, make_run: MakeRun, tmp_path: Path) -> None:
        for fold in range(3):
            make_run(f"lgg/f{fold}")
        make_run("lgg/f3", status="running")
        make_run("single/other")
        found = choose_several(tmp_path, ensemble=True, comparison="lgg")
        assert [one.name for one in found] == [f"lgg/f{fold}" for fold in range(3)]
        assert {one.reason for one in found} == {"one of 3 of the comparison"}
        with pytest.raises(UserError, match="--ensemble: needs --comparison NAME"):
            choose_several(tmp_path, ensemble=True)
        with pytest.raises(UserError, match="--comparison none: no trained model"):
            choose_several(tmp_path, ensemble=True, comparison="none")

    def test_model_path_goes_before_runs(self, make_run: MakeRun, tmp_path: Path, shipped: Path) -> None:
        run = make_run("single/best", 0.9)
        assert choose(tmp_path, model_path=str(shipped)).name == "ours"
        assert choose(tmp_path, model_path=str(run.path)).source.folder == run.path
        with pytest.raises(UserError, match=r"--model_path .*nowhere: no such bundle or file"):
            choose(tmp_path, model_path=str(tmp_path / "nowhere"))
