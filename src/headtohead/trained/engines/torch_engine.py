"""PyTorch: on a GPU, or on a processor where nothing faster is installed."""

from contextlib import nullcontext

import numpy as np
import torch

from headtohead import machine
from headtohead.errors import DamagedModel, UserError
from headtohead.learning.deciding import activate
from headtohead.models.asking import has_batch_norm
from headtohead.models.bounded import NetTooLarge, bounded_to
from headtohead.models.forms import LIBRARIES
from headtohead.models.registry import build_model, find_spec
from headtohead.models.sources import source_of
from headtohead.trained.facts import ModelFacts
from headtohead.trained.source import Source, refuse_unnamed_net


class TorchEngine:
    """A net in evaluation mode on its device, in bf16 where the hardware multiplies that."""

    def __init__(self, source: Source, gpus: str, precision: str) -> None:
        """Build the net and load its weights.

        Raises:
            UserError: there is no such device.
            DamagedModel: as `load_net`.
        """
        accelerator, devices = machine.pick_device(gpus)
        self.device = torch.device(accelerator, devices[0]) if isinstance(devices, list) else torch.device(accelerator)
        mixed = machine.pick_precision(precision, accelerator)
        facts = source.facts
        model = load_net(source)
        self.format = torch.contiguous_format
        if machine.prefers_channels_last(accelerator, mixed, has_batch_norm(model)):
            self.format = torch.channels_last
        self.model = model.to(self.device).to(memory_format=self.format)  # type: ignore[call-overload]
        self.mixed = mixed == "bf16-mixed"
        self.targets = facts.task.targets
        self.name = f"torch on {self.device}"

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        image = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device).contiguous(memory_format=self.format)
        cast = torch.autocast(self.device.type, torch.bfloat16) if self.mixed else nullcontext()
        with torch.inference_mode(), cast:
            logits = self.model(image)
        return activate(logits.float(), self.targets).cpu().numpy()


def load_net(source: Source) -> torch.nn.Module:
    """Build the net of a trained model with its weights, in evaluation mode on the processor.

    Raises:
        UserError: it is of a file or a package that the user has not named, or that has changed.
        DamagedModel: the weights cannot be read, or are not those of the net.
    """
    facts = source.facts
    refuse_unnamed_net(source)
    _refuse_changed_net(source)
    try:
        weights = source.weights()
        with bounded_to(weights):
            if facts.width > facts.spec.width or facts.net.get("kind") in LIBRARIES:
                _refuse_made_up(source, weights)
            model = _build(source)
        model.load_state_dict(weights)
    except NetTooLarge as fault:
        raise DamagedModel(f"{source.folder or facts.name}: {fault}; restore them", source.folder) from fault
    except UserError as fault:
        raise DamagedModel(str(fault), source.folder) from fault
    except RuntimeError as fault:
        line = f"{source.folder or facts.name}: the weights do not fit model {facts.model}; restore them"
        raise DamagedModel(line, source.folder) from fault
    return model.eval()


def _refuse_made_up(source: Source, weights: dict[str, torch.Tensor]) -> None:
    """Build a net on no device first: a width, or arguments, made up to exhaust the memory cost nothing there."""
    with torch.device("meta"):
        try:
            net = _build(source)
        except NetTooLarge:
            raise
        except UserError:  # some nets of libraries cannot be built on no device
            if not source.facts.net:
                raise
            return
        _refuse_other_shapes(weights, net.state_dict())
        if source.facts.net:
            _refuse_other_output(net.eval(), source.facts)


def _build(source: Source) -> torch.nn.Module:
    facts = source.facts
    name, arguments = source.named or facts.model, facts.net.get("arguments", ())
    return build_model(
        name if facts.net else facts.model,
        facts.in_channels,
        facts.width,
        out_channels=facts.task.targets.logits,
        arguments=arguments,
    )


def _refuse_changed_net(source: Source) -> None:
    """Refuse a net whose file or package is another one than it was trained with."""
    facts = source.facts
    form = find_spec(source.named).form if facts.net and source.named else None
    if form is None or not form.runs_code:
        return
    found = source_of(form)
    if (found["source"], found.get("sha256")) != (facts.net["source"], facts.net.get("sha256")):
        raise UserError(
            f"{source.folder or facts.name}: made with other content of {facts.net['source']} "
            f"({facts.net.get('sha256', '')[:8] or facts.net['source']}, now "
            f"{found.get('sha256', '')[:8] or found['source']}); restore it, train again, or use `engine=onnx`, which "
            "needs none of it"
        )


def _refuse_other_output(net: torch.nn.Module, facts: ModelFacts) -> None:
    """Refuse a net on no device that would give images of another size: arguments made up to exhaust the memory."""
    side = facts.image_size
    try:
        with torch.inference_mode():
            found = net(torch.zeros(2, facts.in_channels, side, side))
    except RuntimeError:  # it cannot be run there
        return
    if found.shape != (2, facts.task.targets.logits, side, side):
        raise RuntimeError("logits of another shape")


def _refuse_other_shapes(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    if {name: value.shape for name, value in found.items()} != {name: value.shape for name, value in expected.items()}:
        raise RuntimeError("weights of other names or shapes")
