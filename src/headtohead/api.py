"""What Python programs call: `headtohead.compare`, `score`, `predict` and the like.

Each does what the flag of its name does, with the same options, checks and files. Options are keywords, spelled as the
flags without their dashes; lists may be tuples, paths may be `pathlib` paths. What a command prints is printed here,
too. Nothing heavy is imported before a function is called.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from headtohead import machine
from headtohead.cli import VERBS, run_verb
from headtohead.errors import PartlyDone, UserError, printable
from headtohead.options.settling import settle
from headtohead.options.table import Options, known_option
from headtohead.parsing import check_files, options_of

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.predicting.folder import Predicted

__all__ = ["PartlyDone", "UserError", "compare", "explore", "make_phantoms", "predict", "report", "score"]

Given = TypeVar("Given")
TEXTS = ("case", "patient", "site", "grade", "missing", "entrant", "model", "schedule", "target", "a", "b", "level")
"""Columns of text: a case 007 keeps its zeros, a site may well be called NA, and nothing missing is an empty text."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A comparison, and what its report says.

    Attributes:
        folder: `runs/NAME`, with report.html.
        cases: one row a run and test case, with every score.
        results: one row an entrant and score: mean, median and 95 % interval.
        pairs: one row a pair of entrants and score: the paired difference, its interval and tests.
        tables: all tables by the names of their files (ranks, subgroups, conventions, ...), these three among them.
        verdict: what the data support, in words.

    Where no entrant was scored on every test case, there are no tables (a UserError says so) and no verdict.
    """

    folder: Path
    verdict: str
    tables: "Mapping[str, pd.DataFrame]" = field(repr=False)

    @property
    def page(self) -> Path:
        """The report, one page that works offline."""
        return self.folder / "report.html"

    @property
    def cases(self) -> "pd.DataFrame":
        return self._table("cases")

    @property
    def results(self) -> "pd.DataFrame":
        return self._table("results")

    @property
    def pairs(self) -> "pd.DataFrame":
        return self._table("pairs")

    def _table(self, name: str) -> "pd.DataFrame":
        if name not in self.tables:
            raise UserError(
                f"{self.folder}: no entrant was scored on every test case, so there is no table of {name}; "
                "finish it with `compare`"
            )
        return self.tables[name]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Label maps, and what is in them.

    Attributes:
        folder: where they were written.
        masks: name of a file, as in `cases` -> its label maps: one path, of a folder of slices one a slice. A file that
            failed has none.
        cases: one row a file (and target, where the model has several), with the columns of summary.csv: volume_ml,
            voxels, slices, lesions; dice where a truth lies beside it; model, warnings, error.
    """

    folder: Path
    masks: Mapping[str, tuple[Path, ...]]
    cases: "pd.DataFrame" = field(repr=False)


@dataclass(frozen=True, eq=False)
class Explored:
    """What a data set holds.

    Attributes:
        page: explore.md, with its figures beside it.
        cases: one row a case, as `headtohead.exploring.measures.Measures` says.
        slices: one row a slice.
    """

    page: Path
    cases: "pd.DataFrame" = field(repr=False)
    slices: "pd.DataFrame" = field(repr=False)


def compare(**options: Any) -> Comparison:
    """Train and score models on the same patients, as `--compare`; what is finished is kept.

        headtohead.compare(root_dir="data/phantoms", models=("unet", "buda"), folds=5, comparison="mine")

    Raises:
        UserError: an option or the data cannot be used, or experiments failed; the message is one line.
    """
    return _comparison(_done("compare", True, options))


def report(**options: Any) -> Comparison:
    """Write tables, statistics and page of a comparison again from its run folders, as `--report`.

    Raises:
        UserError: there is no such comparison, or its runs do not belong together.
    """
    return _comparison(_done("report", True, options))


def score(masks: Mapping[str, str | Path] | str | Sequence[str] = (), **options: Any) -> Comparison:
    """Score masks that any program made, as `--score`, and compare them.

        headtohead.score({"nnunet": "predictions", "human2": "rater2"}, truth="labelsTs", comparison="raters")

    Args:
        masks: name of an entrant -> folder of its masks; or as the flag takes them, `nnunet=predictions`.
        options: further options, such as `truth`, `images`, `labels` or `comparison`; `scores` in place of masks.

    Raises:
        UserError: truth or masks are missing, damaged, or do not fit each other; nothing is written then.
    """
    if isinstance(masks, Mapping):
        for name in masks:
            if "=" in str(name):
                raise UserError(f"`masks`: {printable(str(name))} cannot be an entrant's name; leave the = out of it")
    named = [f"{name}={folder}" for name, folder in masks.items()] if isinstance(masks, Mapping) else masks
    return _comparison(_done("score", True, {"masks": named, **options} if named else options))


