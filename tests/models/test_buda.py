"""The names and shapes of the published weights, spelt out from the paper's facts and not from our code."""

import pytest
import torch

from headtohead.models.buda import BudaUNet


def published_shapes(in_channels=3):
    """The state dict as published: blocks enc1..4, bottleneck, dec1..4 of two convolutions with batch norm."""
    shapes = {}
    blocks = [
        ("encoder1", "enc1", in_channels, 32),
        ("encoder2", "enc2", 32, 64),
        ("encoder3", "enc3", 64, 128),
        ("encoder4", "enc4", 128, 256),
        ("bottleneck", "bottleneck", 256, 512),
        ("decoder4", "dec4", 512, 256),
        ("decoder3", "dec3", 256, 128),
        ("decoder2", "dec2", 128, 64),
        ("decoder1", "dec1", 64, 32),
    ]
    for module, prefix, before, after in blocks:
        for number, source in ((1, before), (2, after)):
            shapes[f"{module}.{prefix}conv{number}.weight"] = (after, source, 3, 3)
            for entry in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{module}.{prefix}norm{number}.{entry}"] = (after,)
            shapes[f"{module}.{prefix}norm{number}.num_batches_tracked"] = ()
    for level, before, after in ((4, 512, 256), (3, 256, 128), (2, 128, 64), (1, 64, 32)):
        shapes[f"upconv{level}.weight"] = (before, after, 2, 2)
        shapes[f"upconv{level}.bias"] = (after,)
    shapes["conv.weight"] = (1, 32, 1, 1)
    shapes["conv.bias"] = (1,)
    return shapes


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    return {name: torch.rand(shape) * 0.1 if shape else torch.tensor(7) for name, shape in published_shapes().items()}


def test_published_weights_load(published):
    net = BudaUNet()
    net.load_state_dict(published, strict=True)
    assert torch.equal(net.state_dict()["decoder4.dec4conv1.weight"], published["decoder4.dec4conv1.weight"])


def test_published_weights_load_from_a_file(published, tmp_path):
    torch.save(published, tmp_path / "unet.pt")
    net = BudaUNet()
    net.load_state_dict(torch.load(tmp_path / "unet.pt", weights_only=True))


def test_published_parameters_are_7763041(published):
    trainable = {name: value for name, value in published.items() if "running" not in name and "num_" not in name}
    assert sum(value.numel() for value in trainable.values()) == 7_763_041


def test_the_decoder_takes_the_enlarged_features_before_the_skip():
    """Published weights expect this order; the other one would load as well and give nonsense."""
    net = BudaUNet(width=4).eval()
    with torch.no_grad():
        net.upconv1.weight.zero_()
        net.upconv1.bias.zero_()
        net.decoder1.dec1conv1.weight[:, 4:].zero_()  # deaf to the second half of its input, the skip
        image = torch.randn(1, 3, 16, 16)
        assert torch.equal(net(image), net(image + 1))


def test_running_statistics_are_learned_in_training_and_left_alone_after():
    net = BudaUNet(width=4)
    before = net.encoder1.enc1norm1.running_mean.clone()
    net.eval()(torch.randn(2, 3, 32, 32))
    assert torch.equal(net.encoder1.enc1norm1.running_mean, before)
    net.train()(torch.randn(2, 3, 32, 32))
    assert not torch.equal(net.encoder1.enc1norm1.running_mean, before)
