"""Nets of libraries and files are built, asked what a row declares, and refused with the mend where they do not fit."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from headtohead.errors import UserError
from headtohead.models.asking import has_batch_norm, refuse_unfit_net
from headtohead.models.bounded import NetTooLarge, bounded_to
from headtohead.models.registry import MODELS, build_model, find_spec
from headtohead.models.sources import asked_source, source_of
from tests.models.nets_of_others import NET, write_net


def shape_of(net: torch.nn.Module, channels: int, size: int) -> tuple[int, ...]:
    with torch.inference_mode():
        return tuple(net.eval()(torch.zeros(2, channels, size, size)).shape)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("smp:FPN:resnet18", ("decoder_dropout=0", "decoder_merge_policy=cat")),
        ("monai:BasicUNet", ("features=[2,2,4,4,4,2]",)),
        ("smp:Unet:tu-mobilenetv3_small_050", ("decoder_channels=[8,8,8,8,8]",)),
    ],
)
def test_a_library_is_told_channels_logits_and_arguments(name: str, arguments: tuple[str, ...]) -> None:
    net = build_model(name, 5, out_channels=3, arguments=arguments)
    assert shape_of(net, 5, 32) == (2, 3, 32, 32)
    plain = build_model(name, 5, out_channels=3)
    assert sum(weight.numel() for weight in net.parameters()) != sum(weight.numel() for weight in plain.parameters())


def test_the_seed_decides_the_weights_and_asking_leaves_the_random_numbers(tmp_path: Path) -> None:
    name = f"{write_net(tmp_path)}:Net"
    torch.manual_seed(3)
    first = build_model(name, 3)
    torch.manual_seed(3)
    asked_source(name, (), 3, 1, 32)
    again = build_model(name, 3)
    assert torch.equal(first.first.weight, again.first.weight)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("smp:FNP:resnet18", (), "segmentation_models_pytorch has no FNP; did you mean FPN?; it has Unet, "),
        ("smp:FPN:resnet19", (), "segmentation_models_pytorch has no encoder resnet19; did you mean resnet1"),
        ("smp:FPN:tu-resnet19", (), "timm has no encoder tu-resnet19; did you mean tu-resnet1"),
        ("monai:BasicUNt", (), "MONAI has no net BasicUNt; did you mean BasicUNet?"),
        (
            "monai:UNet",
            (),
            "monai:UNet: needs channels and strides; give `model_settings` monai:UNet.channels=",
        ),
        ("monai:BasicUNet", ("feature=3",), "monai:BasicUNet.feature: no such argument; did you mean features?; it "),
        (
            "monai:BasicUNet",
            ("spatial_dims=3",),
            "monai:BasicUNet.spatial_dims: is settled by the program",
        ),
        ("smp:FPN:resnet18", ("encoder_weights=imagenet",), "encoder_weights: is settled by the program"),
        ("smp:FPN:resnet18", ("activation=sigmoid",), "activation: is settled by the program"),
        ("smp:FPN:resnet18", ("encoder_depth=40",), "smp:FPN:resnet18: cannot be built: "),
        ("smp:FPN:resnet18", ("kernel=4",), "smp:FPN:resnet18.kernel: no such argument"),
        ("smp:FPN:resnet18", ("encoder_depth=4", "encoder_depth=5"), "encoder_depth is given twice"),
        ("smp:FPN:resnet18", ("encoder_depth={a: 1}",), "takes a number up to 99999, a word or a list"),
        ("smp:FPN:resnet18", ("decoder_pyramid_channels=100000",), "takes a number up to 99999"),
        ("smp:FPN:resnet18", ("encoder_depth=!!python/name:os.system",), "encoder_depth="),
        ("smp:FPN:resnet18", ("encoder_depth=[1",), "not valid YAML"),
        ("unet", ("depth=3",), "`model_arguments` depth=3: unet takes none"),
    ],
)
def test_what_a_library_does_not_have_is_refused(name: str, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError) as caught:
        build_model(name, 3, arguments=arguments)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("class Net: pass", "takes no number of input channels; give it an argument in_channels"),
        (NET.replace("in_channels", "colours"), "takes no number of input channels"),
        (NET.replace("num_classes", "answers"), "takes no number of logits a pixel; give it an argument out_channels"),
        (NET.replace("features=2", "features"), "needs features; give `model_settings` mynet.py:Net.features=..."),
        ("Net = 3", "is no class or function; name a class or function that "),
        ("class Nett: pass", "no Net in it; did you mean Nett?; name a class or function"),
        ("import nowhere", "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("def broken(:", "cannot be imported: SyntaxError in line 1: "),
        ("def Net(in_channels, classes): return 3", "gives a int, not a torch.nn.Module; return the net"),
        ("def Net(in_channels, classes): raise ValueError('too few')", "cannot be built: ValueError: too few"),
    ],
)
def test_a_file_that_holds_no_net_is_refused(body: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(body)
    with pytest.raises(UserError) as caught:
        build_model(f"{tmp_path}/mynet.py:Net", 3)
    assert said in str(caught.value) and "\n" not in str(caught.value)


HALVED = "nn.functional.interpolate(self.last(nn.functional.avg_pool2d(self.first(image), 4)), scale_factor=4)"


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (
            "self.first(image)",
            r"gives \[n, 2, 34, 34\] in evaluation mode; from images \[n, 3, 34, 34\] logits \[n, 1, ",
        ),
        ("(self.last(self.first(image)),)", "gives a tuple, not one tensor, in evaluation mode"),
        ("self.last(self.first(image)).mean()", "gives one number"),
        ("[self.last(self.first(image))] if self.training else self.last(self.first(image))", "a list.* training"),
        ("self.last(self.first(image)).sigmoid()", "gives values from 0 to 1 alone.* return logits, without a si"),
        (HALVED, r"^`image_size` 34: .*mynet.py:Net gives \[n, 1, 32, 32\]; write 32 or 36$"),
        (
            f"{HALVED} + self.last(self.first(image))",
            r"`image_size` 34: .* fails with RuntimeError: .*; write 32 or 36$",
        ),
        ("self.nothing(image)", "fails with AttributeError: .*nothing"),
    ],
)
def test_a_net_that_does_not_fit_is_told_what_is_expected(forward: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said) as caught:
        asked_source(f"{write_net(tmp_path, forward)}:Net", (), 3, 1, 34)
    assert "\n" not in str(caught.value)


def test_a_net_without_parameters_is_refused() -> None:
    with pytest.raises(UserError, match="has no parameter to train"):
        refuse_unfit_net(torch.nn.Identity(), "nothing", 1, 1, 8)


def test_an_import_inside_a_function_is_told_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "late_neighbour.py").write_text("SIZE = 2")
    (tmp_path / "mynet.py").write_text("def Net(in_channels, classes):\n    import late_neighbour\n")
    with pytest.raises(UserError, match=r"imports late_neighbour inside a function.* at the top of the file"):
        asked_source(f"{tmp_path}/mynet.py:Net", (), 3, 1, 32)


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "def Net(in_channels, classes): raise SystemExit(0)"])
def test_a_net_that_ends_the_program_is_refused(body: str, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(body)
    with pytest.raises(UserError, match="SystemExit"):
        build_model(f"{tmp_path}/mynet.py:Net", 3)


LAZY = "def Net(in_channels, classes):\n    from torch import nn\n    return nn.LazyConv2d(classes, 1)\n"


def test_lazy_layers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(LAZY)
    with pytest.raises(UserError, match="has lazy layers; give their number of input channels"):
        asked_source(f"{tmp_path}/mynet.py:Net", (), 3, 1, 32)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gives values that are not finite"):
        asked_source(f"{write_net(tmp_path, 'self.last(self.first(image)) / 0')}:Net", (), 3, 1, 32)


def test_a_head_of_zeros_gives_no_probabilities() -> None:
    net = torch.nn.Conv2d(3, 1, 1)
    torch.nn.init.zeros_(net.weight)
    torch.nn.init.zeros_(net.bias)
    refuse_unfit_net(net, "from zero", 3, 1, 32)


def test_the_rows_fit_and_say_of_batch_norm_what_is_there() -> None:
    for spec in MODELS.values():
        net = build_model(spec.name, spec.in_channels, width=2 if spec.width else 0)
        refuse_unfit_net(net, spec.name, spec.in_channels, 1, 32)
        assert has_batch_norm(net) is spec.batch_norm


def test_a_file_that_imports_its_neighbour_and_a_copy_with_another_one(tmp_path: Path) -> None:
    """Each has its own neighbour, both are part of the hash, and nothing of them stays importable."""
    sources = []
    for folder, features in (("a", 2), ("b", 3)):
        path = write_net(tmp_path / folder)
        path.write_text("from sizes_of_mine import SIZE\n" + NET.replace("features=2", "features=SIZE"))
        (path.parent / "sizes_of_mine.py").write_text(f"SIZE = {features}\n")
        assert build_model(f"{path}:Net", 3).first.out_channels == features
        sources.append(source_of(find_spec(f"{path}:Net").form))
    assert sources[0]["source"] == sources[1]["source"] == "mynet.py"
    assert sources[0]["sha256"] != sources[1]["sha256"]
    assert "sizes_of_mine" not in sys.modules and str(tmp_path / "a") not in sys.path


def test_a_file_changed_within_the_same_second_is_run_anew(tmp_path: Path) -> None:
    path = write_net(tmp_path)
    before = source_of(find_spec(f"{path}:Net").form)
    path.write_text(NET.replace("features=2", "features=7"))
    assert build_model(f"{path}:Net", 3).first.out_channels == 7
    assert source_of(find_spec(f"{path}:Net").form)["sha256"] != before["sha256"]


@pytest.mark.parametrize("encoder", ["resnet18", "efficientnet-b0", "tu-mobilenetv3_small_050"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_an_encoder_starts_from_a_file(encoder: str, channels: int, tmp_path: Path) -> None:
    from segmentation_models_pytorch.encoders import get_encoder

    state = get_encoder(encoder, in_channels=3, weights=None).state_dict()
    save_file(state, tmp_path / "start.safetensors")
    found = build_model(
        f"smp:FPN:{encoder}", channels, encoder_weights=str(tmp_path / "start.safetensors")
    ).encoder.state_dict()
    [first] = [name for name in state if state[name].shape != found[name].shape] or [None]
    assert (first is None) is (channels == 3)
    assert all(torch.equal(found[name], state[name]) for name in state if name != first)
    if first:
        taken = [0, 1, 2, 0, 1][:channels]
        torch.testing.assert_close(found[first], state[first][:, taken] * 3 / channels)


def test_weights_of_another_encoder_are_refused(tmp_path: Path) -> None:
    from segmentation_models_pytorch.encoders import get_encoder

    save_file(get_encoder("resnet18", weights=None).state_dict(), tmp_path / "start.safetensors")
    with pytest.raises(UserError, match="not the weights of efficientnet-b0"):
        build_model("smp:FPN:efficientnet-b0", 3, encoder_weights=str(tmp_path / "start.safetensors"))
    with pytest.raises(UserError, match="has no pretrained encoder"):
        build_model("monai:BasicUNet", 3, encoder_weights=str(tmp_path / "start.safetensors"))


@pytest.mark.parametrize("name", ["monai:SwinUNETR", "smp:FPN:tu-mobilenetv3_small_050"])
def test_it_may_be_built_for_its_own_weights(name: str) -> None:
    weights = build_model(name, 3).state_dict()
    with bounded_to(weights):
        assert build_model(name, 3).state_dict().keys() == weights.keys()


@pytest.mark.parametrize("arguments", [("blocks_down=[99999]", "blocks_up=[]"), ("init_filters=80000",)])
def test_arguments_made_up_to_exhaust_the_memory_cost_none(arguments: tuple[str, ...]) -> None:
    """A hundred thousand blocks would take minutes; as many channels a terabyte."""
    few = bounded_to({"weight": torch.zeros(3)})
    with torch.device("meta"), few, pytest.raises(NetTooLarge, match=r"has far more (tensors|numbers)"):
        build_model("monai:SegResNet", 3, arguments=arguments)