def predict(source: str | Path, output: str | Path, **options: Any) -> Predictions:
    """Predict every volume and image below a folder, or one file, as `--predict`. Inputs are never changed.

    Args:
        source: the folder or file.
        output: folder of the label maps.
        options: further options, such as `run_name`, `model_path`, `postprocessing` or `overwrite`.

    Raises:
        UserError: an option, the model or the folder cannot be used, or a file would be replaced; nothing is written.
        PartlyDone: some files could not be predicted. The attribute `done` has the `Predictions`, with the reasons in
            the column `error`; the same call again predicts only these files.
    """
    from headtohead.predicting.folder import predict_below, refuse_failed

    wanted = _options("predict", source, {"output": output, **options})
    predicted = _unwrapped(lambda: predict_below(Path(source), wanted, wanted.files))
    predictions = Predictions(predicted.folder, predicted.masks, _table_of(predicted))
    try:
        refuse_failed(predicted)
    except PartlyDone as fault:
        fault.done = predictions
        raise
    return predictions


def explore(**options: Any) -> Explored:
    """Write figures and tables about a data set, as `--explore`.

    Raises:
        UserError: the data set is missing or damaged.
    """
    page = _done("explore", True, options)
    return Explored(page, _read(page.with_name("cases.csv")), _read(page.with_name("slices.csv")))


def make_phantoms(folder: str | Path, **options: Any) -> Path:
    """Write made-up patients into a folder, as `--make_phantoms`, to try things on. Gives that folder.

    Raises:
        UserError: they cannot be written there.
    """
    return _done("make_phantoms", folder, options)


def _done(verb: str, value: Any, given: Mapping[str, Any]) -> Path:
    """Carry out one thing to do; give where its results are."""
    options = _options(verb, value, given)
    place = _unwrapped(lambda: run_verb(verb, options))
    assert place is not None, f"{verb} leaves something"
    return place


def _options(verb: str, value: Any, given: Mapping[str, Any]) -> Options:
    """Make options of keywords, with all checks of the command line.

    Raises:
        UserError: names the option in backquotes.
    """
    for name in given:
        if name in VERBS or name == "print_config":
            raise UserError(f"`{name}`: no option of headtohead.{verb}, which does one thing; leave it out")
    every = {verb: value, **given}
    settled = {name: settle(known_option(name, f"`{name}`"), one, f"`{name}`") for name, one in every.items()}
    if settled[verb] is None:
        raise UserError(f"`{verb}`: needs a value")
    options = options_of(settled, alone=True)
    check_files(options.verbs, options.data)
    machine.tune_allocator()
    return options


def _unwrapped(work: Callable[[], Given]) -> Given:
    """Do some work. When the keyboard interrupts it, Lightning exits the process; that is made an interrupt again."""
    try:
        return work()
    except SystemExit as exit_:
        if isinstance(exit_.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def _comparison(folder: Path) -> Comparison:
    from headtohead.reporting.rewriting import TABLES, VERDICT

    places = {name: folder / f"{name}.csv" for name in TABLES}
    tables = {name: _read(path) for name, path in places.items() if path.is_file()}
    verdict = folder / VERDICT
    return Comparison(folder, verdict.read_text(encoding="utf-8").strip() if verdict.is_file() else "", tables)


def _read(path: Path) -> "pd.DataFrame":
    """Read a table of ours."""
    from headtohead.records.table_reader import read_table

    texts = [name for name in read_table(path, nrows=0).columns if name in TEXTS]
    table = read_table(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=[""])
    return table.fillna(dict.fromkeys(texts, ""))


def _table_of(predicted: "Predicted") -> "pd.DataFrame":
    """Make a table of the rows of summary.csv."""
    import pandas as pd

    from headtohead.predicting.results.summary import Row

    names = [one.name for one in fields(Row)]
    if not any(row.target for row in predicted.rows):
        names.remove("target")
    table = pd.DataFrame([vars(row) for row in predicted.rows], columns=names)
    numbers = table[["volume_ml", "voxels", "slices", "slices_with_lesion", "lesions", "dice", "threshold", "seconds"]]
    joined = {name: table[name].map("; ".join) for name in ("warnings", "notes")}
    return table.assign(**numbers.astype(float), **joined)
