"""Nets of libraries and files as entrants: trained, tested, predicted, reported; their code is run for who names it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from headtohead.cli import main
from headtohead.comparing.experiment import open_experiment, run_folder
from headtohead.comparing.grid import compare, experiments_of
from headtohead.errors import UserError
from headtohead.options.table import Options
from headtohead.parsing import parse
from headtohead.trained.shipped import SHIPPED
from tests.models.nets_of_others import NET, write_net

TINY = {"width": 0, "num_epochs": 1, "batch_size": 16, "lr_scheduler": "none", "learning_rate": 0.03}
RAN = "import pathlib; pathlib.Path(__file__).with_name('it-ran').touch()\n"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of a net that leaves a trace when its code is run."""
    path = write_net(tmp_path_factory.mktemp("nets"))
    path.write_text(RAN + NET)
    return path


@pytest.fixture(scope="module")
def flags(phantom_root: Path, cache_dir: Path) -> Callable[..., list[str]]:
    def make(runs: Path, *words: str) -> list[str]:
        places = ["--root_dir", str(phantom_root), "--cache_dir", str(cache_dir), "--runs_dir", str(runs)]
        return [*words, *places, "--gpus", "cpu", "--num_workers", "0", "--precision", "32"]

    return make


@pytest.fixture(scope="module")
def trained(net: Path, flags: Callable[..., list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of that file, trained and tested by the command line."""
    runs = tmp_path_factory.mktemp("runs")
    words = ["--train", "--model", f"{net}:Net", "--model_settings", f"{net}:Net.features=3", "--num_epochs", "1"]
    small = ["--image_size", "32", "--empty_slices", "0.1", "--batch_size", "16", "--learning_rate", "0.03"]
    assert main(flags(runs, *words, *small)) == 0
    return runs / "single" / "mynet-Net-none-s0-f0"


@pytest.fixture
def copied(trained: Path, net: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the run and one of the net's file, which has not run."""
    folder = tmp_path / "runs" / "single" / trained.name
    shutil.copytree(trained, folder)
    (tmp_path / "nets").mkdir()
    shutil.copy(net, tmp_path / "nets")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(config | {"model": f"{tmp_path}/nets/mynet.py:Net"}))
    return folder, tmp_path / "nets" / "mynet.py"


def test_the_run_names_the_file_and_its_content(trained: Path) -> None:
    record, facts = (json.loads((trained / name).read_text()) for name in ("run.json", "model.json"))
    assert record["experiment"]["model"] == facts["model"] == "mynet.py:Net"
    assert record["net"] == facts["net"]
    assert facts["net"] | {"sha256": ""} == {
        "kind": "file",
        "source": "mynet.py",
        "arguments": ["features=3"],
        "sha256": "",
    }
    assert len(facts["net"]["sha256"]) == 64
    assert record["parameters"] == 5 * 3 * 9 + 3 + 3 * 1 + 1
    assert str(trained.parents[1]) not in (trained / "model.json").read_text()


@pytest.mark.parametrize("verb", [("--test",), ("--tune_postprocessing",)])
def test_a_run_folder_alone_runs_no_code(
    verb: tuple[str, ...], copied: tuple[Path, Path], flags: Callable[..., list[str]], capsys: Any
) -> None:
    folder, file = copied
    assert main(flags(folder.parents[1], *verb, "--run_name", folder.name)) == 2
    assert "is run only if you name it on the command line: add --model" in capsys.readouterr().err
    assert not file.with_name("it-ran").exists()


def test_a_config_alone_runs_no_code(
    copied: tuple[Path, Path], flags: Callable[..., list[str]], tmp_path: Path, capsys: Any
) -> None:
    _, file = copied
    for key in ("model", "models"):
        (tmp_path / "theirs.yaml").write_text(yaml.safe_dump({key: f"{file}:Net"}))
        verb = "--compare" if key == "models" else "--train"
        assert main(flags(tmp_path / "out", verb, "--config", str(tmp_path / "theirs.yaml"))) == 2
        assert "error: --config: the code of" in capsys.readouterr().err
    assert not file.with_name("it-ran").exists() and not (tmp_path / "out").exists()


@pytest.fixture
def image(phantom_root: Path) -> str:
    return str(sorted(phantom_root.glob("*/*_3.tif"))[0])


def test_a_prediction_needs_no_code_of_it(copied: tuple[Path, Path], image: str, tmp_path: Path, capsys: Any) -> None:
    folder, file = copied
    words = ["--image_path", image, "--runs_dir", str(folder.parents[1]), "--run_name", folder.name, "--gpus", "cpu"]
    assert main([*words, "--output", str(tmp_path / "one")]) == 0
    assert "not read" not in capsys.readouterr().err
    assert main([*words, "--output", str(tmp_path / "two"), "--model", f"{file}:Net"]) == 0
    said = capsys.readouterr().err
    assert f"--model {file}:Net: not read; model.onnx, made by the training, predicts (--engine torch" in said
    assert not file.with_name("it-ran").exists()


def test_the_engine_of_pytorch_and_an_export_want_the_file_named(
    copied: tuple[Path, Path], image: str, tmp_path: Path, capsys: Any
) -> None:
    folder, file = copied
    chosen = ["--runs_dir", str(folder.parents[1]), "--run_name", folder.name]
    torch = ["--image_path", image, *chosen, "--engine", "torch", "--gpus", "cpu", "--output"]
    for words in ([*torch, str(tmp_path / "no")], ["--export", "bundle", *chosen, "--output", str(tmp_path / "no")]):
        assert main(words) == 2
        line = capsys.readouterr().err
        assert "its net mynet.py:Net is code of mynet.py, which is run only if you name it: add --model PATH/" in line
    assert not file.with_name("it-ran").exists()
    named = ["--model", f"{file}:Net"]
    assert main([*torch, str(tmp_path / "yes"), *named]) == 0
    assert main(["--export", "bundle", *chosen, *named, "--output", str(tmp_path / "b")]) == 0
    assert file.with_name("it-ran").exists()

    file.with_name("it-ran").unlink()
    [bundle] = (tmp_path / "b").iterdir()
    moved = file.rename(tmp_path / "elsewhere.py")  # a bundle needs no file
    assert main(["--image_path", image, "--model_path", str(bundle), "--output", str(tmp_path / "two")]) == 0
    assert main(["--image_path", image, "--model_path", str(bundle), "--engine", "torch"]) == 2
    assert "is run only if you name it" in capsys.readouterr().err
    assert not moved.with_name("it-ran").exists()


def test_a_changed_file_is_another_net(
    copied: tuple[Path, Path], flags: Callable[..., list[str]], image: str, tmp_path: Path, capsys: Any
) -> None:
    folder, file = copied
    runs, named = folder.parents[1], ["--run_name", folder.name, "--model", f"{file}:Net"]
    assert main(flags(runs, "--test", *named)) == 0  # as it was
    file.write_text(file.read_text() + "\n# another one\n")
    predicting = ["--image_path", image, "--runs_dir", str(runs), "--engine", "torch", "--output", str(tmp_path / "no")]
    for words in (flags(runs, "--test", *named), [*predicting, *named]):
        assert main(words) == 2
        assert "made with other content of mynet.py (" in capsys.readouterr().err


def test_what_model_json_says_of_a_net_is_looked_into(copied: tuple[Path, Path], image: str, capsys: Any) -> None:
    folder, _ = copied
    whole = json.loads((folder / "model.json").read_text())
    for changes, field in (
        ({"model": "../mynet.py:Net"}, "model"),
        ({"net": {"kind": "smp", "source": "x", "arguments": []}}, "model"),
        ({"net": {"kind": "elsewhere", "source": "x", "arguments": []}}, "model"),
        ({"net": {"kind": "file", "source": "x"}}, "net.arguments"),
        ({"net": {}}, "model"),
        ({"net": whole["net"] | {"arguments": ["a=1"] * 200}}, "net.arguments"),
    ):
        (folder / "model.json").write_text(json.dumps(whole | changes))
        assert main(["--image_path", image, "--runs_dir", str(folder.parents[1]), "--run_name", folder.name]) == 2
        assert f"model.json: damaged ({field})" in capsys.readouterr().err


def test_arguments_reach_each_net_and_its_config(options_for: Any, net: Path, tmp_path: Path) -> None:
    settings = ["smp:FPN:resnet18.decoder_dropout=0.5", f"{net}:Net.features=[1,2]", "buda.num_epochs=2"]
    models = ["buda", "smp:FPN:resnet18", f"{net}:Net"]
    asked = options_for(tmp_path, models=models, schedules=["none"], model_settings=settings)
    found = [one.model.model_arguments for one in experiments_of(asked)]
    assert found == [(), ("decoder_dropout=0.5",), ("features=[1,2]",)]


def test_one_that_does_not_fit_is_refused_before_anything_is_written(
    options_for: Any, phantom_cohort: Any, tmp_path: Path
) -> None:
    options: Options = options_for(tmp_path, model="smp:FPN:resnet18", **TINY | {"image_size": 40})
    with pytest.raises(UserError, match=r"^`image_size` 40: smp:FPN:resnet18 fails with .*; write 32 or 64$"):
        open_experiment(options, phantom_cohort)
    assert not run_folder(options).path.exists()


def test_a_net_that_onnx_cannot_express_is_trained_and_tested_all_the_same(
    options_for: Any, tmp_path: Path, no_report: None
) -> None:
    forward = "self.last(torch.linalg.matrix_exp(self.first(image) / 100))"
    path = write_net(tmp_path, forward)
    folder = compare(options_for(tmp_path, models=[f"{path}:Net"], schedules=["none"], **TINY))
    run = folder / "mynet-Net-none-s0-f0"
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "finished" and record["onnx"].startswith("not written: ")
    assert not (run / "model.onnx").exists() and (run / "cases.csv").exists()


@pytest.mark.exhaustive
def test_any_nets_are_compared_and_reported(net: Path, flags: Callable[..., list[str]], tmp_path: Path) -> None:
    models = f"unet,smp:FPN:resnet18,monai:BasicUNet,{net}:Net"
    settings = "unet.width=2,monai:BasicUNet.features=[2,2,4,4,4,2],smp:FPN:resnet18.decoder_dropout=0"
    words = ["--compare", "--models", models, "--model_settings", settings, "--schedules", "none", "--num_epochs", "1"]
    words += ["--image_size", "32", "--empty_slices", "0.1", "--comparison", "any"]
    assert main(flags(tmp_path, *words)) == 0
    titles = {"unet", "smp:FPN:resnet18", "monai:BasicUNet", "mynet.py:Net"}
    scores = pd.read_csv(tmp_path / "any" / "results.csv")
    assert set(scores["entrant"]) >= {f"{title} none" for title in titles}
    assert {path.name for path in (tmp_path / "any").glob("*-s0-f0")} == {
        f"{name}-none-s0-f0" for name in ("unet", "smp-FPN-resnet18", "monai-BasicUNet", "mynet-Net")
    }
    page = (tmp_path / "any" / "report.html").read_text()
    assert all(f"{title}, no schedule" in page for title in titles)
    figures = [path.name for path in (tmp_path / "any" / "figures").rglob("*")]
    assert "plate-smp-FPN-resnet18-none.png" in figures and ":" not in "".join(figures)


def test_the_file_of_the_how_to_page_is_an_entrant(options_for: Any, phantom_cohort: Any, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/add-a-model.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "mynet.py").write_text(code)
    [words] = [
        line.split()[2:] for line in page.splitlines() if line.startswith("python main.py --compare --models unet,")
    ]
    asked = parse([word.replace("mynet.py", f"{tmp_path}/mynet.py") for word in words])
    *_, last = experiments_of(asked)
    assert last.model.model_arguments == ("features=8",)
    options = options_for(tmp_path, model=last.model.model, model_arguments=["features=8"], **TINY)
    assert open_experiment(options, phantom_cohort).net["source"] == "mynet.py"


def test_the_shipped_model_is_as_it_was() -> None:
    assert "net" not in json.loads((SHIPPED / "model.json").read_text())
