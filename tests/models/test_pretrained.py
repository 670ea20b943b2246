import http.server
import socket
import threading

import pytest
import torch
from safetensors.torch import save_file

from headtohead.errors import UserError
from headtohead.machine import mend_torchvision
from headtohead.models import pretrained
from headtohead.models.registry import build_model

mend_torchvision()
import huggingface_hub  # noqa: E402
from huggingface_hub import constants  # noqa: E402
from segmentation_models_pytorch.encoders import encoders  # noqa: E402

ENCODER = "resnext50_32x4d"


@pytest.fixture(scope="module")
def encoder_state():
    torch.manual_seed(7)
    return build_model("resnext", 3).encoder.state_dict()


@pytest.fixture(scope="module")
def encoder_file(encoder_state, tmp_path_factory):
    file = tmp_path_factory.mktemp("weights") / "encoder.safetensors"
    save_file(encoder_state, file)
    return file


def load(file, in_channels=3):
    return build_model("resnext", in_channels, encoder_weights=str(file))


def assert_has(model, state):
    found = model.encoder.state_dict()
    assert all(torch.equal(found[name], state[name]) for name in state)


def with_classifier(state):
    return state | {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}


def inside(prefix):
    return lambda state: {prefix + name: value for name, value in state.items()} | {"decoder.other": torch.zeros(1)}


@pytest.mark.parametrize(
    "stored_as",
    [
        dict,
        with_classifier,
        inside("encoder."),
        lambda state: {"state_dict": inside("model.encoder.")(state), "epoch": 3},
    ],
    ids=["encoder alone", "torchvision's classifier", "whole model", "our checkpoint"],
)
def test_weights_load_however_they_are_stored(stored_as, encoder_state, tmp_path):
    torch.save(stored_as(encoder_state), tmp_path / "weights.pth")
    assert_has(load(tmp_path / "weights.pth"), encoder_state)


def test_torchvisions_own_model_fits():
    from torchvision.models import resnext50_32x4d

    theirs = resnext50_32x4d(weights=None).state_dict()
    pretrained._check_fit(pretrained._encoder_entries(theirs), "theirs", ENCODER, 3)


def test_three_channels_are_adapted_to_five_as_the_library_does(encoder_file, encoder_state):
    model = load(encoder_file, in_channels=5)
    found = model.encoder.conv1.weight
    stored = encoder_state["conv1.weight"]
    torch.testing.assert_close(found, stored[:, [0, 1, 2, 0, 1]] * 3 / 5)
    assert torch.equal(model.encoder.layer1[0].conv1.weight, encoder_state["layer1.0.conv1.weight"])
    assert model(torch.zeros(2, 5, 32, 32)).shape == (2, 1, 32, 32)


def test_weights_made_for_five_channels_serve_five_but_not_four(tmp_path):
    state = build_model("resnext", 5).encoder.state_dict()
    save_file(state, tmp_path / "five.safetensors")
    assert_has(load(tmp_path / "five.safetensors", in_channels=5), state)
    with pytest.raises(UserError, match="made for 5-channel inputs, but this one has 3"):
        load(tmp_path / "five.safetensors", in_channels=3)


class RunsCode:
    def __reduce__(self):
        return print, ("code ran",)


def test_a_checkpoint_with_pickled_objects_is_refused_unread(tmp_path, capsys):
    torch.save({"state_dict": RunsCode()}, tmp_path / "evil.pt")
    with pytest.raises(UserError, match="could run code when read; save it again"):
        load(tmp_path / "evil.pt")
    assert "code ran" not in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_refused(tmp_path, suffix, content):
    (tmp_path / f"weights{suffix}").write_bytes(content)
    with pytest.raises(UserError, match=r"^`encoder_weights` \S+: damaged"):
        load(tmp_path / f"weights{suffix}")


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02]q\x00K\x01\x86R.",
        b"\x80\x02(.",
        b"\x80\x02K\x01b.",
        b"\x80\x02h\x09.",
        b"\x80\x02X\x02\0\0\0\xff\xff.",
        b"\x80\x02.",
    ],
)
def test_a_malformed_pickle_is_one_line(tmp_path, content):
    (tmp_path / "weights.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"^`encoder_weights` \S+: damaged"):
        load(tmp_path / "weights.pt")


@pytest.mark.parametrize("shape", [(), (64,), (64, 3), (64, 3, 5, 5), (3, 64, 7, 7)])
def test_a_first_layer_of_another_shape_is_named(tmp_path, encoder_state, shape):
    torch.save(encoder_state | {"conv1.weight": torch.zeros(shape)}, tmp_path / "odd.pt")
    with pytest.raises(UserError, match=r"another shape: 1, such as conv1\.weight\)"):
        load(tmp_path / "odd.pt")


@pytest.mark.parametrize("content", [{"state_dict": [1]}, {"state_dict": None}, 7, {1: torch.zeros(1)}])
def test_a_pickle_without_weights_is_one_line(tmp_path, content):
    torch.save(content, tmp_path / "odd.pt")
    with pytest.raises(UserError, match="not the weights of"):
        load(tmp_path / "odd.pt")


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match=r"^`encoder_weights` nowhere\.pth: no such file"):
        load("nowhere.pth")


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"x")
    with pytest.raises(UserError, match=r"unknown file type; known are \.pth, \.pt, \.safetensors"):
        load(tmp_path / "weights.h5")


