"""A bundle holds all of a model, answers as the model does, and nothing in it is ever run."""

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import save_file

from headtohead.errors import UserError
from headtohead.models.registry import build_model
from headtohead.trained.bundle import PLACES, load_bundle, write_bundle
from headtohead.trained.engines.onnx_engine import OnnxEngine
from headtohead.trained.facts import FILE, ModelFacts
from headtohead.trained.source import ONNX, WEIGHTS, Source, open_source

ALWAYS = {FILE, WEIGHTS, ONNX, "README.md"}


def answer(facts: ModelFacts, state: dict[str, torch.Tensor], slices: np.ndarray) -> np.ndarray:
    model = build_model(facts.model, facts.in_channels, width=facts.width).eval()
    model.load_state_dict(state)
    with torch.inference_mode():
        return model(torch.from_numpy(slices)).sigmoid().numpy()


class TestOfARun:
    """A run folder that was trained and tested, as a bundle."""

    def test_files(self, run_folder: Path, tmp_path: Path) -> None:
        folder = write_bundle(open_source(run_folder), tmp_path / "out" / "mine")
        assert folder == tmp_path / "out" / "mine"
        assert {path.name for path in folder.iterdir()} == ALWAYS | {"config.yaml", "cases.csv"}
        assert [path.name for path in folder.parent.iterdir()] == ["mine"], "nothing temporary stays"
        assert (folder / "cases.csv").read_text() == (run_folder / "cases.csv").read_text()
        plain = tmp_path / "plain"
        plain.touch()
        assert {path.stat().st_mode for path in folder.iterdir()} == {plain.stat().st_mode}, "as readable as any file"
        plain.unlink()
        plain.mkdir()
        assert folder.stat().st_mode == plain.stat().st_mode

    def test_it_answers_as_the_run_does(self, run_folder: Path, tmp_path: Path, made: Any) -> None:
        facts, net = load_bundle(write_bundle(open_source(run_folder), tmp_path / "mine"))
        state = net.state_dict()
        assert facts == open_source(run_folder).facts
        np.testing.assert_array_equal(answer(facts, state, made.slices), made.expected)
        np.testing.assert_allclose(
            OnnxEngine(tmp_path / "mine" / ONNX, made.source.facts)(made.slices), made.expected, atol=1e-4
        )

    def test_it_says_nothing_of_where_the_run_was_made(self, run_folder: Path, tmp_path: Path) -> None:
        folder = write_bundle(open_source(run_folder), tmp_path / "mine")
        options = yaml.safe_load((folder / "config.yaml").read_text())
        assert options["model"] == "buda" and not set(options) & set(PLACES)
        for path in folder.iterdir():
            assert b"/secret" not in path.read_bytes()

    def test_half_the_space(self, run_folder: Path, tmp_path: Path, made: Any) -> None:
        source = open_source(run_folder)
        whole, half = write_bundle(source, tmp_path / "whole"), write_bundle(source, tmp_path / "half", half=True)
        weights = {folder: (folder / WEIGHTS).stat().st_size for folder in (whole, half)}
        assert weights[half] < 0.7 * weights[whole]
        facts, net = load_bundle(half)
        state = net.state_dict()
        found = answer(facts, state, made.slices)
        assert {value.dtype for value in state.values()} <= {torch.float32, torch.int64}
        assert np.abs(found - made.expected).max() < 0.02 and (found != made.expected).any()
        np.testing.assert_allclose(OnnxEngine(half / ONNX, made.source.facts)(made.slices), found, atol=1e-2)

    def test_a_bundle_of_a_bundle_is_the_same(self, run_folder: Path, tmp_path: Path) -> None:
        first = write_bundle(open_source(run_folder), tmp_path / "first")
        again = write_bundle(open_source(first), tmp_path / "again")
        assert {path.name for path in again.iterdir()} == {path.name for path in first.iterdir()}
        for path in first.iterdir():
            assert (again / path.name).read_bytes() == path.read_bytes(), path.name

    @pytest.mark.parametrize("file", ["cases.csv", ONNX])
    def test_a_file_that_cannot_be_passed_on_is_named(self, run_folder: Path, tmp_path: Path, file: str) -> None:
        first = write_bundle(open_source(run_folder), tmp_path / "first")
        path = first / file
        if file == ONNX:
            onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
        else:
            path.unlink()
            os.mkfifo(path)
        with pytest.raises(UserError, match=rf"{file}: (refused, since it reads other files|cannot be read)"):
            write_bundle(open_source(first), tmp_path / "again")
        assert not (tmp_path / "again").exists()

    def test_a_bundle_whose_onnx_got_lost_gets_it_again(self, made: Any, tmp_path: Path) -> None:
        folder = write_bundle(Source(made.source.facts, None, made.model.state_dict()), tmp_path / "mine")
        np.testing.assert_allclose(OnnxEngine(folder / ONNX, made.source.facts)(made.slices), made.expected, atol=1e-4)
        assert {path.name for path in folder.iterdir()} == ALWAYS, "weights alone have no options and no scores"


