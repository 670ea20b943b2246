"""Files of nets as users write them, for tests."""

from pathlib import Path

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, in_channels, num_classes, features=2):
        super().__init__()
        self.first = nn.Conv2d(in_channels, features, 3, padding=1)
        self.last = nn.Conv2d(features, num_classes, 1)

    def forward(self, image):
        return self.last(self.first(image).relu())
"""


def write_net(folder: Path, forward: str = "", name: str = "mynet.py") -> Path:
    """Write a file with the class `Net`; `forward` takes the place of what it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(NET.replace("self.last(self.first(image).relu())", forward) if forward else NET, encoding="utf-8")
    return path
