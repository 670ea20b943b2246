"""`torch.hub.load` from a checkout: every model of the table, and a trained one from its bundle."""

import importlib.util
import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.errors import UserError
from headtohead.models.registry import MODELS, build_model
from headtohead.predicting.predict import predict
from headtohead.predicting.scan import scan_of
from headtohead.preparing.recipe import buda_chain
from headtohead.readers.lgg import TASK as LGG_TASK
from headtohead.scoring.components import label_components
from headtohead.task import Target, Targets
from headtohead.trained import shipped
from headtohead.trained.bundle import write_bundle, write_safetensors
from headtohead.trained.facts import ModelFacts
from headtohead.trained.shipped import shipped_bundles
from headtohead.trained.source import WEIGHTS, Source

CHECKOUT = str(Path(__file__).resolve().parents[1])


def load(name: str, *given: Any, **options: Any) -> Any:
    return torch.hub.load(CHECKOUT, name, *given, source="local", **options)


def test_every_model_of_the_table_is_an_entry_point_and_explains_itself() -> None:
    place = importlib.util.spec_from_file_location("hubconf_to_read", Path(CHECKOUT) / "hubconf.py")
    assert place and place.loader
    hubconf = importlib.util.module_from_spec(place)
    place.loader.exec_module(hubconf)
    for name in (*MODELS, "bundle", "predictor"):
        assert inspect.getdoc(getattr(hubconf, name)), name
    for package in hubconf.dependencies:
        assert importlib.util.find_spec(package), package


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_as_published_unless_told_otherwise(name: str) -> None:
    assert sum(weight.numel() for weight in load(name).parameters()) == MODELS[name].parameters


@pytest.mark.parametrize("name", ["unet", "buda", "fetal_unet"])
def test_channels_and_width(name: str) -> None:
    model = load(name, in_channels=5, width=4, pretrained=False)
    assert model(torch.randn(1, 5, 32, 32)).shape == (1, 1, 32, 32)
    expected = build_model(name, 5, width=4)
    assert {key: value.shape for key, value in model.state_dict().items()} == {
        key: value.shape for key, value in expected.state_dict().items()
    }


@pytest.mark.parametrize("name", MODELS)
def test_several_logits(name: str) -> None:
    assert load(name, out_channels=3).eval()(torch.randn(1, MODELS[name].in_channels, 32, 32)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("name", ["unet", "buda", "fetal_unet"])
def test_weights_that_do_not_exist_are_not_pretended(name: str) -> None:
    with pytest.raises(ValueError, match="no pretrained weights go by this name; load a trained model with bundle"):
        load(name, pretrained=True)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "given", [{"in_channels": 0}, {"in_channels": "3"}, {"out_channels": True}, {"width": -1}, {"width": 2.5}], ids=str
)
def test_what_is_no_number_of_channels_is_said_in_a_line(name: str, given: dict[str, Any]) -> None:
    [(what, value)] = given.items()
    with pytest.raises(ValueError, match=f"^{name}: {what}={value!r}: must be a whole number from "):
        load(name, **given)


def test_the_pretrained_encoder_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr("headtohead.models.registry.build_model", lambda *_, **given: asked.update(given))
    load("resnext", pretrained=True)
    assert asked["encoder_weights"] == "imagenet"


def test_a_bundle(tmp_path: Path) -> None:
    torch.manual_seed(0)
    facts = ModelFacts("mine", "unet", 4, 3, {"image_size": 32, "normalise": "unit", "neighbours": 0}, task=LGG_TASK)
    net = build_model("unet", 3, width=4)
    write_bundle(Source(facts, None, net.state_dict()), tmp_path / "mine")
    model = load("bundle", str(tmp_path / "mine"))
    image = torch.randn(2, 3, 32, 32)
    assert torch.equal(model(image), net(image)) and not model.training
    assert model.facts == facts
    with pytest.raises(UserError, match="not a bundle"):
        load("bundle", str(tmp_path))


def test_a_bundle_predicts_as_the_program_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = replace(LGG_TASK, targets=Targets((Target("whole", (1, 3)), Target("core", (3,)))))
    facts = ModelFacts("mine", "unet", 4, 3, {"image_size": 32, "normalise": "unit", "neighbours": 0}, task=task)
    net = build_model("unet", 3, width=4, out_channels=2)
    write_bundle(Source(facts, None, net.state_dict()), tmp_path / "mine")
    volume = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    models = load("predictor", str(tmp_path / "mine"), threshold=0.5, postprocessing="core:largest")
    found = predict(scan_of(volume), models)
    with torch.inference_mode():
        expected = net.eval()(torch.from_numpy(volume).permute(0, 3, 1, 2) / 255).sigmoid().transpose(0, 1).numpy()
    np.testing.assert_allclose(found.probability, expected, atol=0.03)
    core = label_components(found.targets.encode(found.labels)[1])[1]
    assert len(core) <= 2 and set(np.unique(found.labels)) <= {0, 1, 3}


