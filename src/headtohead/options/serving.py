"""How the page is served."""

from dataclasses import dataclass

from headtohead.options.checks import between
from headtohead.options.declaring import option
from headtohead.options.group import Group


@dataclass(frozen=True)
class ServingOptions(Group):
    """Service."""

    port: int = option(7860, "port of --serve on this machine; 0: any that is free", check=between(0, 65535))
