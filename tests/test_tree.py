"""The tree keeps its shape: names, the direction of imports, links between pages, configs that are accepted."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from headtohead import cli
from headtohead.cli import parse
from tests.processes import printed_by

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "headtohead"

# Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "shared", "stuff"}

# From the bottom up: a part imports from its own line and from those above it here, never from those below.
LAYERS = (
    {
        "errors",
        "plurals",
        "quiet",
        "claiming",
        "disk_faults",
        "saving",
        "stopping",
        "machine",
        "memory",
        "telemetry",
        "__init__",
    },
    {"options", "models", "records"},
    {"config_file", "effects", "help_page", "cohort", "runs"},
    {"batches", "scoring", "statistics"},
    {"learning"},
    {"trained"},
    {"comparing", "exploring", "predicting", "reporting"},
    {"serving"},
    {"cli", "overruled"},
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# What a part must not know: the parts of our own that its design forbids, and the packages.
STRANGERS = {
    "models": {"headtohead." + part for part in RANK if part not in ("errors", "machine", "models")},
    "cohort": {"torch", "torchvision", "pytorch_lightning", "lightning"},
    "scoring": {"torch", "torchvision", "pytorch_lightning", "lightning", "torchmetrics"},
    "statistics": {"torch", "torchvision", "pytorch_lightning", "lightning", "torchmetrics"},
    "runs": {"torch", "torchvision", "pytorch_lightning", "lightning"},
}

# What can ask the network, and the only files that may import it. `telemetry` imports the two runtimes by name.
ASKING = {
    "onnxruntime": set(),
    "openvino": set(),
    "albumentations": {"batches/augmentation.py"},
    "kagglehub": {"cohort/download.py"},
    "huggingface_hub": {"models/pretrained.py"},
    "urllib.request": {"models/pretrained.py"},
    "socket": {"serving/app.py"},
    "http.client": set(),
    "requests": set(),
    "httpx": set(),
}

# What `--help` and a mistyped flag must not wait for.
HEAVY = {"torch", "pytorch_lightning", "torchvision", "numpy", "pandas", "cv2", "scipy", "matplotlib", "albumentations"}

MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "data" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *ROOT.glob("results/*.md"),
]
# Files that a recipe lets its reader write.
TO_BE_WRITTEN = {"src/headtohead/models/tiny.py", "src/headtohead/cohort/archives.py"}
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def part_of(module: str) -> str:
    """Name the part of the package that a module is in: `headtohead.models.unet` is in `models`."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def module_name(path: Path) -> str:
    """Name the module of a file."""
    names = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


@cache
def modules() -> frozenset[str]:
    """Name all modules of the package."""
    return frozenset(module_name(path) for path in MODULES)


def imported(tree: ast.AST) -> set[str]:
    """Name what a file imports anywhere, also within functions or for types; `from headtohead import machine` is the
    module. A text such as `headtohead.serving.app:serve` names what is imported when it is needed.
    """
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            source = str(node.module)
            inner = {f"{source}.{alias.name}" for alias in node.names} & modules()
            names |= inner or {source}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"headtohead(\.\w+)+:\w+", str(node.value)):
            names.add(str(node.value).partition(":")[0])
    return names


def imports_of(path: Path) -> set[str]:
    """Name what the file at a path imports."""
    return imported(ast.parse(path.read_text(encoding="utf-8")))


def anchor(heading: str) -> str:
    """Give the anchor that a heading of a Markdown page has."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_no_file_has_an_empty_name(folder: str) -> None:
    assert not [path for path in (ROOT / folder).rglob("*.py") if path.stem.strip("_").lower() in EMPTY_NAMES]


def test_every_part_has_its_layer() -> None:
    assert {part_of(module) for module in modules()} <= RANK.keys()


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    own = part_of(module_name(path))
    ours = {name for name in imports_of(path) if name.split(".")[0] == "headtohead"}
    assert not {name for name in ours if RANK[part_of(name)] > RANK[own]}


@pytest.mark.parametrize("part", STRANGERS)
def test_a_part_keeps_to_what_it_may_know(part: str) -> None:
    for path in (PACKAGE / part).rglob("*.py"):
        for name in imports_of(path):
            ours = ".".join(name.split(".")[:2])
            assert not {name.split(".")[0], ours} & STRANGERS[part], f"{path}: imports {name}"


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


def called_by_name(path: Path) -> set[str]:
    """Name what a file imports by a call such as `import_module("x")`."""
    return {
        str(node.args[0].value)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func).endswith(("import_module", "__import__"))
    }


@pytest.mark.parametrize("package", ASKING)
def test_what_can_ask_the_network_is_imported_in_one_place(package: str) -> None:
    paths = [*MODULES, ROOT / "main.py", ROOT / "hubconf.py", *sorted((ROOT / "benchmarks").rglob("*.py"))]
    users = {
        str(path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.relative_to(ROOT))
        for path in paths
        for name in imports_of(path) | called_by_name(path)
        if f"{name}.".startswith(f"{package}.")
    }
    assert users == ASKING[package]


def test_importing_the_package_switches_telemetry_off() -> None:
    code = "import sys; before = set(sys.modules); import headtohead, os\n"
    code += "print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['NO_ALBUMENTATIONS_UPDATE'])\n"
    code += "print(sys.modules['openvino_telemetry'], {'onnxruntime', 'openvino'} & set(sys.modules))"
    assert printed_by(code) == "1 1\nNone set()\n"


def in_circles(needs: dict[str, set[str]]) -> list[str]:
    """Name what depends on itself, directly or through others, and what lies between two such circles."""
    left = dict(needs)
    while free := {
        one for one, others in left.items() if not others & left.keys() or all(one not in has for has in left.values())
    }:
        for one in free:
            del left[one]
    return sorted(left)


def test_circles_are_found() -> None:
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["b", "c"]
    assert in_circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_parts_do_not_import_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {part: set() for part in RANK}
    for path in MODULES:
        own = part_of(module_name(path))
        needs[own] |= {part_of(name) for name in imports_of(path) if name.split(".")[0] == "headtohead"} - {own}
    needs.pop("__init__")  # holds the version only
    assert in_circles(needs) == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    """Nor within functions, nor for types: what two files need lies in a third, below both."""
    assert in_circles({module_name(path): imports_of(path) & modules() for path in MODULES}) == []


def test_reading_options_imports_nothing_heavy() -> None:
    code = "import sys; import headtohead.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(loaded.stdout.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists():
            broken.append(target)
        elif heading:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            if heading not in {anchor(one) for one in headings}:
                broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_program_are_where_a_page_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {path for path in re.findall(r"`([\w/]+\.py)`", text) if path not in TO_BE_WRITTEN}
    assert not {path for path in named if not (ROOT / path).is_file() and not (PACKAGE / path).is_file()}


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"README.md"}
    assert not {page for page in pages if f"]({page})" not in index}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_config_is_accepted_and_says_its_command(config: Path) -> None:
    command = f"--compare --config configs/{config.name}"
    comment = [line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert any(line.startswith("#     python main.py") and line.endswith(command) for line in comment)
    options = parse(["--compare", "--config", str(config)])
    assert options.comparison.comparison == config.stem


def test_console_script_needs_no_argument(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["headtohead", "--version"])
    assert cli.main() == 0
    assert capsys.readouterr().out.startswith("headtohead ")
