import torch

from headtohead.models.unet import PlainUNet


def test_has_no_normalisation_and_no_transposed_convolution():
    kinds = {type(module).__name__ for module in PlainUNet(width=4).modules()}
    assert kinds == {"PlainUNet", "Sequential", "Conv2d", "ReLU"}


def test_channels_double_from_level_to_level():
    net = PlainUNet(in_channels=3, width=64)
    levels = [net.down1, net.down2, net.down3, net.bottom, net.up3, net.up2, net.up1]
    assert [level[0].in_channels for level in levels] == [3, 64, 128, 256, 768, 384, 192]
    assert [level[2].out_channels for level in levels] == [64, 128, 256, 512, 256, 128, 64]


def test_fresh_weights_let_the_image_through_to_the_head():
    """PyTorch's default initialisation leaves an unnormalised net of this depth nearly blind: some thousandths."""
    torch.manual_seed(0)
    net = PlainUNet(in_channels=3, width=16)
    with torch.inference_mode():
        logits = net(torch.randn(4, 3, 32, 32))
    assert 0.1 < logits.std() < 10


def test_all_four_levels_shape_the_answer():
    """A pixel far outside the reach of the first three levels still changes the answer."""
    torch.manual_seed(0)
    net = PlainUNet(in_channels=1, width=8)
    image = torch.randn(1, 1, 96, 96).requires_grad_()
    net(image)[0, 0, 48, 48].backward()
    touched = image.grad[0, 0].abs().sum(dim=0).nonzero().squeeze()
    assert 48 - touched.min() > 40
