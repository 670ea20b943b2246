"""SECURITY.md: each test that it names is there, and no call in the program could run what a file holds."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [*sorted((ROOT / "src").rglob("*.py")), ROOT / "main.py", ROOT / "hubconf.py"]

NEVER = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.jit.load", "torch.hub.load"}
NEVER |= {"pickle.load", "pickle.loads", "pickle.Unpickler", "pd.read_pickle"}
NEVER |= {"yaml.load", "yaml.full_load", "yaml.unsafe_load"}
ONLY_WITH = {
    "torch.load": "weights_only=True",
    "np.load": "allow_pickle=False",
    "np.lib.format.read_array": "allow_pickle=False",
}
RUNS_FILES = {"models/own_file.py"}
"""Where a file of a net is run that the user named."""

UNPICKLERS = {"dill", "cloudpickle", "joblib", "marshal", "shelve"}


def dangers(code: str) -> list[str]:
    """List the calls and imports in Python code that could run what a file holds."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            dangerous = bool(names & UNPICKLERS)
        elif isinstance(node, ast.Call):
            name, keywords = ast.unparse(node.func), {ast.unparse(keyword) for keyword in node.keywords}
            dangerous = name in NEVER or ONLY_WITH.get(name, "shell=False") not in keywords | {"shell=False"}
            dangerous |= "shell=True" in keywords
        else:
            continue
        if dangerous:
            found.append(ast.unparse(node))
    return found


def test_dangers_are_found() -> None:
    code = "import dill\ntorch.load(f)\nnp.load(f, allow_pickle=True)\neval(t)\nrun(t, shell=True)\npickle.loads(b)"
    assert dangers(code) == code.splitlines()
    assert (
        dangers("torch.load(f, weights_only=True)\nmodel.eval()\nre.compile(t)\nnp.load(f, allow_pickle=False)") == []
    )


def test_code_of_a_file_is_run_in_one_place() -> None:
    users = {path for path in PROGRAM if re.search(r"\bexec_module\b|\brunpy\b", path.read_text(encoding="utf-8"))}
    assert {str(path.relative_to(ROOT / "src/headtohead")) for path in users} == RUNS_FILES


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_could_run_code_of_a_file(path: Path) -> None:
    assert dangers(path.read_text(encoding="utf-8")) == []


def test_promises_name_tests_that_are_there() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 15
    absent = [(file, test) for file, test in named if f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8")]
    assert not absent
