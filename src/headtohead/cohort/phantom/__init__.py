"""Made-up patients in the layout of LGG or BraTS, for trying and testing everything without a download."""

from pathlib import Path

from headtohead.cohort.phantom.brats import make_brats_phantoms
from headtohead.cohort.phantom.writing import make_phantoms
from headtohead.errors import UserError
from headtohead.options.table import Options

__all__ = ["make", "make_brats_phantoms", "make_phantoms"]

MAKERS = {"lgg": make_phantoms, "brats": make_brats_phantoms}
"""Who draws patients in the layout of which `--data`."""


def make(options: Options) -> None:
    """Do what `--make_phantoms` says.

    Raises:
        UserError: nobody draws patients of this kind of data, or they cannot be written.
    """
    kind = options.data.data
    if kind not in MAKERS:
        raise UserError(f"`make_phantoms`: draws patients with `data` {' or '.join(MAKERS)}, not {kind}")
    MAKERS[kind](Path(str(options.verbs.make_phantoms)))
