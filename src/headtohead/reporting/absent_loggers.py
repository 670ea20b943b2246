"""Loggers whose package is not installed are refused at once, before anything slow is imported."""

from collections.abc import Collection, Sequence
from importlib.util import find_spec

from headtohead.errors import UserError

PACKAGES = {"mlflow": ("mlflow", "sqlalchemy"), "wandb": ("wandb",)}
"""Logger -> what it imports; its extra has its name."""


def refuse_absent_loggers(verbs: Collection[str], loggers: Sequence[str]) -> None:
    """Refuse loggers that are not installed, where something is to be trained.

    Raises:
        UserError: names the logger, and how it is installed.
    """
    if not {"train", "compare"} & set(verbs):
        return
    for name in loggers:
        if missing := [one for one in PACKAGES.get(name, ()) if find_spec(one) is None]:
            raise UserError(
                f"`loggers` {name}: the package {missing[0]} is not installed; run pip install 'headtohead[{name}]' "
                f"(in a checkout pip install '.[{name}]'), or leave it out"
            )
