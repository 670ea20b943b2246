"""Which data, and how they are split."""

from dataclasses import dataclass

from headtohead.errors import UserError
from headtohead.options.checks import SEED, at_least, fold_count, not_empty, regular_expression
from headtohead.options.declaring import option
from headtohead.options.group import Group

DATA_SETS = ("lgg", "nifti")


@dataclass(frozen=True)
class DataOptions(Group):
    """Data."""

    data: str = option("lgg", "kind of data in --root_dir: LGG folders, or NIfTI images with masks", choices=DATA_SETS)
    root_dir: str = option("data/kaggle_3m", "folder of the data set", metavar="DIR", check=not_empty)
    cache_dir: str = option("data/packed", "folder for the packed copy of the data", metavar="DIR", check=not_empty)
    patient_pattern: str = option(
        "",
        "which patient a volume of --data nifti belongs to: a regular expression searched for in its path below "
        "--root_dir; its first group (or all that matches) is the patient; default: sub-01 of BIDS, else each "
        "volume is a patient",
        metavar="REGEX",
        check=regular_expression,
    )
    split: str = option(
        "patient", "what is split: patients, or slices, in which case patients leak", choices=("patient", "slice")
    )
    split_seed: int = option(0, "seed of the split, the same for every experiment of a comparison", check=SEED)
    folds: str = option(
        "", "cross-validation by patient: number of folds; patients: leave-one-out", metavar="N", check=fold_count
    )
    fold: int = option(0, "fold of --train and --test, counted from 0", check=at_least(0))
    fold_file: str = option("", "CSV file of case,fold with your own folds", metavar="FILE")

    def check(self) -> None:
        """Refuse folds that are defined twice, or not at all, or that are of slices."""
        if self.folds and self.fold_file:
            raise UserError("--folds and --fold_file both define the folds; leave one of them out")
        if self.split != "patient" and (self.folds or self.fold_file):
            raise UserError("--split slice: folds are by patient; leave it out, or leave out --folds and --fold_file")
        if self.fold and not (self.folds or self.fold_file):
            raise UserError(
                f"--fold {self.fold}: without folds there is only one split; add --folds 5, or a --fold_file"
            )
