"""`--export`: a trained model for use elsewhere, as a bundle folder or as one file."""

import re
import warnings
from dataclasses import replace
from pathlib import Path

from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.options.table import ChoiceOptions, Options
from headtohead.saving import write_streamed
from headtohead.trained.choosing import Choice, with_sound_models
from headtohead.trained.origin import with_origin
from headtohead.trained.source import Source

SUFFIXES = {"bundle": "", "onnx": ".onnx", "safetensors": ".safetensors", "torchscript": ".pt"}


def export(options: Options) -> Path:
    """Carry out `--export`: write and give `<output>/<model's name>`, a folder, or a file by the suffix of its format.

    The model is that of `--model_path`, else of `--run_name`, else what `trained.choosing` chooses.

    Raises:
        UserError: there is no such model, or the place to write to cannot be used.
    """
    kind = str(options.verbs.export)
    if options.prediction.half and kind != "bundle":
        raise UserError(f"`half`: is for `export=bundle`, not for `export={kind}`; leave it out")
    if options.prediction.ensemble or "," in options.comparison.run_name:
        raise UserError("`export`: one model at a time; name one run with `run_name`")
    return with_sound_models(options, None, lambda choices: _export(choices[0], kind, options))


def _export(choice: Choice, kind: str, options: ChoiceOptions) -> Path:
    source = replace(choice.source, facts=with_origin(choice.source.facts, choice.source.folder))
    folder = Path(options.prediction.output or default_folder(source, options.comparison.runs_dir))
    name = re.sub(r"[^\w.-]+", "-", source.facts.name).strip("-.") or "model"
    path = folder / f"{name}{SUFFIXES[kind]}"
    overwrite = options.comparison.overwrite
    if path.exists() and not overwrite:
        raise UserError(f"{path}: already exists; choose another folder with `output`, or add `overwrite`")

    # PyTorch takes a second to import, so mistakes are told before it.
    if kind == "bundle":
        from headtohead.trained.bundle import write_bundle

        write_bundle(source, path, half=options.prediction.half, overwrite=overwrite)
    else:
        write_file(source, path, kind)
    print(as_flags(choice.line))
    print(f"{source.facts.name}: {kind} {path}")
    return path


def default_folder(source: Source, runs_dir: str) -> Path:
    """Say where an export goes without `--output`: into its run folder, or below `--runs_dir`."""
    own = source.folder is not None and (source.folder / "run.json").is_file()
    return (source.folder if own and source.folder else Path(runs_dir)) / "export"


def write_file(source: Source, path: Path, kind: str) -> None:
    """Write a model as one file whose metadata hold its facts.

    `onnx` and `torchscript` map scaled slices float [B, C, S, S] to probability [B, 1, S, S]; `safetensors` holds the
    weights alone.

    Raises:
        UserError: the model cannot be read, or ONNX does not agree with PyTorch.
    """
    from headtohead.trained.bundle import facts_text, noise_like_input, write_safetensors
    from headtohead.trained.engines.torch_engine import load_net
    from headtohead.trained.facts import FILE

    model = load_net(source)
    if kind == "onnx":
        from headtohead.trained.onnx_file import write_onnx

        print(f"{path.name} {write_onnx(model, source.facts, path, noise_like_input(source.facts))}")
        return
    if kind == "safetensors":
        write_safetensors(model, source.facts, path)
        return
    import torch

    with torch.inference_mode(), warnings.catch_warnings():
        # PyTorch would rather have another format; who asks for this one has a program that reads it.
        warnings.simplefilter("ignore", DeprecationWarning)
        example = torch.from_numpy(noise_like_input(source.facts))
        traced = torch.jit.trace(torch.nn.Sequential(model, torch.nn.Sigmoid()).eval(), example)
        facts = {FILE: facts_text(source.facts)}
        write_streamed(path, lambda stream: torch.jit.save(traced, stream, _extra_files=facts), lasting=True)
