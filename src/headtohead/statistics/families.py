"""What is tested between entrants, in families, each corrected for the number of its own tests.

Primary: mean Dice of cases with a lesion, the one question that a comparison is planned for; of several targets, the
mean over those that the truth of a case holds. Targets: the Dice of each by itself. Secondary: the scores
below, which may differ where Dice is even. Without lesion: healthy cases, where there is no Dice. IoU is not tested: it
rises and falls with Dice. Ensembles of seeds: a family of its own, so that averaging the seeds changes no verdict on
the models. The baseline is no contestant, so secondary scores are tested between models only.
"""

import pandas as pd

from headtohead.options.comparison import BASELINE
from headtohead.statistics.matrix import score_matrix
from headtohead.statistics.paired import COLUMNS as PAIR_COLUMNS
from headtohead.statistics.paired import DESCRIBED, describe, judge, paired_differences
from headtohead.statistics.targets import MEAN, TARGET
from headtohead.statistics.trainings import Luck, trainings

PRIMARY, TARGETS, ENSEMBLES, SECONDARY = "primary", "targets", "ensembles", "secondary"
WITHOUT_LESION = "without lesion"
SURFACE_DICE, FALSE_COMPONENTS = "surface_dice", "lesions_false"
SCORES = (SURFACE_DICE, "recall", "precision", FALSE_COMPONENTS)
LOWER_IS_BETTER = (FALSE_COMPONENTS,)
COLUMNS = ["family", "score", *PAIR_COLUMNS]


def secondary_pairs(cases: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Compare every pair of models in the secondary scores, corrected over all of these tests together.

    Args:
        cases: one row per run and test case, as in the comparison's cases.csv; a score without a column is left out,
            and so is one that no case has (surfaces and lesions in a split by slice).
        seed: seed of the bootstrap.

    Returns:
        Columns score, then those of `compare_pairs` up to different; one row per score and pair.

    Raises:
        UserError: as `score_matrix`.
    """
    models = cases[cases["model"] != BASELINE]
    described = []
    columns = [name for name in models.columns if unitless(name) in SCORES]
    every = {column: score_matrix(models, column).dropna(how="all") for column in columns}
    matrices = {column: matrix for column, matrix in every.items() if len(matrix)}
    for column, matrix in matrices.items():
        differences, pairs = paired_differences(matrix)
        if len(pairs):
            less = unitless(column) in LOWER_IS_BETTER
            found = describe(differences, less, seed)
            luck = Luck.of(pairs, trainings(models[models["case"].isin(matrix.index)], column))
            # Of the scores those that are better when lower are counts, the others shares.
            found = luck.on_pairs(found, differences, len(pairs) * len(matrices), fraction=not less)
            described.append(pd.concat([pairs, found], axis=1).assign(score=column))
    if not described:
        return pd.DataFrame(columns=["score", *DESCRIBED])
    return judge(pd.concat(described, ignore_index=True))[["score", *DESCRIBED]]


def unitless(column: str) -> str:
    """Name a score by its column without the unit: `surface_dice` for `surface_dice_px`."""
    return column.removesuffix("_px").removesuffix("_mm")


def all_pairs(
    primary: pd.DataFrame,
    secondary: pd.DataFrame,
    without_lesion: pd.DataFrame,
    ensembles: pd.DataFrame | None = None,
    targets: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Put the pairs of all families into one table, that of pairs.csv.

    Args:
        primary: as `compare_pairs` gives it, of Dice.
        secondary: as `secondary_pairs`.
        without_lesion: as `without_lesion.pairs_without_lesion`.
        ensembles: as `ensembles.ensemble_pairs`.
        targets: as `targets.compare_targets`; None where there is one target.

    Returns:
        `COLUMNS`, with several targets also which, or that it is the mean over them; where a family has no such number
        (equivalence is tested in Dice only), the cell is empty.
    """
    families = {
        PRIMARY: primary.assign(score="dice"),
        TARGETS: primary[:0] if targets is None else targets.assign(score="dice"),
        ENSEMBLES: primary[:0] if ensembles is None else ensembles.assign(score="dice"),
        SECONDARY: secondary,
        WITHOUT_LESION: without_lesion,
    }
    parts = [table.assign(family=family) for family, table in families.items() if len(table)]
    columns = COLUMNS if targets is None else ["family", TARGET, *COLUMNS[1:]]
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    # A column without any target is of numbers, which take no text.
    return found if targets is None else found.astype({TARGET: object}).fillna({TARGET: MEAN})
