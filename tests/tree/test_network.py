"""What can ask the network is imported in few places, and is silent."""

import ast
from pathlib import Path

from tests.processes import printed_by
from tests.tree.source import MODULES, PACKAGE, ROOT, imports_of

# What can ask the network, and the only files that may import it. `telemetry` imports the two runtimes by name.
ASKING = {
    "onnxruntime": set(),
    "openvino": set(),
    "albumentations": {"batches/augmentation.py"},
    "kagglehub": {"readers/download.py"},
    "huggingface_hub": {"models/pretrained.py"},
    "urllib.request": {"models/pretrained.py"},
    "socket": {"serving/app.py"},
    "http.client": set(),
    "mlflow": set(),
    "wandb": set(),
    "requests": set(),
    "httpx": set(),
}


def called_by_name(path: Path) -> set[str]:
    """Name what a file imports by a call such as `import_module("x")`."""
    return {
        str(node.args[0].value)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func).endswith(("import_module", "__import__"))
    }


def test_what_can_ask_the_network_is_imported_in_one_place() -> None:
    paths = [*MODULES, ROOT / "main.py", ROOT / "hubconf.py", *sorted((ROOT / "benchmarks").rglob("*.py"))]
    users: dict[str, set[str]] = {package: set() for package in ASKING}
    for path in paths:
        file = str(path.relative_to(PACKAGE) if path.is_relative_to(PACKAGE) else path.relative_to(ROOT))
        for name in imports_of(path) | called_by_name(path):
            for package in ASKING:
                if f"{name}.".startswith(f"{package}."):
                    users[package].add(file)
    assert users == ASKING


def test_importing_the_package_switches_telemetry_off() -> None:
    code = "import sys; before = set(sys.modules); import headtohead, os\n"
    code += "print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['NO_ALBUMENTATIONS_UPDATE'])\n"
    code += "print(sys.modules['openvino_telemetry'], {'onnxruntime', 'openvino'} & set(sys.modules))"
    assert printed_by(code) == "1 1\nNone set()\n"
