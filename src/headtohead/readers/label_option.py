"""`--labels`: which values of a label map are which target."""

from headtohead.errors import UserError
from headtohead.task import Target, Targets
from headtohead.task.targets import CLASSES, COLOURS, REGIONS

BACKGROUND = "background"
"""In place of a target's name: the values count as background."""

EXAMPLE = "'whole tumour=1,2,4;enhancing=4'"


def targets_of(text: str) -> Targets:
    """Make targets of `name=values;name=values`.

    Targets that share a value are regions, others classes; a single one is a region. Of regions the outer one comes
    first.

    Raises:
        UserError: it is no such text, or no targets can be made of it.
    """
    named: dict[str, tuple[int, ...]] = {}
    for part in filter(str.strip, text.split(";")):
        name, equals, values = part.partition("=")
        name = " ".join(name.split())
        if not equals or not name:
            raise UserError(f"`labels` {text}: {part.strip()} is not name=values; an example: {EXAMPLE}")
        if name in named:
            raise UserError(f"`labels` {text}: names {name} twice; give it all its values at once")
        try:
            if "_" in values:  # int() would take 1_2 for 12
                raise ValueError
            named[name] = tuple(sorted({int(value) for value in values.split(",")}))
        except ValueError:
            raise UserError(
                f"`labels` {text}: the values of {name} are not whole numbers; an example: {EXAMPLE}"
            ) from None
    return make_targets(named, f"`labels` {text}")


def make_targets(named: dict[str, tuple[int, ...]], source: str, kind: str = "") -> Targets:
    """Make targets of names and values, those of `background` among them.

    Args:
        named: name -> values.
        source: where they stand, for errors.
        kind: of several targets; empty: regions where they share a value, else classes.

    Raises:
        UserError: begins with `source`.
    """
    others = tuple(value for value in named.get(BACKGROUND, ()) if value)
    wanted = [(name, values) for name, values in named.items() if name != BACKGROUND]
    try:
        targets = tuple(
            Target(name, values, COLOURS[place % len(COLOURS)]) for place, (name, values) in enumerate(wanted)
        )
        values = [value for target in targets for value in target.labels]
        shared = len(set(values)) < len(values)
        kind = REGIONS if len(targets) == 1 else kind or (REGIONS if shared else CLASSES)
        return Targets(targets, kind, others)
    except ValueError as fault:
        raise UserError(f"{source}: {fault}") from fault
