"""Options of a trained model that others leave without effect. Imports nothing heavy: mistakes answer at once."""

from pathlib import Path

from headtohead.effects import READ
from headtohead.options.comparison import ComparisonOptions
from headtohead.options.prediction import PredictionOptions


def no_use_beside_training(name: str, verb: str, train: bool) -> str:
    """Say why an option has no effect on the test that a training ends with; empty if it has one."""
    if name == "model_path" and verb == "test" and train:
        return "has no effect with `train`, whose own model is tested; leave one of them out"
    return ""


def no_use_for_choice(
    name: str, verb: str, prediction: PredictionOptions, comparison: ComparisonOptions, precision: str
) -> str:
    """Say why an option has no effect on which trained model a verb chooses, and how it runs; empty if it has one."""
    path = prediction.model_path
    if "model_path" not in READ[verb] or verb == "test":  # which asks for data, and a place for the scores
        return ""
    # An export says itself why it takes no ensemble.
    if path and (name in ("run_name", "comparison", "data") or (name == "ensemble" and verb != "export")):
        return "has no effect with `model_path`, which names the model; leave one of them out"
    if path and name == "runs_dir":
        into_run = verb == "export" and (Path(path) / "run.json").is_file()
        if prediction.output or into_run or verb in ("predict", "serve"):
            return "has no effect with `model_path`, which names the model; leave it out"
    if name == "data" and (comparison.run_name or comparison.comparison):
        flag = "`run_name`" if comparison.run_name else "`comparison`"
        return f"has no effect with {flag}, which names the runs to choose from; leave it out"
    if name == "precision" and precision == "bf16" and prediction.engine == "onnx":
        return "`engine=onnx` computes in float32; leave one of them out, or use another engine"
    return ""
