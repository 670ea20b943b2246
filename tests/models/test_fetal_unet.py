"""The masking U-Net against a second writing of it in NumPy, in Keras's conventions and layout."""

import numpy as np
import pytest
import torch

from headtohead.models.fetal_unet import DROPOUT, EnlargingConv, FetalUNet


def keras_conv(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolve [H, W, C] with [h, w, C, D], padding 'same': of an odd number of rows to add, the last is below."""
    height, width = kernel.shape[:2]
    above, left = (height - 1) // 2, (width - 1) // 2
    padded = np.pad(image, ((above, height - 1 - above), (left, width - 1 - left), (0, 0)))
    out = np.zeros((*image.shape[:2], kernel.shape[3]))
    for row in range(height):
        for column in range(width):
            out += padded[row : row + image.shape[0], column : column + image.shape[1]] @ kernel[row, column]
    return out + bias


def keras_unet(image: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Map [H, W, C] to probability [H, W], taking the weights in the order of the layers: kernel, bias, kernel, ..."""
    left = list(weights)

    def conv(features: np.ndarray) -> np.ndarray:
        kernel, bias = left.pop(0), left.pop(0)
        return np.maximum(keras_conv(features, kernel, bias), 0)

    def pool(features: np.ndarray) -> np.ndarray:
        height, width, channels = features.shape
        return features.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))

    skips, features = [], image
    for _ in range(4):
        skips.append(conv(conv(features)))
        features = pool(skips[-1])
    features = conv(conv(features))
    for skip in reversed(skips):
        enlarged = conv(features.repeat(2, axis=0).repeat(2, axis=1))
        features = conv(conv(np.concatenate([skip, enlarged], axis=-1)))
    logits = keras_conv(features, left.pop(0), left.pop(0))
    assert not left
    return 1 / (1 + np.exp(-logits[:, :, 0]))


def in_keras_layout(model: torch.nn.Module) -> list[np.ndarray]:
    """The weights in the order of declaration, kernels as [h, w, in, out]."""
    values = [value.double().numpy() for value in model.state_dict().values()]
    return [value.transpose(2, 3, 1, 0) if value.ndim == 4 else value for value in values]


@pytest.mark.parametrize(("channels", "width"), [(1, 4), (3, 2)])
def test_agrees_with_the_net_written_down_again_in_numpy(channels: int, width: int) -> None:
    torch.manual_seed(0)
    model = FetalUNet(channels, width).double().eval()
    for value in model.state_dict().values():
        value += 0.05 * torch.randn_like(value)  # fresh biases are zero and would hide a mistake
    image = torch.randn(1, channels, 32, 48, dtype=torch.float64)
    with torch.inference_mode():
        found = model(image).sigmoid()[0, 0].numpy()
    expected = keras_unet(image[0].permute(1, 2, 0).numpy(), in_keras_layout(model))
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_channels_are_the_published_ones() -> None:
    shapes = [tuple(value.shape) for name, value in FetalUNet().state_dict().items() if name.endswith("weight")]
    down = [(32, 1, 3, 3), (32, 32, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (128, 64, 3, 3), (128, 128, 3, 3)]
    down += [(256, 128, 3, 3), (256, 256, 3, 3), (512, 256, 3, 3), (512, 512, 3, 3)]
    up = [(256, 512, 2, 2), (256, 512, 3, 3), (256, 256, 3, 3), (128, 256, 2, 2), (128, 256, 3, 3), (128, 128, 3, 3)]
    up += [(64, 128, 2, 2), (64, 128, 3, 3), (64, 64, 3, 3), (32, 64, 2, 2), (32, 64, 3, 3), (32, 32, 3, 3)]
    assert shapes == [*down, *up, (1, 32, 1, 1)]


def test_a_kernel_of_even_size_looks_right_and_down() -> None:
    layer = EnlargingConv(1, 1)
    with torch.no_grad():
        layer.conv.weight.copy_(torch.tensor([[0.0, 0.0], [0.0, 1.0]])[None, None])
        layer.conv.bias.zero_()
        found = layer(torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None])[0, 0]
    assert found.tolist() == [[1, 2, 2, 0], [3, 4, 4, 0], [3, 4, 4, 0], [0, 0, 0, 0]]


def test_dropout_acts_in_training_alone_and_at_the_two_deepest_levels() -> None:
    torch.manual_seed(0)
    model, image = FetalUNet(width=4).train(), torch.randn(1, 1, 32, 32)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))
    seen: list[tuple[int, float]] = []
    model.train().dropout.register_forward_hook(
        lambda _module, _given, out: seen.append((out.shape[1], float((out == 0).float().mean())))
    )
    model(torch.randn(4, 1, 64, 64))
    assert [channels for channels, _ in seen] == [8 * 4, 16 * 4]
    assert DROPOUT == 0.5 and all(share > 0.5 for _, share in seen)
