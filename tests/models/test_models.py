"""Every model passes the same tests: one tester, inherited by each. The last one comes from the how-to page."""

from pathlib import Path

import pytest
import torch

from headtohead import models
from headtohead.errors import UserError
from headtohead.models.registry import MODELS, ModelSpec, build_model, check_image_size
from tests.as_the_page_says import AsThePageSays, made_tester

HOW_TO = Path(__file__).parents[2] / "docs/how-to/add-a-model.md"


class ModelTester:
    """What any model must do. A subclass names the model."""

    name: str
    width = 0  # of the nets that are built; 0: as published

    @property
    def spec(self):
        return MODELS[self.name]

    def build(self, in_channels=3, **options):
        torch.manual_seed(0)
        return build_model(self.name, in_channels, **{"width": self.width, **options})

    def images(self, count=2, in_channels=3, height=64, width=64):
        return torch.randn(count, in_channels, height, width, generator=torch.Generator().manual_seed(1))

    def test_has_the_published_number_of_parameters(self):
        with torch.device("meta"):
            model = build_model(self.name, self.spec.in_channels)
        trainable = [weight for weight in model.parameters() if weight.requires_grad]
        assert sum(weight.numel() for weight in trainable) == self.spec.parameters

    @pytest.mark.parametrize("in_channels", [3, 5])
    def test_gives_one_logit_per_pixel(self, in_channels):
        model = self.build(in_channels).eval()
        for height, width in ((32, 32), (64, 64), (96, 32)):
            with torch.inference_mode():
                logits = model(self.images(2, in_channels, height, width))
            assert logits.shape == (2, 1, height, width)
            assert logits.dtype == torch.float32
            assert logits.isfinite().all()

    @pytest.mark.parametrize("out_channels", [2, 4])
    def test_gives_as_many_logits_as_are_asked_for(self, out_channels):
        model = self.build(out_channels=out_channels).eval()
        with torch.inference_mode():
            logits = model(self.images())
        assert logits.shape == (2, out_channels, 64, 64)
        assert not torch.equal(logits[:, 0], logits[:, 1])

    def test_gives_logits_not_probabilities(self):
        model = self.build().eval()
        with torch.inference_mode():
            logits = model(100 * self.images())
        assert logits.min() < 0 or logits.max() > 1

    def test_answers_at_lower_levels_in_training_or_refuses_to(self):
        if not self.spec.deep_supervision:
            with pytest.raises(UserError, match=rf"^`deep_supervision`: {self.name} has no heads at lower levels; "):
                self.build(deep_supervision=True)
            return
        plain, deep = self.build(), self.build(deep_supervision=True)
        images, names = self.images(), plain.state_dict().keys()
        heads = {name for name, _ in deep.named_parameters() if name.startswith("deep_heads.")}
        assert heads and heads == deep.state_dict().keys() - names
        assert all(torch.equal(deep.state_dict()[name], value) for name, value in plain.state_dict().items())
        levels = deep.train()(images)
        assert [tuple(one.shape) for one in levels] == [
            (2, 1, 64 >> place, 64 >> place) for place in range(len(levels))
        ]
        assert len(levels) > 1 and torch.equal(levels[0], plain.train()(images))
        for one in levels[1:]:
            one.square().mean().backward(retain_graph=True)
        assert all(one.grad is not None for name, one in deep.named_parameters() if name in heads)
        with torch.inference_mode():
            assert torch.equal(deep.eval()(images), plain.eval()(images))

    def test_gradients_reach_every_parameter(self):
        model = self.build().train()
        model(self.images()).square().mean().backward()
        without = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
        assert without == []

    def test_all_input_channels_count(self):
        model = self.build(5).eval()
        images = self.images(1, 5).requires_grad_()
        model(images).sum().backward()
        assert images.grad.abs().sum(dim=(0, 2, 3)).all()

    def test_an_image_is_answered_alike_alone_and_in_a_batch(self):
        model = self.build().eval()
        images = self.images(3)
        with torch.inference_mode():
            together = model(images)
            alone = torch.cat([model(image[None]) for image in images])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)

    def test_channels_last_changes_nothing_but_speed(self):
        model = self.build().eval()
        images = self.images(2)
        with torch.inference_mode():
            expected = model(images)
            found = model.to(memory_format=torch.channels_last)(images.to(memory_format=torch.channels_last))
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)

    def test_the_seed_decides_the_weights(self):
        first, again = self.build(5).state_dict(), self.build(5).state_dict()
        assert all(torch.equal(first[name], again[name]) for name in first)
        torch.manual_seed(1)
        other = build_model(self.name, 5, width=self.width).state_dict()
        assert any(not torch.equal(first[name], other[name]) for name in first)

    def test_weights_survive_a_round_trip(self, tmp_path):
        model = self.build().eval()
        torch.save(model.state_dict(), tmp_path / "weights.pt")
        torch.manual_seed(1)
        other = build_model(self.name, 3, width=self.width).eval()
        other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
        with torch.inference_mode():
            assert torch.equal(other(self.images()), model(self.images()))

    def test_the_smallest_size_works_and_its_half_is_refused(self):
        divisor = self.spec.divisor
        check_image_size(self.name, divisor)
        with torch.inference_mode():
            assert self.build().eval()(self.images(1, 3, divisor, divisor)).shape == (1, 1, divisor, divisor)
        with pytest.raises(UserError, match=rf"^`image_size` {divisor // 2}: .* {divisor} or more$"):
            check_image_size(self.name, divisor // 2)

    def test_a_wrong_size_is_refused_with_the_nearest_that_work(self):
        divisor = self.spec.divisor
        if divisor == 1:
            check_image_size(self.name, 15)
            return
        with pytest.raises(UserError) as caught:
            check_image_size(self.name, 3 * divisor + 1)
        message = str(caught.value)
        assert message.startswith(f"`image_size` {3 * divisor + 1}: {self.name}")
        assert message.endswith(f"write {3 * divisor} or {4 * divisor}")
        assert "\n" not in message

    def test_width_scales_the_net_or_is_refused(self):
        if not self.spec.width:
            with pytest.raises(UserError, match=rf"^`width` 4: {self.name} cannot be scaled"):
                self.build(width=4)
            return
        published = self.spec.parameters
        half = sum(weight.numel() for weight in self.build(width=self.spec.width // 2).parameters())
        assert half < published
        assert self.build(width=4)(self.images()).shape == (2, 1, 64, 64)


class TestUNet(ModelTester):
    name = "unet"


class TestBuda(ModelTester):
    name = "buda"


class TestResNeXt(ModelTester):
    name = "resnext"


class TestFetalUNet(ModelTester):
    name = "fetal_unet"


class TestSegNet(ModelTester):
    name = "segnet"
    width = 8


@pytest.mark.exhaustive
class TestSegNet5x5(TestSegNet):
    name = "segnet_5x5"


@pytest.mark.exhaustive
class TestResNeXtPlain(ModelTester):
    name = "resnext_plain"


@pytest.mark.parametrize("name", ["segnet_5x5", "resnext_plain"])
def test_a_large_net_has_the_published_number_of_parameters(name):
    with torch.device("meta"):
        model = build_model(name, 3)
    assert sum(weight.numel() for weight in model.parameters()) == MODELS[name].parameters


class TestAModelAddedAsThePageSays(AsThePageSays, made_tester(HOW_TO, ModelTester=ModelTester, __name__=__name__)):
    page, package, table, kind_of_row = HOW_TO, models, MODELS, ModelSpec


def every_tester():
    return [one for one in globals().values() if isinstance(one, type) and issubclass(one, ModelTester)]


def test_every_model_has_a_tester():
    tested = {one.name for one in every_tester() if hasattr(one, "name")}
    assert tested >= set(MODELS)
