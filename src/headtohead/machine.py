"""What this machine can do, and the two things to set right before PyTorch is used.

Importing this module costs nothing: PyTorch is imported inside the functions that ask it.
"""

import ctypes
import importlib
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from headtohead.errors import UserError

# glibc's <malloc.h>
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_MAX = -4
TOP_PAD_BYTES = 256 << 20

PROCESSOR_FACTS = Path("/proc/cpuinfo")

MISSING_OPERATOR = "operator torchvision::nms does not exist"
OPERATORS = ("nms", "qnms")

DESCRIBED_PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "segmentation-models-pytorch",
    "albumentations",
    "numpy",
    "opencv-python-headless",
)

_kept_alive: list[Any] = []  # operators go when the object that declared them is collected


def tune_allocator() -> None:
    """Let glibc keep freed memory, instead of handing each large tensor back to the kernel.

    A training step on the CPU frees and asks again for the same hundreds of megabytes; by default every such
    request is a fresh `mmap` whose pages the kernel must clear. Call this before PyTorch allocates anything.
    Does nothing where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    libc.mallopt(M_TOP_PAD, TOP_PAD_BYTES)


def mend_torchvision() -> None:
    """Make `import torchvision` work beside a CPU build of PyTorch. Harmless to call twice, or in vain.

    The published wheel of torchvision is compiled for CUDA, so a CPU build of PyTorch cannot load its operators
    and the import stops at the first one that is missing; timm, segmentation_models_pytorch, torchmetrics and
    Lightning import torchvision and stop with it. We use none of those operators, so declaring them is enough.
    """
    try:
        importlib.import_module("torchvision")
    except ModuleNotFoundError:
        return
    except RuntimeError as error:
        if MISSING_OPERATOR not in str(error):
            raise
        _declare_operators()
        importlib.import_module("torchvision")


def _declare_operators() -> None:
    from torch import library

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    declared = library.Library("torchvision", "FRAGMENT")
    for operator in OPERATORS:
        declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept_alive.append(declared)


def pick_device(gpus: str) -> tuple[str, list[int] | str]:
    """Turn `--gpus` into Lightning's `accelerator` and `devices`.

    `auto` is the first GPU if there is one, else Apple's, else the processor.

    Raises:
        UserError: the words mean nothing, or this machine has no such GPU.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus == "cpu":
        return "cpu", "auto"
    if gpus == "auto" and count:
        return "cuda", [0]
    if gpus in ("auto", "mps"):
        if torch.backends.mps.is_available():
            return "mps", "auto"
        if gpus == "mps":
            mend = "write `gpus=cpu` or `gpus=auto`"
            raise UserError(f"`gpus` mps: PyTorch finds no GPU of Apple's on this machine; {mend}")
        return "cpu", "auto"

    words = [word.strip() for word in gpus.split(",")]
    if not all(word.isdecimal() for word in words):
        raise UserError(f"`gpus` {gpus}: neither auto, cpu, mps nor GPU numbers; write for example `gpus=0`")
    numbers = sorted({int(word) for word in words})
    if not count:
        raise UserError(f"`gpus` {gpus}: PyTorch finds no CUDA GPU on this machine; write `gpus=cpu` or `gpus=auto`")
    if len(numbers) > 1:
        raise UserError(
            f"`gpus` {gpus}: an experiment trains on one GPU; start `compare` once for each GPU, and they share the "
            "grid"
        )
    if numbers[-1] >= count:
        known = ", ".join(map(str, range(count)))
        raise UserError(f"`gpus` {gpus}: no GPU {numbers[-1]} on this machine; choose from: {known}")
    return "cuda", numbers


def pick_precision(precision: str, accelerator: str) -> str:
    """Turn `--precision` into Lightning's: `32-true` or `bf16-mixed`.

    `auto` takes bf16 only where the hardware multiplies it: a processor with AVX512-BF16 or AMX, or a CUDA GPU
    from Ampere on. Elsewhere bf16 is emulated, and about ten times slower than float32 (measured on AVX2).
    """
    if precision == "auto":
        precision = "bf16" if _has_bf16(accelerator) else "32"
    return {"32": "32-true", "bf16": "bf16-mixed"}[precision]


def _has_bf16(accelerator: str) -> bool:
    import torch

    if accelerator in ("cuda", "gpu"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if accelerator != "cpu":
        return False
    # PyTorch keeps these two private; a version without them simply gets float32.
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, test, bool)() for test in tests)


def prefers_channels_last(accelerator: str, precision: str, batch_norm: bool = False) -> bool:
    """Say whether a net, with or without batch norm, trains faster with its channels as the innermost dimension.

    With bf16 always: the matrix units of GPUs and processors want it so. In float32 on a processor it depends on the
    net. Measured on two AVX2 cores (96x96, batch 16), images a second, channels last against first: with batch norm
    `buda` 12.3 : 10.8, `buda --width 16` 41 : 37, `resnext` 11.0 : 11.0; without, `unet` 3.4 : 4.0.
    """
    if precision == "bf16-mixed":
        return accelerator != "mps"
    return accelerator == "cpu" and batch_norm


def describe() -> dict[str, str]:
    """Name the software and hardware a result was made with, for `run.json`.

    Package versions, `python`, `platform`, `processor`, `cores`, `memory` (GiB), and `gpu` where there is one.
    """
    import torch

    facts = describe_software(DESCRIBED_PACKAGES)
    facts["processor"] = f"{_processor_name()} ({torch.backends.cpu.get_cpu_capability()})"
    facts["cores"] = str(usable_cores())
    facts["memory"] = _memory()
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name(0)
    return facts


def describe_software(packages: Sequence[str]) -> dict[str, str]:
    """Name `python`, `platform` and the versions of those packages that are installed; nothing is imported."""
    # Names of kernels and builds tell where a result was made, not how: they would only travel into reports.
    facts = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for package in packages:
        try:
            facts[package] = metadata.version(package).split("+")[0]
        except metadata.PackageNotFoundError:
            continue
    return facts


def usable_cores() -> int:
    """Count the processor cores this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor_name() -> str:
    try:
        lines = PROCESSOR_FACTS.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"
    except (AttributeError, ValueError, OSError):
        return "unknown"
