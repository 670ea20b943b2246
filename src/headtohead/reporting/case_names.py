"""Names of cases as a figure can bear them: what tells them apart, without what all of them share."""

import re
from collections.abc import Iterable

DATE = re.compile(r"_\d{8}$")


def short_names(cases: Iterable[str]) -> dict[str, str]:
    """Shorten names of cases: `TCGA_CS_4941_19960909` is `CS_4941` beside other sites' cases.

    Args:
        cases: names, their parts joined by underscores.

    Returns:
        Name to short name: without a date at the end, unless two scans of one patient need it to be told apart,
        and without the parts at the start that all names share.
    """
    names = list(dict.fromkeys(str(case) for case in cases))
    shorter = [DATE.sub("", name) for name in names]
    if len(set(shorter)) < len(names):
        shorter = names
    parts = [name.split("_") for name in shorter]
    shared = 0
    while parts and shared + 1 < min(map(len, parts)) and len({part[shared] for part in parts}) == 1:
        shared += 1
    return {name: "_".join(part[shared:]) for name, part in zip(names, parts, strict=True)}
