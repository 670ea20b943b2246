"""What Python programs call, and the page that says how, snippet by snippet."""

import contextlib
import html
import io
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import nibabel
import numpy as np
import pandas as pd
import pytest

import headtohead
from headtohead import api, cli
from headtohead.cohort.phantom import writing
from headtohead.options.table import OPTIONS
from headtohead.scoring.protocol import PROTOCOL
from tests.tree.source import MODULES, PACKAGE, ROOT, imports_of

PAGE = ROOT / "docs" / "reference" / "python.md"
SHORT = {"num_epochs=5": "num_epochs=1, image_size=32, empty_slices=0.05, num_workers=0, gpus='cpu', case_gifs='none'"}
"""What is written in place of a snippet's words, so that its training takes a second; below in the notebook."""


NOTEBOOK = {"folds=2": "num_workers=0, gpus='cpu', case_gifs='none'", "image_size=64": "image_size=32"}
NOTEBOOK |= {"num_epochs=5": "num_epochs=1", "empty_slices=0.1": "empty_slices=0.05"}


@pytest.fixture(scope="module")
def place(phantom_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with some made-up patients in data/phantoms."""
    place = tmp_path_factory.mktemp("desk")
    (place / "data").mkdir()
    (place / "data" / "phantoms").symlink_to(phantom_root)
    return place


@pytest.fixture(scope="module")
def told(place: Path) -> dict[str, Any]:
    """Run the snippets of the page, one after the other; give all names, and under `printed` what was printed last."""
    names: dict[str, Any] = {"snippets": 0}
    with contextlib.chdir(place), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.machine, "tune_allocator", lambda: None)
        for snippet in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for words, short in SHORT.items():
                snippet = snippet.replace(words, short)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(snippet, str(PAGE), "exec"), names)
            names |= {"snippets": names["snippets"] + 1, "printed": printed.getvalue()}
    return names


@pytest.mark.exhaustive
def test_the_page_runs_and_says_what_is_printed(told: dict[str, Any]) -> None:
    assert told["snippets"] == 7
    comment = re.search(r"print\(fault\)  # (.*)", PAGE.read_text(encoding="utf-8"))
    assert comment and told["printed"] == f"{comment[1]}\n"


@pytest.mark.exhaustive
def test_a_comparison_holds_what_was_trained(told: dict[str, Any]) -> None:
    comparison = told["comparison"]
    assert comparison.page == comparison.folder / "report.html"
    assert set(comparison.cases["model"]) == {"unet", "buda", "flair-threshold"}
    assert comparison.verdict.startswith("1 case is too few")
    assert list(told["dice"]) == ["buda", "flair-threshold", "unet"] and len(told["worst"]) == 1


@pytest.mark.exhaustive
def test_masks_that_were_predicted_are_scored_as_the_prediction_said(told: dict[str, Any]) -> None:
    means = told["scored"].results.query("score == 'dice'").set_index("entrant")["mean"]
    assert set(means.index) == {"ours", "other"}
    assert means["ours"] == pytest.approx(told["predicted"].cases["dice"].mean(), abs=1e-5)


@pytest.mark.exhaustive
def test_label_maps_are_those_that_are_measured(told: dict[str, Any], place: Path) -> None:
    predicted = told["predicted"]
    assert len(predicted.cases) == 12 == len(predicted.masks)
    for row in predicted.cases.itertuples():
        slices = [cv2.imread(str(place / path), cv2.IMREAD_UNCHANGED) for path in predicted.masks[row.file]]
        assert sum(int(np.count_nonzero(mask)) for mask in slices) == row.voxels
    assert predicted.cases["volume_ml"].isna().all() and predicted.cases["dice"].between(0, 1).all()


def test_a_report_holds_what_its_files_say(write_run: Any, comparison: Path, tmp_path: Path) -> None:
    names = ["001", "002", "003", "NA"]
    now = {"protocol": PROTOCOL, "data": {"key": "d1", "root": str(tmp_path / "gone")}}
    write_run("unet", counts=[(5, 1, 1), (6, 2, 2), (7, 9, 9), (1, 0, 9)], cases=names, **now)
    write_run("buda", counts=[(5, 2, 1), (6, 3, 2), (7, 9, 8), (2, 0, 9)], cases=names, **now)
    found = headtohead.report(runs_dir=tmp_path / "runs", comparison="lgg")
    assert found.folder == comparison
    assert set(found.tables) == {path.stem for path in comparison.glob("*.csv")}
    for name, table in found.tables.items():
        as_text = pd.read_csv(comparison / f"{name}.csv", dtype=str, keep_default_na=False)
        assert list(table) == list(as_text) and len(table) == len(as_text)
    cases = found.cases
    assert cases["case"].tolist() == names * 2 and set(cases["site"]) == {"NA"}
    tp, fp, fn = cases[["tp", "fp", "fn"]].to_numpy().T
    np.testing.assert_allclose(cases["dice"], 2 * tp / (2 * tp + fp + fn))
    means = found.results.query("score == 'dice'").set_index("entrant")["mean"]
    assert means["unet none"] == pytest.approx(cases[cases["model"] == "unet"]["dice"].mean(), abs=1e-5)
    [pair] = found.pairs.query("family == 'primary' and score == 'dice'").to_dict("records")
    by_case = cases.pivot_table(index="case", columns="model", values="dice")
    assert pair["mean_difference"] == pytest.approx(
        (by_case[pair["a"].split()[0]] - by_case[pair["b"].split()[0]]).mean(), abs=1e-5
    )
    assert found.verdict and html.escape(found.verdict, quote=False) in found.page.read_text().replace("&#39;", "'")


def test_what_was_not_predicted_is_said_and_the_rest_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    volume = np.random.default_rng(0).integers(0, 200, (16, 16, 4)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([2.0, 2.0, 5.0, 1.0])), tmp_path / "in" / "a.nii")
    (tmp_path / "in" / "b.nii").write_bytes(b"no volume")
    with pytest.raises(headtohead.PartlyDone, match="1 of 2 files could not be predicted") as fault:
        headtohead.predict(Path("in"), Path("out"))
    done = fault.value.done
    assert done.masks == {"a": (Path("out/a_mask.nii"),)} and done.masks["a"][0].is_file()
    assert done.cases["error"].astype(bool).tolist() == [False, True]
    [first, _] = done.cases.to_dict("records")
    assert first["volume_ml"] == pytest.approx(first["voxels"] * 0.02)
    with pytest.raises(headtohead.PartlyDone) as fault:
        headtohead.predict("in", "out")
    assert fault.value.done.masks == done.masks  # which were predicted before


@pytest.mark.exhaustive
def test_explored_tables_are_those_of_the_files(told: dict[str, Any], place: Path) -> None:
    explored = told["explored"]
    assert (place / explored.page).name == "explore.md"
    assert len(explored.cases) == 12
    assert explored.slices.groupby("case")["lesion_voxels"].sum().to_dict() == dict(
        zip(explored.cases["case"], explored.cases["lesion_voxels"], strict=True)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: headtohead.compare(modles="unet"), "`modles`: no such option; did you mean models?"),
        (lambda: headtohead.compare(models=("unett",)), "`models` unett: no such model"),
        (lambda: headtohead.compare(num_epochs=1.5), "`num_epochs` 1.5: takes a whole number"),
        (lambda: headtohead.compare(port=8000), "`port`: has no effect with `compare`; it is for `serve`"),
        (lambda: headtohead.compare(root_dir="nowhere"), "`root_dir` nowhere: no such folder"),
        (lambda: headtohead.compare(config="nowhere.yaml"), "`config` nowhere.yaml: no such file"),
        (lambda: headtohead.compare(train=True), "`train`: no option of headtohead.compare"),
        (lambda: headtohead.compare(print_config=True), "`print_config`: no option of headtohead.compare"),
        (lambda: headtohead.compare(run_name="a"), "`run_name`: `compare` makes many runs"),
        (lambda: headtohead.report(comparison="nowhere"), "no such comparison"),
        (lambda: headtohead.predict("", "out"), "`predict`: needs a value"),
        (lambda: headtohead.predict("nowhere", "out"), "`predict` nowhere: no such file or folder"),
        (lambda: headtohead.explore(output="a", runs_dir="b"), "`runs_dir`: has no effect with `output`"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_option(
    call: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(headtohead.UserError) as refusal:
        call()
    line = str(refusal.value)
    assert message in line and "\n" not in line
    assert not set(re.findall(r"--(\w+)", line)) & OPTIONS.keys()
    assert not list(tmp_path.iterdir())


def test_a_file_of_options_says_only_how_and_not_what_to_do(
    phantom_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text(f"train: true\ncompare: true\nport: 8000\nroot_dir: {phantom_root}\n")
    explored = headtohead.explore(config="my.yaml", output=tmp_path / "seen")
    assert explored.page == tmp_path / "seen" / "explore.md"
    assert not (tmp_path / "runs").exists()


def test_an_interrupted_training_is_an_interrupt_and_no_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)  # as Lightning does

    monkeypatch.setattr("headtohead.api.run_verb", interrupted)
    monkeypatch.setattr("headtohead.api.check_files", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        headtohead.compare()


def test_import_stays_cheap() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import headtohead; print(*sys.modules)"
    words = [sys.executable, "-c", program, str(PACKAGE.parent)]
    modules = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in modules if name.startswith("headtohead")} == {"headtohead", "headtohead.telemetry"}
    assert not {"numpy", "pandas", "torch", "argparse"} & set(modules)


def test_all_that_is_public_is_found() -> None:
    assert list(headtohead._PUBLIC) == api.__all__
    assert set(api.__all__) <= set(dir(headtohead))
    assert all(getattr(headtohead, name) is getattr(api, name) for name in api.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        headtohead.nothing  # noqa: B018


def test_nothing_of_the_program_calls_itself_through_it() -> None:
    users = [path for path in MODULES if "headtohead.api" in imports_of(path)]
    assert users == []


@pytest.mark.exhaustive
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.machine, "tune_allocator", lambda: None)
    drawn = writing.plan_cases
    monkeypatch.setattr(writing, "plan_cases", lambda parameters: drawn(parameters)[:14])
    notebook = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    matplotlib.use("Agg")
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that Agg shows nothing
        for number, cell in enumerate(cells):
            for words, short in NOTEBOOK.items():
                cell = cell.replace(words, short)
            exec(compile(cell, f"cell {number}", "exec"), names)
    assert names["comparison"].verdict and list(names["dice"]) == ["buda", "flair-threshold", "unet"]
    assert len(names["predicted"].cases) == 1 and set(names["sized"].index) > set(names["dice"].index)


def test_the_notebook_is_small_and_names_no_place() -> None:
    text = (ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8")
    assert len(text) < 300_000
    assert not re.search(r"/(home|tmp|root|usr|work)/", text)
    outputs = [one for cell in json.loads(text)["cells"] for one in cell.get("outputs", [])]
    assert {"image/png", "image/jpeg", "text/html"} <= {kind for one in outputs for kind in one.get("data", {})}
    assert not [one for one in outputs if one["output_type"] == "error"]


def test_no_figure_of_ours_chooses_how_those_of_a_notebook_are_shown() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert "matplotlib.use" not in text and "import pyplot" not in text and "matplotlib.pyplot" not in text


def test_masks_are_scored_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(8):
        mask = np.zeros((12, 12, 4), np.uint8)
        mask[3 : 8 + number % 3, 3:9, 1:3] = 1
        for folder, cut in (("truth", 3), ("equal", 3), ("less", 4)):
            (tmp_path / folder).mkdir(exist_ok=True)
            own = mask * (np.arange(12) >= cut)[:, None, None].astype(np.uint8)
            nibabel.save(nibabel.Nifti1Image(own, np.eye(4)), tmp_path / folder / f"case{number}.nii.gz")
    masks = {"same": Path("equal"), "smaller": "less"}
    found = headtohead.score(masks, truth="truth", comparison="boxes", case_gifs="none")
    dice = found.results.query("score == 'dice'").set_index("entrant")["mean"]
    assert dice["same"] == 1 > dice["smaller"]
    assert "same scores higher than smaller" in found.verdict
    with pytest.raises(headtohead.UserError, match=r"^`masks` thin=nowhere: no such folder"):
        headtohead.score({"thin": "nowhere"}, truth="truth")
    with pytest.raises(headtohead.UserError, match=r"^`masks` a b=x: .*cannot be an entrant's name"):
        headtohead.score({"a b": "x"})
    with pytest.raises(headtohead.UserError, match=r"^`masks`: a=b cannot be an entrant's name; leave the = out"):
        headtohead.score({"a=b": "a"})
