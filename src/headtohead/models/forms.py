"""Names of nets that are no row of the table: of a library, of a file of one's own, of an installed package.

Nothing is imported here but the list of what is installed, and that only for a name that has no other meaning.
"""

import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from headtohead.errors import UserError, did_you_mean

GROUP = "headtohead.models"
"""Under which an installed package announces its nets as entry points."""

MONAI_MISSING = "MONAI is not installed; run pip install monai"

SMP, MONAI, FILE, PACKAGE = "smp", "monai", "file", "package"
SPOKEN = {
    SMP: "a net of segmentation_models_pytorch",
    MONAI: "a net of MONAI",
    FILE: "a net of a file",
    PACKAGE: "a net of an installed package",
}
LIBRARIES = (SMP, MONAI)
RUNS_CODE = (FILE, PACKAGE)
"""What is built only if the user names it: a run folder or a bundle may come from anybody."""

TITLES = {
    SMP: r"smp:[A-Za-z]\w*:[\w.-]+",
    MONAI: r"monai:[A-Za-z]\w*",
    FILE: r"[^/\\:,=\s]+\.py:[A-Za-z_]\w*",
    PACKAGE: r"[A-Za-z_][\w.-]*",
}
"""What a title of each kind looks like."""

FORMS = "smp:ARCHITECTURE:ENCODER, monai:CLASS or FILE.py:CLASS"


@dataclass(frozen=True)
class Form:
    """A net that is no row of the table.

    Attributes:
        kind: whose it is: `smp`, `monai`, `file` or `package`.
        title: as tables and pages name it; of a file without its folder, `mynet.py:Net`.
        path: of a file.
    """

    kind: str
    title: str
    path: Path | None = None

    @property
    def parts(self) -> list[str]:
        """What stands between the colons: architecture and encoder, or the class."""
        return self.title.split(":")[1:]

    @property
    def runs_code(self) -> bool:
        """Whether building it runs code that is neither ours nor of a library that we use."""
        return self.kind in RUNS_CODE


def form_of(name: str, label: str, rows: Iterable[str]) -> Form:
    """Read the name of a net that is none of `rows`, and look whether it is there; `label` is for messages.

    Raises:
        UserError: it names nothing that is here; the message gives the mend.
    """
    kind = kind_of_name(name)
    if kind in (SMP, MONAI):
        return _of_library(name, kind, label)
    if kind == FILE:
        return _of_file(name, label)
    installed = entry_points()
    if name in installed and re.fullmatch(TITLES[PACKAGE], name) and not name.endswith("-threshold"):
        return Form(PACKAGE, name)
    known = [*rows, *sorted(installed)]
    guess = did_you_mean(name, known).removeprefix("; ")
    raise UserError(
        f"{label} {name}: no such model; {f'{guess} Known' if guess else 'known'}: {', '.join(known)}, {FORMS}"
    )


def kind_of_name(name: str) -> str:
    """Say by its spelling alone whose net a name means; a row or a package's are spelt alike."""
    first = name.partition(":")[0]
    if first in (SMP, MONAI):
        return first
    return FILE if re.search(r"\.py(:|$)", name) else PACKAGE


def title_of(name: str) -> str:
    """Give a name as tables and pages have it: a file without its folder, all others as they are."""
    if kind_of_name(name) != FILE:
        return name
    path, _, attribute = name.rpartition(":")
    return f"{Path(path).name}:{attribute}"


def folder_part(name: str) -> str:
    """Spell a name as a part of a folder's: `smp:FPN:resnet18` as `smp-FPN-resnet18`, `mynet.py:Net` as `mynet-Net`."""
    return re.sub(r"[^\w.-]+", "-", title_of(name).replace(".py:", ":"))


def entry_points() -> "dict[str, str]":
    """List the nets that installed packages announce: name to `package version`."""
    from importlib import metadata  # slow, and seldom needed

    found = {}
    for one in metadata.entry_points(group=GROUP):
        found[one.name] = f"{one.dist.name} {one.dist.version}" if one.dist else one.value
    return found


def _of_library(name: str, kind: str, label: str) -> Form:
    if not re.fullmatch(TITLES[kind], name):
        form = "smp:ARCHITECTURE:ENCODER, such as smp:FPN:resnet18" if kind == SMP else "monai:CLASS, such as "
        raise UserError(f"{label} {name}: must have the form {form}{'monai:BasicUNet' if kind == MONAI else ''}")
    if kind == MONAI and importlib.util.find_spec("monai") is None:
        raise UserError(f"{label} {name}: {MONAI_MISSING}")
    return Form(kind, name)


def _of_file(name: str, label: str) -> Form:
    text, _, attribute = name.rpartition(":")
    path = Path(text).expanduser()
    if not text.endswith(".py") or not attribute.isidentifier():
        raise UserError(f"{label} {name}: must have the form FILE.py:CLASS, such as mynet.py:Net")
    if not re.fullmatch(TITLES[FILE], title_of(name)):
        raise UserError(f"{label} {name}: the file's name may hold no space, comma, colon or equals sign; rename it")
    if not path.is_file():
        raise UserError(f"{label} {name}: no such file {path}; check the path")
    return Form(FILE, title_of(name), path)
