"""Which data, and how they are split."""

from dataclasses import dataclass

from headtohead.errors import UserError
from headtohead.options.checks import SEED, at_least, bit_count, fold_count, not_empty, regular_expression
from headtohead.options.declaring import option
from headtohead.options.group import Group

DATA_SETS = {
    "lgg": "folders of LGG slices",
    "nnunet": "a data set of nnU-Net",
    "brats": "folders of BraTS cases",
    "nifti": "NIfTI volumes with masks",
    "images": "pictures with masks",
}
"""Kinds of data: the reader of each is the module of its name in `headtohead.readers`. A folder is recognised as the
first whose layout fits, so that narrow ones come first."""

LABEL_MAPS = "masks"
"""A truth of label maps alone, which only `score` takes: the module of that name reads it, too."""

DEFAULT_DATA = next(iter(DATA_SETS))
"""What is meant where nobody says, and what runs were made of before there were others."""


@dataclass(frozen=True)
class DataOptions(Group):
    """Data."""

    data: str = option(
        DEFAULT_DATA,
        "kind of data in --root_dir; default: as its layout says",
        choices=tuple(DATA_SETS),
    )
    root_dir: str = option("data/kaggle_3m", "folder of the data set", metavar="DIR", check=not_empty)
    cache_dir: str = option("data/packed", "folder for the packed copy of the data", metavar="DIR", check=not_empty)
    patient_pattern: str = option(
        "",
        "which patient a volume or picture belongs to: a regular expression searched for in its path below "
        "--root_dir; its first group (or all that matches) is the patient; default: sub-01 of BIDS, else each "
        "case is a patient",
        metavar="REGEX",
        check=regular_expression,
    )
    labels: str = option(
        "",
        "which values of the label maps are which target, outer regions first: 'whole tumour=1,2,4;enhancing=4'; "
        "values of background=... are no target",
        metavar="NAME=VALUES;...",
    )
    sequences: str = option(
        "",
        "sequences of --data nifti, brats or nnunet to use, the primary one first: flair,t1,t1ce,t2; default: all",
        metavar="NAMES",
    )
    mask_dir: str = option("", "folder of the masks of --data nifti; default: --root_dir", metavar="DIR")
    mask_pattern: str = option(
        "",
        "how the masks of --data nifti are named, with * for the name of the image or case: '*_manual.nii.gz'; "
        "default: X_mask, X_seg, X_dseg and the like",
        metavar="NAME",
    )
    bits: str = option(
        "",
        "bits in which grey levels of volumes are stored, 8 or 16: 16 where a scan holds differences "
        "that matter within one of 256 levels, at twice the size; default: 8",
        metavar="N",
        check=bit_count,
    )
    split: str = option(
        "patient",
        "what is split: patients, or slices, in which case patients leak; buda: ten named patients are validation and "
        "test at once, as Buda et al. published it",
        choices=("patient", "slice", "buda"),
    )
    split_seed: int = option(0, "seed of the split, the same for every experiment of a comparison", check=SEED)
    folds: str = option(
        "",
        "cross-validation by patient: number of folds; patients: leave one out; sites: leave one site out",
        metavar="N",
        check=fold_count,
    )
    fold: int = option(0, "fold of --train and --test, counted from 0", check=at_least(0))
    fold_file: str = option("", "CSV file of case,fold with your own folds", metavar="FILE")

    def check(self) -> None:
        """Refuse folds that are defined twice, or not at all, or that are of slices."""
        if self.folds and self.fold_file:
            raise UserError("`folds` and `fold_file` both define the folds; leave one of them out")
        if self.split != "patient" and (self.folds or self.fold_file):
            raise UserError(
                f"`split={self.split}`: folds are by patient; use `split=patient`, or leave out `folds` and `fold_file`"
            )
        if self.fold and not (self.folds or self.fold_file):
            raise UserError(
                f"`fold` {self.fold}: without folds there is only one split; add `folds=5`, or a `fold_file`"
            )
