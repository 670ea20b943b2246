"""SegNet: maxima go back to where they lay, on every device and in every engine, and VGG16's weights fit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from headtohead.errors import UserError
from headtohead.learning.losses.training_loss import TrainingLoss
from headtohead.machine import mend_torchvision
from headtohead.models import segnet
from headtohead.models.registry import build_model
from headtohead.models.segnet import scattered, unpool
from headtohead.readers.lgg import TASK
from headtohead.trained.engines.opening import open_engine
from headtohead.trained.facts import ModelFacts
from headtohead.trained.onnx_file import write_onnx
from headtohead.trained.source import ONNX, Source

SIZES = [(4, 6), (5, 7), (1, 3)]


def pooled(images):
    return functional.max_pool2d(images, 2, return_indices=True, ceil_mode=True)


def pooled_and_back_by_hand(image):
    """Keep the largest pixel of each 2x2 window where it is (the first of equal ones), and zero the others."""
    kept = np.zeros_like(image)
    for top in range(0, image.shape[0], 2):
        for left in range(0, image.shape[1], 2):
            window = image[top : top + 2, left : left + 2]
            row, column = np.unravel_index(window.argmax(), window.shape)
            kept[top + row, left + column] = window[row, column]
    return kept


@pytest.mark.parametrize("put_back", [unpool, scattered])
@pytest.mark.parametrize("size", SIZES)
def test_pooling_and_back_keeps_each_maximum_in_its_place(put_back, size):
    images = np.random.default_rng(1).integers(-9, 9, (2, 3, *size)).astype(np.float32)  # equal ones among them
    found = put_back(*pooled(torch.from_numpy(images)), *size).numpy()
    expected = [[pooled_and_back_by_hand(channel) for channel in image] for image in images]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_scattered_is_max_unpool2d_and_so_are_its_gradients(dtype, layout):
    images = torch.randn(2, 4, 7, 9, generator=torch.Generator().manual_seed(2))
    values, indices = pooled(images.contiguous(memory_format=layout))
    weights = torch.randn_like(images)
    answers = []
    for put_back in (lambda *given: functional.max_unpool2d(*given, 2, output_size=(7, 9)), scattered_to_7x9):
        own = values.to(dtype).requires_grad_()
        answer = put_back(own, indices)
        (answer * weights).sum().backward()
        answers.append((answer, own.grad))
    assert torch.equal(answers[0][0], answers[1][0])
    assert torch.equal(answers[0][1], answers[1][1])
    assert answers[0][1].any()


def scattered_to_7x9(values, indices):
    return scattered(values, indices, 7, 9)


def test_a_device_that_cannot_unpool_scatters_and_gets_the_same(monkeypatch):
    model = build_model("segnet", 3, width=4).eval()
    images = torch.randn(2, 3, 45, 50)
    with torch.inference_mode():
        expected = model(images)
        monkeypatch.setattr(segnet, "UNPOOLS_ITSELF", ("cuda",))
        monkeypatch.setattr(functional, "max_unpool2d", None)  # as where the kernel is missing
        assert torch.equal(model(images), expected)


@pytest.mark.parametrize("size", [(1, 1), (15, 16), (33, 47)])
def test_any_size_is_taken(size):
    model = build_model("segnet", 3, width=4).eval()
    with torch.inference_mode():
        assert model(torch.randn(2, 3, *size)).shape == (2, 1, *size)


def test_it_learns_that_a_pixel_is_none():
    """The system that it stands for gave a loss with logits its sigmoid: no probability could fall below a half."""
    torch.manual_seed(0)
    model = build_model("segnet", 3, width=4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images, masks = torch.randn(4, 3, 32, 32), torch.zeros(4, 1, 32, 32)
    for _ in range(10):
        optimizer.zero_grad()
        TrainingLoss("bce_dice")(model(images), masks).backward()
        optimizer.step()
    assert model(images).sigmoid().mean() < 0.3


@pytest.fixture(scope="module")
def vgg():
    mend_torchvision()
    from torchvision.models import vgg16_bn

    torch.manual_seed(5)
    features = vgg16_bn(weights=None, init_weights=False).features.eval()
    with torch.no_grad():
        for layer in features:
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.1)
    return features


@pytest.fixture(scope="module")
def vgg_file(vgg, tmp_path_factory):
    """Weights as torchvision's file has them, its classifier among them."""
    file = tmp_path_factory.mktemp("weights") / "vgg16_bn.pth"
    classifier = {"classifier.0.weight": torch.zeros(4, 4), "classifier.0.bias": torch.zeros(4)}
    torch.save({f"features.{name}": value for name, value in vgg.state_dict().items()} | classifier, file)
    return file


def test_the_encoder_is_torchvisions_vgg16(vgg, vgg_file):
    model = build_model("segnet", 3, encoder_weights=str(vgg_file)).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(model.encoder(images)[0], vgg(images))


def test_weights_of_three_channels_start_a_net_of_five(vgg, vgg_file):
    model = build_model("segnet", 5, encoder_weights=str(vgg_file))
    found = model.encoder.features[0].weight
    torch.testing.assert_close(found, vgg[0].weight[:, [0, 1, 2, 0, 1]] * 3 / 5)
    assert torch.equal(model.encoder.features[3].weight, vgg[3].weight)


def test_weights_of_another_net_or_width_are_refused(vgg_file, tmp_path):
    with pytest.raises(UserError, match=r"^`width` 8: `encoder_weights` are of 64 channels; leave one of them out$"):
        build_model("segnet", 3, width=8, encoder_weights=str(vgg_file))
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "part.pth")
    with pytest.raises(UserError, match=r"not the weights of vgg16_bn .missing, unknown or of another shape: 90"):
        build_model("segnet", 3, encoder_weights=str(tmp_path / "part.pth"))
    with pytest.raises(UserError, match="segnet_5x5 has no pretrained encoder"):
        build_model("segnet_5x5", 3, encoder_weights="imagenet")


def test_all_engines_agree_on_a_size_that_does_not_halve_evenly(tmp_path):
    torch.manual_seed(3)
    model = build_model("segnet", 5, width=4)
    slices = np.random.default_rng(0).normal(size=(3, 5, 50, 50)).astype(np.float32)
    with torch.no_grad():
        for _ in range(10):
            model(torch.from_numpy(slices))
    recipe = {"image_size": 50, "normalise": "inner", "neighbours": 1}
    facts = ModelFacts("tiny", "segnet", 4, 5, recipe, task=TASK)
    agreement = write_onnx(model.eval(), facts, tmp_path / ONNX, slices)
    assert agreement.difference < 1e-5
    with torch.inference_mode():
        expected = model(torch.from_numpy(slices)).sigmoid().numpy()
    facts.write(tmp_path)
    for engine in ("onnx", "openvino"):
        opened = open_engine(Source(replace(facts), tmp_path), engine, "cpu", "32")
        for count in (3, 1):
            np.testing.assert_allclose(opened(slices[:count]), expected[:count], atol=1e-5)
    assert np.ptp(expected) > 0.05, "a constant would prove nothing"
