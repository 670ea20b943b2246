"""Names of nets that are no row of the table: read without importing a library, mistakes refused in a line."""

import importlib.metadata
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from headtohead.errors import UserError
from headtohead.models import forms
from headtohead.models.forms import folder_part, form_of, title_of
from headtohead.models.registry import find_spec
from headtohead.parsing import parse
from tests.models.nets_of_others import write_net
from tests.processes import printed_by


@pytest.mark.parametrize(
    ("name", "kind", "folder"),
    [
        ("smp:FPN:resnet18", "smp", "smp-FPN-resnet18"),
        ("smp:Unet:tu-resnet18.a1_in1k", "smp", "smp-Unet-tu-resnet18.a1_in1k"),
        ("monai:BasicUNet", "monai", "monai-BasicUNet"),
    ],
)
def test_a_net_of_a_library(name: str, kind: str, folder: str) -> None:
    spec = find_spec(name)
    assert spec.form is not None and (spec.form.kind, spec.name, folder_part(name)) == (kind, name, folder)


def test_a_net_of_a_file_has_no_folder_in_its_title(tmp_path: Path) -> None:
    name = f"{write_net(tmp_path / 'nets')}:Net"
    spec = find_spec(name)
    assert (spec.name, spec.form.path) == ("mynet.py:Net", tmp_path / "nets/mynet.py")
    assert (title_of(name), folder_part(name)) == ("mynet.py:Net", "mynet-Net")


def test_a_net_of_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    announced = SimpleNamespace(name="theirs", value="theirs:Net", dist=SimpleNamespace(name="their-nets", version="2"))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **asked: [announced])
    spec = find_spec("theirs")
    assert (spec.form.kind, spec.source) == ("package", "their-nets 2")
    with pytest.raises(UserError, match="`model` their: no such model; did you mean theirs"):
        find_spec("their")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smp:FPN", "`model` smp:FPN: must have the form smp:ARCHITECTURE:ENCODER, such as smp:FPN:resnet18"),
        ("smp:FPN:hf-hub:a/b", "must have the form smp:ARCHITECTURE:ENCODER"),
        ("monai:", "`model` monai:: must have the form monai:CLASS"),
        ("absent.py:Net", "`model` absent.py:Net: no such file absent.py; check the path"),
        ("absent.py", "`model` absent.py: must have the form FILE.py:CLASS, such as mynet.py:Net"),
        ("my net.py:Net", "may hold no space"),
        ("a.py:os.system", "must have the form FILE.py:CLASS"),
        ("unett", "`model` unett: no such model; did you mean unet? Known: unet, buda, "),
    ],
)
def test_mistakes_are_refused_in_a_line(name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        form_of(name, "`model`", ["unet", "buda"])
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_without_monai_the_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^`model` monai:UNet: MONAI is not installed; run pip install monai"):
        find_spec("monai:UNet")


def test_names_are_read_without_importing_what_they_name(tmp_path: Path) -> None:
    path = write_net(tmp_path)
    names = f"smp:FPN:resnet18,monai:UNet,{path}:Net"
    code = f"import sys; from headtohead.parsing import parse; parse(['--compare', '--models', {names!r}])\n"
    code += "print({'torch', 'monai', 'timm', 'segmentation_models_pytorch', 'mynet'} & set(sys.modules))"
    assert printed_by(code) == "set()\n"


def test_two_nets_that_would_share_a_folder_are_refused(tmp_path: Path) -> None:
    one, other = (write_net(tmp_path / name) for name in "ab")
    with pytest.raises(UserError, match=r"b/mynet.py:Net: its run folders would be those of .*a/mynet.py:Net; rename"):
        parse(["--compare", "--models", f"{one}:Net,{other}:Net"])


def test_a_package_may_not_take_the_name_of_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "entry_points", lambda: {"flair-threshold": "theirs 1"})
    with pytest.raises(UserError, match="flair-threshold: no such model"):
        find_spec("flair-threshold")