class TestPublishedUNet:
    """`unet` under the arguments of the entry that Buda et al. published."""

    def test_it_is_their_net_and_gives_probabilities(self) -> None:
        model = load("unet", in_channels=3, out_channels=1, init_features=32, pretrained=False).eval()
        assert sum(weight.numel() for weight in model.parameters()) == 7_763_041
        net = build_model("buda", 3).eval()
        net.load_state_dict(model.state_dict())  # by the published names
        image = torch.randn(1, 3, 32, 32)
        assert torch.equal(model(image), net(image).sigmoid())

    def test_a_published_file_loads(self, tmp_path: Path) -> None:
        net = build_model("buda", 3, width=8).eval()
        torch.save(net.state_dict(), tmp_path / "unet.pt")
        sizes = {"in_channels": 3, "out_channels": 1, "init_features": 8}
        model = load("unet", **sizes, pretrained=True, weights=str(tmp_path / "unet.pt"))
        image = torch.randn(1, 3, 32, 32)
        assert torch.equal(model(image), net(image).sigmoid()) and not model.training
        assert [step.kind for step in model.facts.chain.steps][-2:] == ["spline", "standardise"]
        with pytest.raises(ValueError, match=r"unet.pt has in_channels=3, out_channels=1, init_features=8: give these"):
            load("unet", init_features=32, pretrained=True, weights=str(tmp_path / "unet.pt"))

    @pytest.mark.parametrize("name", sorted(shipped_bundles()))
    def test_without_a_file_it_is_a_model_that_comes_with_the_program(self, name: str) -> None:
        bundle = load("bundle", str(shipped_bundles()[name]))
        width = bundle.facts.width or 32
        model = load("unet", in_channels=bundle.facts.in_channels, init_features=width, pretrained=True)
        image = torch.randn(1, bundle.facts.in_channels, 32, 32)
        with torch.inference_mode():
            assert torch.equal(model(image), bundle(image).sigmoid())
        assert model.facts == bundle.facts and not model.training

    def test_as_published_it_is_the_bundle_of_that_net(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whether or not this copy of the program has its weights."""
        monkeypatch.setitem(shipped.ROWS, "buda", tmp_path)
        published = {"in_channels": 3, "out_channels": 1, "init_features": 32, "pretrained": True}
        with pytest.raises(
            ValueError,
            match=r"no weights for in_channels=3, out_channels=1, init_features=32 come with this copy of the program; "
            r"give in_channels=5, out_channels=1, init_features=16, or the published file as weights='unet.pt'",
        ):
            load("unet", **published)
        net = build_model("buda", 3).eval()
        facts = ModelFacts("published", "buda", 0, 3, buda_chain(3).to_dict(), task=LGG_TASK)
        facts.write(tmp_path)
        write_safetensors(net, facts, tmp_path / WEIGHTS, half=True)
        model, image = load("unet", **published), torch.randn(1, 3, 32, 32)
        with torch.inference_mode():
            assert torch.equal(model(image), net.half().float()(image).sigmoid()) and not model.training
        assert model.facts == facts
        with pytest.raises(ValueError, match="16 or in_channels=3, out_channels=1, init_features=32, or the published"):
            load("unet", **published | {"in_channels": 1})

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (
                {"init_features": 24, "pretrained": True},
                "no weights for in_channels=3, .* init_features=24",
            ),
            ({"init_features": 16, "width": 16}, "leave one of them out"),
            ({"init_features": -1}, "^unet: init_features=-1: must be a whole number from 0 to 1024$"),
            ({"init_features": True}, "init_features=True: must be"),
            ({"init_features": 2.5}, r"init_features=2\.5: must be"),
            ({"init_features": "32"}, "init_features='32': must be"),
            ({"init_features": 16, "in_channels": "3"}, "in_channels='3': must be a whole number from 1"),
            ({"init_features": 16, "in_channels": 0}, "in_channels=0: must be"),
            ({"init_features": 16, "out_channels": None}, "out_channels=None: must be"),
            ({"init_features": 16, "weights": "unet.pt"}, "pretrained=True; add it"),
            ({"weights": "unet.pt", "pretrained": True}, "add init_features=32"),
        ],
    )
    def test_what_is_not_at_hand_is_said_in_a_line(self, given: dict[str, Any], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            load("unet", **given)

    def test_a_missing_file_is_named(self) -> None:
        with pytest.raises(UserError, match=r"unet: weights nowhere\.pt: no such file"):
            load("unet", init_features=16, pretrained=True, weights="nowhere.pt")
