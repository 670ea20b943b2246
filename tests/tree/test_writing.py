"""All writing goes through `saving`."""

import ast
from pathlib import Path

import pytest

from tests.tree.source import MODULES, PACKAGE, module_name

WRITES = {"write_text", "write_bytes", "to_csv", "touch", "to_stream", "savez", "savez_compressed", "tofile"}
"""Methods and functions that write into the path they are given: only one that `saving` gave."""
LOSE_THE_REASON = {
    "imwrite",
    "savefig",
    "save_file",
    "to_filename",
    "mkstemp",
    "mkdtemp",
    "NamedTemporaryFile",
    "umask",
}
"""What has no place outside `saving`, which has its own: these lose the reason of a fault, or the lock."""
GIVEN_BY_SAVING = {"atomic_path", "temporary_folder", "all_or_none", "writing", "write_streamed"}
SCRATCH = {"serving/answering.py", "serving/uploads.py"}
"""Write into the page's own temporary folder, which goes when it ends; a fault there is an answer of the page."""
DOOR = {"saving.py", "claiming.py", "reporting/events.py"}
"""`saving`, its locks, and the event files, which grow while TensorBoard reads them."""


def name_of(call: ast.Call) -> str:
    """Give the last name of what is called: `write_text` of `path.write_text(...)`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def opens_for_writing(call: ast.Call) -> bool:
    """Say whether a call is `open` in a mode that writes."""
    said = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
    modes = [one.value for one in said if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if name_of(call) != "open" or "archive" in ast.unparse(call.func):  # an entry of a file that is open
        return False
    return any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes)


def writes_past_saving(tree: ast.AST) -> list[str]:
    """Name what writes to the disk outside a block or a call that `saving` watches over."""
    found = []

    def look(node: ast.AST, watched: bool) -> None:
        if isinstance(node, ast.With):
            calls = [one for item in node.items for one in ast.walk(item) if isinstance(one, ast.Call)]
            watched = watched or any(name_of(call) in GIVEN_BY_SAVING for call in calls)
        if isinstance(node, ast.Call):
            name = name_of(node)
            watched = watched or name in GIVEN_BY_SAVING
            library = node.func.value if isinstance(node.func, ast.Attribute) else None
            saves = name == "save" and ast.unparse(library or node.func) in ("torch", "torch.jit", "nibabel", "np")
            past = name in WRITES and library is not None and bool(node.args or node.keywords)
            if name in LOSE_THE_REASON or ((saves or past or opens_for_writing(node)) and not watched):
                found.append(f"line {node.lineno}: {ast.unparse(node.func)}")
        for child in ast.iter_child_nodes(node):
            look(child, watched)

    look(tree, watched=False)
    return found


@pytest.mark.parametrize(
    "line",
    [
        "open(path, 'w')",
        "path.open('ab')",
        "path.open(mode='x')",
        "path.write_text(text)",
        "table.to_csv(path)",
        "cv2.imwrite(path, pixels)",
        "figure.savefig(path)",
        "torch.save(state, path)",
        "torch.jit.save(net, path)",
        "save_file(state, path)",
        "tempfile.mkdtemp()",
        "os.umask(0)",
    ],
)
def test_writing_past_saving_is_found(line: str) -> None:
    assert writes_past_saving(ast.parse(line))
    within = writes_past_saving(ast.parse(f"with saving.atomic_path(path) as temporary:\n    {line}"))
    assert bool(within) == (line.split("(")[0].split(".")[-1] in LOSE_THE_REASON)


def test_reading_is_no_writing() -> None:
    assert not writes_past_saving(ast.parse("open(path); path.open('rb'); archive.open(entry, 'r'); table.to_csv()"))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_all_writing_goes_through_saving(path: Path) -> None:
    place = str(path.relative_to(PACKAGE))
    if place not in DOOR | SCRATCH:
        assert not writes_past_saving(ast.parse(path.read_text(encoding="utf-8")))
