"""The net of a checkpoint, and how it was trained, for tests that ask it themselves."""

from dataclasses import dataclass
from pathlib import Path

import torch

from headtohead.learning.checkpoint import checkpoint_facts, network_weights, read_checkpoint
from headtohead.models.registry import build_model
from headtohead.preparing.recipe import InputRecipe


@dataclass(frozen=True)
class Trained:
    model: torch.nn.Module
    recipe: InputRecipe
    threshold: float


def load_trained(path: Path) -> Trained:
    """Load a net of one logit."""
    facts = checkpoint_facts(path)
    model = build_model(facts["model"], facts["in_channels"], width=facts["width"])
    model.load_state_dict(network_weights(read_checkpoint(path), path))
    return Trained(model.eval(), InputRecipe(**facts["recipe"]), facts["threshold"])
