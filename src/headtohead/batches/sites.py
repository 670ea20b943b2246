"""Leaving a site out: each site is a fold of its own, tested by models that saw none of its patients."""

import pandas as pd

from headtohead.batches.splits import FEWEST_TO_LEARN_FROM
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.plurals import count_of

EVERY_SITE = "sites"


def fold_of_sites(cohort: Cohort) -> dict[str, int]:
    """Number the sites of a cohort by their names, from 0: site -> fold.

    Raises:
        UserError: a case names no site, all are of one, a patient was scanned at two, or without one of the sites too
            few patients are left to train and validate with.
    """
    table = cohort.table
    label = f"`folds` {EVERY_SITE}"
    if (nowhere := table.loc[table["site"] == "", "case"]).size:
        which = "no case names" if nowhere.size == len(table) else f"{nowhere.iloc[0]} does not name"
        raise UserError(f"{label}: {which} its site; give a table of columns case,fold with `fold_file` instead")
    sites = sorted(table["site"].unique())
    if len(sites) == 1:
        raise UserError(f"{label}: all cases are of site {sites[0]}; give a number of `folds` instead")
    spread = table.groupby("patient")["site"].nunique()
    if (spread > 1).any():
        who = f"patient {spread.idxmax()} was scanned at {spread.max()} sites and would leak"
        raise UserError(f"{label}: {who}; give a table of columns case,fold with `fold_file` instead")
    for site, own in table.groupby("site")["patient"].nunique().items():
        if (left := len(spread) - own) < FEWEST_TO_LEARN_FROM:
            remaining = count_of(int(left), "patient")
            raise UserError(
                f"{label}: without site {site}, {remaining} would be left for training and validation; give a number "
                "of `folds` instead, or add patients"
            )
    return {str(site): fold for fold, site in enumerate(sites)}


def site_of_folds(cohort: Cohort, table: pd.DataFrame) -> dict[int, str]:
    """Name the site that each fold tests, fold -> site; empty unless each fold is all of one site.

    The table has columns case and fold. Who made it does not matter: folds that are sites are leave-site-out.
    """
    pairs = table.merge(cohort.table[["case", "site"]], on="case")[["fold", "site"]].drop_duplicates()
    one_to_one = pairs["fold"].is_unique and pairs["site"].is_unique and (pairs["site"] != "").all()
    return {int(fold): str(site) for fold, site in pairs.to_numpy()} if one_to_one else {}
