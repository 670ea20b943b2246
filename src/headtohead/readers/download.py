"""Data sets from Kaggle, through kagglehub, which is imported only when it is needed."""

import shutil
from pathlib import Path
from types import ModuleType

from headtohead.errors import UserError
from headtohead.options.table import Options
from headtohead.readers.reader import AS_NAMED, find_reader
from headtohead.saving import temporary_folder

BY_HAND = "or download the data by hand (see data/README.md)"


SOURCES = {
    "lgg": ("mateuszbuda/lgg-mri-segmentation", "kaggle_3m"),
    "brats": ("awsaf49/brats20-dataset-training-validation", "MICCAI_BraTS2020_TrainingData"),
}
"""Kind of data -> its name on Kaggle, and the folder of the archive that holds its cases."""


def download(options: Options) -> Path:
    """Do what `--download` says."""
    return fetch(str(options.verbs.download), Path(options.data.root_dir))


def fetch(data: str, root_dir: Path) -> Path:
    """Fetch a data set so that its cases lie in `root_dir`.

    It is fetched and unpacked beside `root_dir` and renamed at the end, so `root_dir` is whole or absent.
    Nothing that is there already is touched.

    Raises:
        UserError: `root_dir` is in use, kagglehub is missing, Kaggle cannot be reached or refuses, the disk is full,
            or what came is not this data set.
    """
    _refuse_to_overwrite(root_dir)
    try:
        import kagglehub
    except ImportError:
        raise UserError(f"`download` needs the package kagglehub; run pip install kagglehub, {BY_HAND}") from None
    try:
        root_dir.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(root_dir.parent, becomes=root_dir, kind="downloading") as scratch:
            found = _find_cases(data, _fetch(kagglehub, SOURCES[data][0], scratch / "archive"))
            if scratch.resolve() not in found.resolve().parents:
                # Some notebook services lend their own read-only copy in place of a download.
                found = Path(shutil.copytree(found, scratch / "copy"))
            _refuse_to_overwrite(root_dir)  # the download took minutes; someone else may have been quicker
            if root_dir.is_dir():
                root_dir.rmdir()
            found.replace(root_dir)
    except OSError as problem:
        reason = problem.strerror or problem
        raise UserError(f"`download`: cannot write to {root_dir.parent}: {reason}; name another `root_dir`") from None
    return root_dir


def _refuse_to_overwrite(root_dir: Path) -> None:
    in_use = any(root_dir.iterdir()) if root_dir.is_dir() else root_dir.exists()
    if in_use:
        raise UserError(f"`download`: {root_dir} already exists and is kept; move it away or name another `root_dir`")


def _fetch(kagglehub: ModuleType, name: str, folder: Path) -> Path:
    """Let kagglehub fetch and unpack into `folder`; give the folder it says it used."""
    try:
        return Path(kagglehub.dataset_download(name, output_dir=str(folder)))
    except Exception as problem:
        # Which exceptions come depends on kagglehub's version and on what it is built on: judge them by what they say.
        raise UserError(f"`download`: {_explain(problem)}; {BY_HAND}") from problem


def _explain(problem: Exception) -> str:
    # A requests exception carries the answer it is about, if one came at all; False is an answer with an error status.
    answer = getattr(problem, "response", None)
    status = getattr(answer, "status_code", None)
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    if status in (401, 403) or kinds & {"CredentialError", "UnauthenticatedError"}:
        return "Kaggle asks for an account: save an API token as ~/.kaggle/kaggle.json (kaggle.com, Settings, API)"
    if status is not None:
        return f"Kaggle answered with HTTP status {status}: try again later"
    if kinds & {"ConnectionError", "Timeout", "gaierror"}:
        return "Kaggle cannot be reached: connect this machine to the network"
    if "OSError" in kinds and getattr(problem, "errno", None):
        return f"cannot write the download: {getattr(problem, 'strerror', problem)}"
    return f"kagglehub failed: {type(problem).__name__}: {' '.join(str(problem).split())[:200]}"


def _find_cases(data: str, fetched: Path) -> Path:
    """Find the folder of the cases: the archive of LGG holds it twice, once a level deeper than needed."""
    name, folder = SOURCES[data]
    inside = sorted(fetched.glob(f"**/{folder}"), key=lambda path: len(path.parts))
    for candidate in (*inside, fetched):
        try:
            find_reader(data).list_cases(candidate, AS_NAMED)
        except UserError:
            continue
        return candidate
    raise UserError(f"`download`: the download of {name} is not complete; try again, {BY_HAND}")
