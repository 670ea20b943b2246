"""Checkpoints are data: what would run code, is cut short or comes from elsewhere is refused in one line."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from headtohead.errors import UserError
from headtohead.learning.checkpoint import read_checkpoint
from headtohead.models.pretrained import read_encoder_weights
from headtohead.preparing.recipe import InputRecipe
from tests.trained_nets import load_trained


class Planted:
    """Touches a file as soon as it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


@pytest.fixture(scope="module")
def written(make_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What prediction needs of a checkpoint, as Lightning names it."""
    module = make_module(threshold=0.4)
    path = tmp_path_factory.mktemp("checkpoint") / "best.ckpt"
    facts = {"hyper_parameters": dict(module.hparams), "state_dict": module.state_dict(), "epoch": 3}
    torch.save(facts, path)
    return path


def forged(written: Path, path: Path, how: str) -> Path:
    """Pack a checkpoint anew, or list an entry of it many times."""
    method = zipfile.ZIP_DEFLATED if how == "packed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w", method) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry.filename))
        if how == "overlapping":
            largest = max(target.infolist(), key=lambda entry: entry.file_size)
            target.filelist += [largest] * 20
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_trained(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_all_that_prediction_needs_is_inside(written: Path, make_module: Any) -> None:
    trained = load_trained(written)
    assert (trained.recipe, trained.threshold) == (InputRecipe(32, "inner", 1), 0.4)
    module, image = make_module().eval(), torch.rand(1, 5, 32, 32)
    with torch.inference_mode():
        assert torch.equal(trained.model(image), module.model(image))


@pytest.mark.parametrize("zipped", [True, False])
def test_planted_code_is_not_run(tmp_path: Path, zipped: bool) -> None:
    path, marker = tmp_path / "planted.ckpt", tmp_path / "ran"
    torch.save({"state_dict": Planted(marker)}, path, _use_new_zipfile_serialization=zipped)
    assert "refused" in refusal(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists(), "the trap must work, or the test proves nothing"


def test_planted_code_in_a_bare_pickle_is_not_run(tmp_path: Path) -> None:
    path, marker = tmp_path / "planted.pkl", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Planted(marker)))
    refusal(path)
    assert not marker.exists()


def test_torchscript_is_called_by_its_name(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "model.pt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(path)
    recwarn.clear()  # of what scripting itself says
    assert refusal(path) == f"{path}: a TorchScript file, not a state dict; name a checkpoint"
    assert not recwarn.list


def test_a_bare_pickle_is_refused_without_a_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "bare.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert "refused" in refusal(path)
    assert not recwarn.list


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_cut_short(written: Path, tmp_path: Path, share: float) -> None:
    whole = written.read_bytes()
    path = tmp_path / "cut.ckpt"
    path.write_bytes(whole[: int(share * len(whole))])
    refusal(path)


@pytest.mark.parametrize("how", ["packed", "overlapping"])
def test_what_unpacks_to_more_than_it_holds_is_not_unpacked(written: Path, tmp_path: Path, how: str) -> None:
    path = forged(written, tmp_path / "bomb.ckpt", how)
    assert torch.load(path, weights_only=True)["epoch"] == 3, "PyTorch would take it, or the test proves nothing"
    assert "not a readable checkpoint (" in refusal(path)
    with pytest.raises(UserError, match=r"damaged \(its entries come to more"):
        read_encoder_weights(str(path.rename(tmp_path / "bomb.pt")), "resnet18", 3)


def test_missing(tmp_path: Path) -> None:
    assert "no such checkpoint" in refusal(tmp_path / "none.ckpt")


@pytest.mark.parametrize("content", [b"hello, no checkpoint\n", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(10)])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.ckpt"
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize(
    "content",
    [{"weight": torch.zeros(2)}, {}, [1, 2], torch.zeros(3), None, {"hyper_parameters": {}, "state_dict": {}}],
)
def test_foreign_checkpoints(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "foreign.ckpt"
    torch.save(content, path)
    assert "not a checkpoint of this version" in refusal(path)


@pytest.mark.parametrize("change", [{"recipe": {"image_size": 32}}, {"recipe": 32}])
def test_a_description_that_is_none(written: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    facts = read_checkpoint(written)
    facts["hyper_parameters"] |= change
    torch.save(facts, tmp_path / "odd.ckpt")
    assert "not a checkpoint of this version" in refusal(tmp_path / "odd.ckpt")
