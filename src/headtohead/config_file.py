"""Options as a YAML file: reading one, and writing one that reads back as the same options.

The files of configs/ come with the program, wherever it is installed, and go by their bare names: `demo`.
"""

from pathlib import Path
from typing import Any

from headtohead.errors import UserError
from headtohead.options.declaring import description_of
from headtohead.options.group import declarations
from headtohead.options.settling import settle
from headtohead.options.table import GROUPS, Options, flat, known_option
from headtohead.records.regular import UnreadableError

SHIPPED = Path(__file__).with_name("configs")


def read_config(file: str, inside: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read the options of a YAML file: name to settled value, for the keys that are there.

    A file may build on another with its own key `config`; its other keys win over that one's. A bare name such as
    `demo` is a file of that name or, where there is none, the shipped one.

    Raises:
        UserError: no such file, not YAML, not a mapping, an unknown key or a wrong value; file and key are named.
    """
    if file in inside:
        raise UserError(f"{file}: includes itself through its key config; remove the key")
    content = _load(file)
    if not isinstance(content, dict):
        raise UserError(f"{file}: must consist of lines of the form key: value, as --print_config writes them")
    values = {}
    for key, raw in content.items():
        values[str(key)] = settle(known_option(str(key), f"{file}: {key}"), raw, f"{file}: {key}")
    base = values.pop("config", "")
    return {**(read_config(base, (*inside, file)) if base else {}), **values}


def _load(file: str) -> Any:
    from headtohead.records.yaml_reader import read_yaml

    try:
        return read_yaml(_place_of(file))
    except FileNotFoundError:
        names = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.yaml")))
        raise UserError(
            f"`config` {file}: no such file; check the path, or name one that is shipped: {names}"
        ) from None
    except UnreadableError as problem:
        raise UserError(f"`config` {file}: {problem}; correct the file") from None


def _place_of(file: str) -> Path:
    """Find a file: by its path, else, if it is a bare name, among those that are shipped."""
    path = Path(file)
    bare = path.name == file and not path.suffix
    return SHIPPED / f"{file}.yaml" if bare and not path.is_file() else path


def write_config(options: Options) -> str:
    """Write options as YAML with a comment on each, in the order of `--help`."""
    values = flat(options, verbs=True)
    lines = ["# Options of Head-to-Head: give this file to --config. Flags win over it."]
    for group in GROUPS.values():
        lines += ["", f"# {group.__doc__}"]
        for one in declarations(group):
            if one.name in values:
                lines.append(f"{_yaml_line(one.name, values[one.name]):<32}  # {description_of(one).help}")
    return "\n".join(lines) + "\n"


def _yaml_line(name: str, value: Any) -> str:
    import yaml

    # In a list on one line every value is written on one line, with quotes where it needs them.
    text: str = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**6)
    return f"{name}: {text.rstrip()[1:-1]}"
