"""`--download` with kagglehub replaced by a fake: no test reaches for the network."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from headtohead.errors import UserError
from headtohead.parsing import parse
from headtohead.readers.download import SOURCES, fetch
from headtohead.readers.lgg import list_cases

CASE = "TCGA_CS_0001_20000101"
Fake = Callable[[Callable[[str, Path], Path]], None]


@pytest.fixture
def fake_kaggle(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Install a kagglehub whose `dataset_download(handle, output_dir)` is the given function."""

    def install(answer: Callable[[str, Path], Path]) -> None:
        module = ModuleType("kagglehub")
        module.dataset_download = lambda handle, output_dir: str(answer(handle, Path(output_dir)))  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "kagglehub", module)

    return install


def write_case(folder: Path) -> None:
    """Write one case of two slices; only the names count, no pixel is read here."""
    (folder / CASE).mkdir(parents=True)
    (folder / "data.csv").write_text("Patient\nTCGA_CS_0001\n")
    for number in (1, 2):
        (folder / CASE / f"{CASE}_{number}.tif").write_bytes(b"image")
        (folder / CASE / f"{CASE}_{number}_mask.tif").write_bytes(b"mask")


def as_kaggle_sends_it(handle: str, folder: Path) -> Path:
    assert handle == SOURCES["lgg"][0]
    write_case(folder / "kaggle_3m")
    write_case(folder / "lgg-mri-segmentation" / "kaggle_3m")
    return folder


def fail_with(problem: Exception) -> Callable[[str, Path], Path]:
    def answer(handle: str, folder: Path) -> Path:
        write_case(folder / "half")
        raise problem

    return answer


def named(name: str, base: type[Exception] = Exception, **attributes: object) -> Exception:
    """Make an exception of a class of that name, as kagglehub and what is below it raise them."""
    problem = type(name, (base,), {})("first line\nsecond line")
    for key, value in attributes.items():
        setattr(problem, key, value)
    return problem


def message(root_dir: Path) -> str:
    with pytest.raises(UserError) as caught:
        fetch("lgg", root_dir)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("there", [False, True])
def test_case_folders_lie_in_root_dir(there: bool, tmp_path: Path, fake_kaggle: Fake) -> None:
    fake_kaggle(as_kaggle_sends_it)
    root = tmp_path / "data" / "kaggle_3m"
    if there:
        root.mkdir(parents=True)
    assert fetch("lgg", root) == root
    assert [case.name for case in list_cases(root)] == [CASE]
    assert (root / "data.csv").is_file()
    assert [path.name for path in root.parent.iterdir()] == ["kaggle_3m"]


def test_copy_lent_by_a_notebook_service_stays_where_it_is(tmp_path: Path, fake_kaggle: Fake) -> None:
    lent = tmp_path / "lent"
    write_case(lent / "kaggle_3m")
    fake_kaggle(lambda handle, folder: lent)
    fetch("lgg", tmp_path / "data")
    assert list_cases(tmp_path / "data")[0].name == list_cases(lent / "kaggle_3m")[0].name


@pytest.mark.parametrize("content", ["data.csv", CASE + "/x.tif"])
def test_nothing_is_overwritten(content: str, tmp_path: Path, fake_kaggle: Fake) -> None:
    asked = []
    fake_kaggle(lambda handle, folder: asked.append(handle) or as_kaggle_sends_it(handle, folder))  # type: ignore[func-returns-value]
    (tmp_path / "data" / content).parent.mkdir(parents=True)
    (tmp_path / "data" / content).write_text("mine")
    assert "already exists" in message(tmp_path / "data")
    assert (tmp_path / "data" / content).read_text() == "mine"
    assert not asked


def test_a_file_in_the_way_is_kept(tmp_path: Path, fake_kaggle: Fake) -> None:
    fake_kaggle(as_kaggle_sends_it)
    (tmp_path / "data").write_text("mine")
    assert "already exists" in message(tmp_path / "data")
    assert (tmp_path / "data").read_text() == "mine"


def test_who_comes_second_does_not_overwrite(tmp_path: Path, fake_kaggle: Fake) -> None:
    def while_another_finishes(handle: str, folder: Path) -> Path:
        write_case(tmp_path / "data")
        return as_kaggle_sends_it(handle, folder)

    fake_kaggle(while_another_finishes)
    assert "already exists" in message(tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert "pip install kagglehub" in message(tmp_path / "data")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (named("ConnectionError", OSError, response=None), "cannot be reached"),
        (ConnectionResetError(errno.ECONNRESET, "reset by peer"), "cannot be reached"),
        (named("KaggleApiHTTPError", OSError, response=SimpleNamespace(status_code=403)), "API token"),
        (named("UnauthenticatedError"), "API token"),
        (named("KaggleApiHTTPError", OSError, response=SimpleNamespace(status_code=503)), "HTTP status 503"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (named("DataCorruptionError"), "DataCorruptionError: first line second line"),
    ],
)
def test_failure_is_one_line_and_leaves_nothing(
    problem: Exception, said: str, tmp_path: Path, fake_kaggle: Fake
) -> None:
    fake_kaggle(fail_with(problem))
    text = message(tmp_path / "data")
    assert said in text
    assert "data/README.md" in text
    assert not any(tmp_path.iterdir())


def test_something_else_came(tmp_path: Path, fake_kaggle: Fake) -> None:
    def another_data_set(handle: str, folder: Path) -> Path:
        (folder / "cats").mkdir(parents=True)
        return folder

    fake_kaggle(another_data_set)
    assert "is not complete" in message(tmp_path / "data")
    assert not any(tmp_path.iterdir())


def test_root_dir_that_cannot_be_made(tmp_path: Path, fake_kaggle: Fake) -> None:
    fake_kaggle(as_kaggle_sends_it)
    (tmp_path / "file").write_text("")
    assert "name another `root_dir`" in message(tmp_path / "file" / "data")


def test_brats_comes_without_its_validation_cases(tmp_path: Path, fake_kaggle: Fake) -> None:
    def answer(handle: str, folder: Path) -> Path:
        assert handle == SOURCES["brats"][0]
        for part, ends in (("Training", ("t1", "t1ce", "t2", "flair", "seg")), ("Validation", ("t1", "flair"))):
            case = folder / f"BraTS2020_{part}Data/MICCAI_BraTS2020_{part}Data/BraTS20_{part}_001"
            case.mkdir(parents=True)
            for end in ends:
                (case / f"{case.name}_{end}.nii").write_bytes(b"volume")
        return folder

    fake_kaggle(answer)
    root = fetch("brats", tmp_path / "data" / "brats")
    assert [path.name for path in root.iterdir()] == ["BraTS20_Training_001"]


@pytest.mark.parametrize(
    ("argv", "data", "root"),
    [
        (["--download"], "lgg", "data/kaggle_3m"),
        (["--download", "lgg"], "lgg", "data/kaggle_3m"),
        (["--download=True"], "lgg", "data/kaggle_3m"),
        (["--download", "brats"], "brats", "data/brats"),
        (["--download", "brats", "--root_dir", "there"], "brats", "there"),
    ],
)
def test_a_download_says_what_and_where(argv: list[str], data: str, root: str) -> None:
    options = parse(argv)
    assert (options.verbs.download, options.data.data, options.data.root_dir) == (data, data, root)


def test_no_download() -> None:
    assert parse(["--download", "False"]).verbs.download is None
    with pytest.raises(UserError, match="--download moon: not one of lgg, brats"):
        parse(["--download", "moon"])
