"""Where a net comes from that is no row of the table, as run.json, model.json and the report say it."""

from collections.abc import Sequence
from functools import cache
from importlib import metadata
from typing import Any

import torch

from headtohead.errors import UserError
from headtohead.models.asking import fault_of_one_image, refuse_unfit_net
from headtohead.models.forms import FILE, MONAI, SMP, Form, entry_points
from headtohead.models.registry import build_model, find_spec

PACKAGES = {SMP: ("segmentation-models-pytorch", "timm"), MONAI: ("monai",)}


def source_of(form: Form, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Collect `kind`, `source` (library and version, or file), `arguments`, and of a file the `sha256` of its content.

    The code of a file is run: the caller has made sure that the user named it.

    Raises:
        UserError: the file cannot be imported.
    """
    found: dict[str, Any] = {"kind": form.kind, "arguments": list(arguments)}
    if form.kind in PACKAGES:
        return found | {"source": ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES[form.kind])}
    if form.kind == FILE:
        from headtohead.models.own_file import content_hash

        return found | {"source": form.title.partition(":")[0], "sha256": content_hash(form)}
    return found | {"source": entry_points()[form.title]}


def asked_source(
    name: str, arguments: Sequence[str], in_channels: int, out_channels: int, image_size: int
) -> dict[str, Any]:
    """Build a net that is no row of the table, ask it what rows declare, and give its source; empty for a row.

    Raises:
        UserError: it cannot be built, or does not fit; the message says what it gave and what was expected.
    """
    form = find_spec(name).form
    if form is None:
        return {}
    source = source_of(form, arguments)
    _ask(name, tuple(arguments), in_channels, out_channels, image_size, source.get("sha256", ""))
    return source


@cache
def _ask(
    name: str, arguments: tuple[str, ...], in_channels: int, out_channels: int, image_size: int, content: str
) -> None:
    """Ask a net once a process, not once for each fold and seed; `content` is that of its file."""
    try:
        with torch.random.fork_rng(devices=[]):
            net = build_model(name, in_channels, out_channels=out_channels, arguments=arguments)
        refuse_unfit_net(net, name, in_channels, out_channels, image_size)
    except UserError as fault:
        if neighbour := _late_import(name, fault.__cause__):
            raise UserError(
                f"`model` {name}: imports {neighbour} inside a function, when its folder is searched no more; import "
                "it at the top of the file"
            ) from fault
        raise


def _late_import(name: str, cause: BaseException | None) -> str:
    """Name the file beside that of a net which could not be found once that was read; empty: it is another fault."""
    form = find_spec(name).form
    if form is None or form.path is None or not isinstance(cause, ModuleNotFoundError) or not cause.name:
        return ""
    first = cause.name.partition(".")[0]
    folder = form.path.parent
    return first if (folder / f"{first}.py").is_file() or (folder / first).is_dir() else ""


@cache
def fault_of_lone_image(
    name: str, arguments: tuple[str, ...], width: int, channels: tuple[int, int], image_size: int, content: str
) -> str:
    """Say how a net, or a row, fails to learn from a batch of one image; empty if it does not.

    `channels` are those of the input and of the logits; `content` is that of the net's file.
    """
    in_channels, out_channels = channels
    with torch.random.fork_rng(devices=[]):
        net = build_model(name, in_channels, width, out_channels=out_channels, arguments=arguments)
    return fault_of_one_image(net, in_channels, out_channels, image_size)