def test_weights_carry_the_facts(made: Any, tmp_path: Path) -> None:
    folder = write_bundle(made.source, tmp_path / "mine")
    with safe_open(folder / WEIGHTS, "pt") as file:
        assert json.loads(file.metadata()[FILE])["recipe"] == made.source.facts.recipe


class TestReplacing:
    def test_only_when_told_to(self, made: Any, tmp_path: Path) -> None:
        folder = write_bundle(made.source, tmp_path / "mine")
        (folder / "note.txt").write_text("kept")
        with pytest.raises(UserError, match=r"mine: already exists; .* or add `overwrite`$"):
            write_bundle(made.source, folder)
        assert (folder / "note.txt").is_file()
        write_bundle(made.source, folder, overwrite=True)
        assert not (folder / "note.txt").exists()

    def test_broken_off_while_the_old_one_goes_it_is_whole(self, made: Any, tmp_path: Path) -> None:
        """Half of it under its own name would be no bundle, which the same command refuses to replace."""
        folder = write_bundle(made.source, tmp_path / "mine")

        def broken_off(path: Path, **_: Any) -> None:
            for one in path.rglob(FILE):
                one.unlink()
            raise SystemExit

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shutil, "rmtree", broken_off)
            with pytest.raises(SystemExit):
                write_bundle(made.source, folder, overwrite=True)
        assert load_bundle(folder)[0] == made.source.facts

    def test_never_a_folder_that_is_no_bundle(self, made: Any, tmp_path: Path) -> None:
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
        with pytest.raises(UserError, match="not a bundle, so it is kept"):
            write_bundle(made.source, tmp_path / "thesis", overwrite=True)
        assert (tmp_path / "thesis" / "chapter.tex").is_file()

    def test_a_fault_on_the_way_leaves_nothing(self, made: Any, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr("headtohead.trained.bundle.model_card", lambda *_: 1 / 0)
        (tmp_path / "out").mkdir()
        with pytest.raises(ZeroDivisionError):
            write_bundle(Source(made.source.facts, None, made.model.state_dict()), tmp_path / "out" / "mine")
        assert not list((tmp_path / "out").iterdir())


class Malicious:
    """Unpickled, it makes a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("place", [WEIGHTS, FILE, "checkpoints/best.ckpt"])
@pytest.mark.parametrize("torch_format", [True, False])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_in_any_file_is_refused_and_not_run(place: str, torch_format: bool, made: Any, tmp_path: Path) -> None:
    folder, trace = tmp_path / "mine", tmp_path / "was-here"
    write_bundle(made.source, folder)
    if place.endswith("best.ckpt"):
        for file in folder.iterdir():
            file.unlink()
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    if torch_format:
        torch.save({"state_dict": Malicious(trace)}, path)
    else:
        path.write_bytes(pickle.dumps(Malicious(trace)))
    with pytest.raises(UserError) as caught:
        load_bundle(folder)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 8}, "the weights do not fit model buda"),
        ({"width": "wide"}, "damaged"),
        ({"in_channels": None}, "damaged"),
        ({"model": "nothing"}, r"damaged \(model\)"),
        ({"recipe": {"size": 1}}, "damaged"),
        ({"format": 99}, "another version"),
    ],
)
def test_facts_that_do_not_fit_are_refused_in_a_line(
    change: dict[str, Any], said: str, made: Any, tmp_path: Path
) -> None:
    folder = write_bundle(made.source, tmp_path / "mine")
    facts = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps(facts | change))
    with pytest.raises(UserError, match=said) as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "missing"])
def test_damaged_weights_are_refused_in_a_line(damage: str, made: Any, tmp_path: Path) -> None:
    folder = write_bundle(made.source, tmp_path / "mine")
    path = folder / WEIGHTS
    if damage == "missing":
        path.unlink()
    elif damage == "other":
        save_file({"a": torch.zeros(1)}, path)
    else:
        path.write_bytes(path.read_bytes()[: 1000 if damage == "cut" else 0])
    with pytest.raises(UserError, match=r"^.*mine.*: ") as caught:
        load_bundle(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no model\.json in it, so it is not a bundle"):
        load_bundle(tmp_path)
