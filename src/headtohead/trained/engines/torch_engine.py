"""PyTorch: on a GPU, or on a processor where nothing faster is installed."""

from contextlib import nullcontext

import numpy as np
import torch

from headtohead import machine
from headtohead.errors import DamagedModel, UserError
from headtohead.learning.deciding import activate
from headtohead.models.registry import MODELS, build_model
from headtohead.trained.source import Source


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
        if machine.prefers_channels_last(accelerator, mixed, MODELS[facts.model].batch_norm):
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
        DamagedModel: the weights cannot be read, or are not those of the net.
    """
    facts, logits = source.facts, source.facts.task.targets.logits
    try:
        weights = source.weights()
        if facts.width > MODELS[facts.model].width:
            # On no device first: a width made up to exhaust the memory costs nothing.
            with torch.device("meta"):
                expected = build_model(facts.model, facts.in_channels, facts.width, out_channels=logits).state_dict()
            _refuse_other_shapes(weights, expected)
        model = build_model(facts.model, facts.in_channels, facts.width, out_channels=logits)
        model.load_state_dict(weights)
    except UserError as fault:
        raise DamagedModel(str(fault), source.folder) from fault
    except RuntimeError as fault:
        line = f"{source.folder or facts.name}: the weights do not fit model {facts.model}; restore them"
        raise DamagedModel(line, source.folder) from fault
    return model.eval()


def _refuse_other_shapes(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    if {name: value.shape for name, value in found.items()} != {name: value.shape for name, value in expected.items()}:
        raise RuntimeError("weights of other names or shapes")
