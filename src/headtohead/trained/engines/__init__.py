"""What runs a net: PyTorch, ONNX Runtime or OpenVINO, behind one call. `opening.open_engine` chooses."""

from headtohead.trained.engines.opening import Engine, open_engine

__all__ = ["Engine", "open_engine"]
