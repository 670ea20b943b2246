"""Nets that a user brings: a class or function of a file, or one that an installed package announces.

This is the one place that runs code which is neither ours nor of a library that we use. Who calls it has made sure that
the user named the net on this very command line.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from headtohead.errors import UserError, did_you_mean
from headtohead.models.arguments import fitted_arguments, read_arguments
from headtohead.models.forms import FILE, GROUP, Form
from headtohead.models.libraries import called


@dataclass(frozen=True)
class OwnFile:
    """A file whose code was run.

    Attributes:
        module: what it defines.
        beside: the files of its folder that it imported, by name.
    """

    module: ModuleType
    beside: tuple[Path, ...]


_RUN: dict[tuple[Path, str], OwnFile] = {}
"""Files that were run, by path and content: a changed one is run again."""


class _AsWritten(SourceFileLoader):
    """Reads the file itself: compiled code of an earlier state would be taken for it within the same second."""

    def path_stats(self, path: Any) -> Any:
        """Say that nothing is known that compiled code could be compared with."""
        raise OSError


def own_net(form: Form, in_channels: int, out_channels: int, texts: Sequence[str] = ()) -> nn.Module:
    """Build the net of a file or an installed package with fresh weights; its code is run.

    Raises:
        UserError: it cannot be imported, has no such class, or does not take an argument.
    """
    build = _of_file(form) if form.kind == FILE else _of_package(form)
    arguments = fitted_arguments(build, form.title, read_arguments(texts, form.title), in_channels, out_channels)
    return called(build, form.title, arguments)


def content_hash(form: Form) -> str:
    """Hash the file of a net, and with it the files of its folder that it imports: SHA-256, 64 hexadecimal digits.

    Its code is run, since only that tells what it imports.

    Raises:
        UserError: it cannot be imported.
    """
    found = _run(form)
    assert form.path is not None
    digest = hashlib.sha256(form.path.read_bytes())
    for path in found.beside:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _of_file(form: Form) -> Callable[..., Any]:
    module, [name] = _run(form).module, form.parts
    found = getattr(module, name, None)
    if not callable(found):
        known = [key for key, one in vars(module).items() if callable(one) and not key.startswith("_")]
        what = "is no class or function" if found is not None else f"no {name} in it{did_you_mean(name, known)}"
        raise UserError(f"`model` {form.title}: {what}; name a class or function that {form.path} defines")
    return found


def _of_package(form: Form) -> Callable[..., Any]:
    from importlib import metadata

    [entry] = list(metadata.entry_points(group=GROUP, name=form.title))[:1]
    try:
        found = entry.load()
    except (Exception, SystemExit) as fault:
        raise UserError(f"`model` {form.title}: {entry.value} cannot be imported: {_reason(fault)}") from fault
    if not callable(found):
        raise UserError(f"`model` {form.title}: {entry.value} is no class or function; mend its package")
    return found


def _run(form: Form) -> OwnFile:
    assert form.path is not None
    path = form.path.resolve()
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as fault:
        raise UserError(f"`model` {form.title}: {form.path} cannot be read; check the file") from fault
    key = (path, content)
    if key not in _RUN:
        _RUN[key] = _import(form, path, f"headtohead_net_{content[:16]}")
    return _RUN[key]


def _import(form: Form, path: Path, name: str) -> OwnFile:
    """Run a file as a module of its own. What it imports from its folder is forgotten again: another net has its own.

    Its folder is looked into last, so that no file of it takes the place of an installed package.
    """
    spec = importlib.util.spec_from_file_location(name, path, loader=_AsWritten(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[name] = module
    sys.path.append(str(path.parent))
    importlib.invalidate_caches()
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        del sys.modules[name]
        raise UserError(f"`model` {form.title}: {form.path} cannot be imported: {_reason(fault)}") from fault
    finally:
        sys.path.remove(str(path.parent))
        beside = {key: Path(file) for key in set(sys.modules) - before - {name} if (file := _file_of(key, path))}
        for key in beside:
            del sys.modules[key]
    return OwnFile(module, tuple(sorted(beside.values())))


def _file_of(name: str, own: Path) -> str:
    """Give the file of a module, if it lies in the folder of the net's file or below; else nothing.

    That folder may be the one of a whole project, with this program or an environment in it.
    """
    file = getattr(sys.modules[name], "__file__", None) or ""
    installed = name.split(".")[0] == "headtohead" or {"site-packages", "dist-packages"} & set(Path(file).parts)
    return file if file and not installed and Path(file).is_relative_to(own.parent) else ""


def _reason(fault: BaseException) -> str:
    line = f" in line {fault.lineno}" if isinstance(fault, SyntaxError) else ""
    said = fault.msg if isinstance(fault, SyntaxError) else str(fault)
    return f"{type(fault).__name__}{line}: {' '.join(str(said).split())}; correct it (`debug` shows where)"
