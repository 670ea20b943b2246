"""What it runs on, and what concerns one command only."""

from dataclasses import dataclass

from headtohead.options.checks import at_least, gpu_numbers
from headtohead.options.declaring import option
from headtohead.options.group import Group


@dataclass(frozen=True)
class MachineOptions(Group):
    """Machine."""

    gpus: str = option(
        "auto", "auto, cpu, mps (Apple's GPU), or the number of a GPU", metavar="WHICH", check=gpu_numbers
    )
    precision: str = option(
        "auto", "arithmetic; auto: bf16 if the hardware supports it", choices=("auto", "32", "bf16")
    )
    num_workers: int = option(-1, "processes that prepare batches; -1: chosen automatically", check=at_least(-1))
    config: str = option(
        "",
        "YAML file with any of these options, or the name of one of configs/: demo; flags override it",
        metavar="FILE",
        stored=False,
    )
    print_config: bool = option(False, "print the options as YAML and exit", stored=False)
    debug: bool = option(False, "show the traceback of an error")