@pytest.mark.parametrize(
    "content", [{"stem.weight": torch.zeros(2)}, [torch.zeros(2)]], ids=["another net", "not a state dict"]
)
def test_weights_of_another_net_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(UserError, match=rf"not the weights of {ENCODER} \(missing, unknown or of another shape: \d+"):
        load(tmp_path / "other.pt")


def test_a_layer_of_another_shape_is_named(tmp_path, encoder_state):
    torch.save(encoder_state | {"layer4.2.bn3.bias": torch.zeros(3)}, tmp_path / "odd.pt")
    with pytest.raises(UserError, match=r"another shape: 1, such as layer4\.2\.bn3\.bias\)"):
        load(tmp_path / "odd.pt")


class TestImageNet:
    @pytest.fixture(autouse=True)
    def _own_cache(self, tmp_path, monkeypatch):
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(huggingface_hub, "hf_hub_download", self.download)
        monkeypatch.setattr(pretrained, "answers", lambda address: self.online)
        self.downloads = []
        self.online = False
        self.fault = None

    def download(self, repository, name, revision):
        self.downloads.append((repository, name, revision))
        if self.fault:
            raise self.fault
        return self.file

    def test_offline_is_said_at_once_with_the_way_out(self):
        with pytest.raises(UserError) as caught:
            load("imagenet")
        message = str(caught.value)
        assert message.startswith("`encoder_weights=imagenet`: not in the local cache, and https://")
        assert "write `encoder_weights=none`, or `encoder_weights=FILE`" in message
        assert self.downloads == []

    def test_the_hubs_own_offline_switch_is_obeyed(self, monkeypatch):
        self.online = True
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(UserError, match="cannot be reached"):
            load("imagenet")
        assert self.downloads == []

    def test_the_local_cache_serves_without_a_network(self, tmp_path, encoder_file, encoder_state):
        settings = encoders[ENCODER]["pretrained_settings"]["imagenet"]
        owner, name = settings["repo_id"].split("/")
        snapshot = tmp_path / f"models--{owner}--{name}" / "snapshots" / settings["revision"]
        snapshot.mkdir(parents=True)
        (snapshot / "model.safetensors").symlink_to(encoder_file)
        assert_has(load("imagenet"), encoder_state)
        assert self.downloads == []

    def test_online_they_are_downloaded_at_the_pinned_revision(self, encoder_file, encoder_state):
        self.online, self.file = True, str(encoder_file)
        assert_has(load("imagenet"), encoder_state)
        settings = encoders[ENCODER]["pretrained_settings"]["imagenet"]
        assert self.downloads == [(settings["repo_id"], "model.safetensors", settings["revision"])]

    def test_a_download_that_breaks_off_is_one_line(self):
        self.online, self.fault = True, ConnectionResetError("half way")
        with pytest.raises(UserError, match=r"download failed \(ConnectionResetError\); write `encoder_weights=none`"):
            load("imagenet")


class TestAnswers:
    def test_any_reply_counts_even_an_error(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)  # replies 501 to HEAD
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert pretrained.answers(f"http://127.0.0.1:{server.server_port}", patience=10)
        server.server_close()

    def test_silence_does_not(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert not pretrained.answers(f"http://127.0.0.1:{server.getsockname()[1]}", patience=0.2)

    def test_a_closed_door_does_not(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        assert not pretrained.answers(f"http://127.0.0.1:{port}", patience=5)
