"""YAML that is damaged or made to do harm ends in one line, for --config and for a run's config.yaml alike."""

import os
import re
from pathlib import Path

import pytest

from headtohead.cli import main
from headtohead.errors import UserError
from headtohead.records.regular import UnreadableError
from headtohead.records.yaml_reader import MOST_VALUES, read_yaml
from headtohead.runs.folder import RunFolder

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {seed: 1}\n" + "".join(
    f"b{number}: &b{number} {{<<: [{', '.join([f'*{before}'] * 3)}]}}\n"
    for number, before in enumerate(["a", *(f"b{place}" for place in range(30))])
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, 1000))

DAMAGED = {
    "alias bomb": (BOMB, "line .: more than 10000 values"),
    "bomb of merge keys": (MERGES, "line .+: more than 10000 values"),
    "deep through aliases": (CHAIN, "line .+: nested more than 20 deep"),
    "contains itself": ("seed: &a [*a]\n", "line 1: contains itself through an alias"),
    "deep lists": ("seed: 1\nmodels: " + "[" * 50_000, "line 2: nested more than 20 deep"),
    "deep mappings": ("{a: " * 5_000, "line 1: nested more than 20 deep"),
    "deep blocks": ("- " * 5_000, "line 1: nested more than 20 deep"),
    "5,000 digits": ("seed: " + "9" * 5_000, "line 1: a number of more than 40 digits"),
    "5,000 hexadecimal digits": ("a: 1\nseed: 0x" + "f" * 5_000, "line 2: a number of more than 40 digits"),
    "a number in base 60": ("seed: 1" + ":59" * 5_000, "line 1: a number of more than 40 digits"),
    "no whole number": ("seed: !!int abc", "line 1: not a valid whole number"),
    "no number": ("\nseed: !!float abc", "line 2: not a valid number"),
    "no truth value": ("seed: !!bool abc", "line 1: not a valid truth value"),
    "no date": ("seed: !!timestamp abc", "line 1: not a valid date"),
    "an impossible date": ("seed: 2024-13-45", "line 1: not a valid date"),
    "an impossible time": ("seed: 2024-01-01 25:61:61", "line 1: not a valid date"),
    "code": ("seed: !!python/object/apply:os.getcwd []", "line 1: not valid YAML: could not determine"),
    "a list as a key": ("? [a]\n: 1\n", "line 1: not valid YAML: found unhashable key"),
    "NUL": ("seed: 1\n\0", "line 2: not valid YAML: a character that is no text"),
    "a control character": ("seed: \x1b[31m", "line 1: not valid YAML: a character that is no text"),
    "not UTF-8": (b"seed: 1\nrun_name: \xff\xfe", "line 2: not UTF-8"),
    "half of UTF-16": (b"\xff\xfes\0e", "line 1: not UTF-8"),
    "two documents": ("seed: 1\n---\nseed: 2\n", "line 2: not valid YAML: expected a single document"),
    "a version of 5,000 digits": (f"%YAML {'9' * 5_000}.1\n---\nseed: 1\n", "line 1: not valid YAML"),
    "a smaller version of 5,000 digits": (f"# x\n%YAML 1.{'9' * 5_000}\n---\nseed: 1\n", "line 2: not valid YAML"),
    "a later version": ("%YAML 9.1\n---\nseed: 1\n", "line 1: not valid YAML: found incompatible YAML document"),
    "an unknown directive": ("%YAML 1.1\n%YAML 1.1\n---\nseed: 1\n", "line 2: not valid YAML: found duplicate YAML"),
    "a tag that was not declared": ("seed: !x!int 1", "line 1: not valid YAML: found undefined tag handle"),
    "no UTF-8 in a tag": ("seed: !%FF%FE 1", "line 1: not valid YAML"),
    "no character": ('\nmodel: "\\U00110000"', "line 2: not valid YAML"),
    "an escape cut short": ('model: "\\U0011"', "line 1: not valid YAML: expected escape sequence of 8 hexadecimal"),
    "an unknown escape": ('model: "\\q"', "line 1: not valid YAML: found unknown escape character"),
    "an open quotation": ("model: 'unet", "line 1: not valid YAML: found unexpected end of stream"),
    "an open list": ("models: [unet,\n", "line 2: not valid YAML: expected the node content"),
    "a tab": ("model:\n\tunet", "line 2: not valid YAML: found character"),
    "an alias of nothing": ("seed: *a", "line 1: not valid YAML: found undefined alias"),
    "no name of an alias": ("seed: &\n", "line 1: not valid YAML: expected alphabetic or numeric"),
    "no base64": ("seed: !!binary a", "line 1: not valid YAML: failed to decode base64"),
    "an impossible time zone": ("seed: 2024-01-01 00:00:00 +99:99", "line 1: not a valid date"),
    "a merge of no mapping": ("<<: 1", "line 1: not valid YAML: expected a mapping or list of mappings for merging"),
    "a list of no pairs": ("seed: !!pairs [a]", "line 1: not valid YAML: expected a mapping of length 1"),
    "a mapping that is a number": ("seed: !!int {a: 1}", "line 1: not valid YAML: expected a scalar node"),
    "a number that is a mapping": ("seed: !!map 1", "line 1: not valid YAML: expected a mapping node"),
    "too large": ("# " + "x" * (300 << 10), "larger than 256 KiB"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_one_line_names_file_and_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, message = DAMAGED[name]
    path = tmp_path / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["--config", str(path), "--print_config"]) == 2
    printed, error = capsys.readouterr()
    assert printed == "" and error.count("\n") == 1
    assert re.match(rf"error: --config {path}: {message}.*; correct the file", error)
    with pytest.raises(UserError, match=rf"config\.yaml: damaged \({message}.*\); restore it, or delete the folder"):
        RunFolder(tmp_path).read_config()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for path, reason in (
        (tmp_path, "is a directory"),
        (tmp_path / "pipe", "is a pipe or a device"),
        (tmp_path / "link", "is a pipe or a device"),
        (Path("/dev/zero"), "is a pipe or a device"),
    ):
        with pytest.raises(UnreadableError, match=reason):
            read_yaml(path)
    with pytest.raises(FileNotFoundError):
        read_yaml(tmp_path / "nowhere")


def test_what_is_within_the_bounds_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fine.yaml"
    path.write_text("a: &a [1, 2.5, 2024-01-31]\nb: {<<: {c: *a}, d: *a}\n")
    assert read_yaml(path)["b"]["c"] == read_yaml(path)["a"]
    path.write_text(f"seeds: [{', '.join(['1'] * (MOST_VALUES - 4))}]")
    assert len(read_yaml(path)["seeds"]) == MOST_VALUES - 4
    path.write_text("")
    assert read_yaml(path) is None
    for encoding in ("utf-8-sig", "utf-16", "utf-8"):
        path.write_text("run_name: Köpfe\n", encoding=encoding)
        assert read_yaml(path) == {"run_name": "Köpfe"}
