"""What is tested between entrants, in families, each corrected for the number of its own tests.

Primary: mean Dice of cases with a lesion, the one question that a comparison is planned for; of several targets, the
mean over those that the truth of a case holds. Targets: the Dice of each by itself. Secondary: the scores
below, which may differ where Dice is even. Without lesion: healthy cases, where there is no Dice. IoU is not tested: it
rises and falls with Dice. Ensembles of seeds: a family of its own, so that averaging the seeds changes no verdict on
the models. The baseline is no contestant, so secondary scores are tested between models only.
"""

import pandas as pd

from headtohead.options.comparison import MARGIN, is_baseline
from headtohead.statistics.matrix import holds_lesion, score_matrix
from headtohead.statistics.questions import COLUMNS as PAIR_COLUMNS
from headtohead.statistics.questions import DESCRIBED, Question, compare_family
from headtohead.statistics.targets import MEAN, TARGET, each_target
from headtohead.statistics.trainings import ENSEMBLE, GIVEN, TRAINED, trainings

PRIMARY, TARGETS, ENSEMBLES, SECONDARY = "primary", "targets", "ensembles", "secondary"
WITHOUT_LESION = "without lesion"
SURFACE_DICE, FALSE_COMPONENTS = "surface_dice", "lesions_false"
SCORES = (SURFACE_DICE, "recall", "precision", FALSE_COMPONENTS)
COLUMNS = ["family", "score", *PAIR_COLUMNS]


def secondary_pairs(cases: pd.DataFrame) -> pd.DataFrame:
    """Compare every pair of models in the secondary scores, corrected over all of these tests together.

    A score without a column is left out, and so is one that no case has (surfaces and lesions in a split by slice).

    Returns:
        Columns score, then those of `compare_family` up to different; one row per score and pair.
    """
    models = cases.loc[[not is_baseline(model) for model in cases["model"]]]
    columns = [name for name in models.columns if unitless(name) in SCORES]
    matrices = {column: score_matrix(models, column).dropna(how="all") for column in columns}
    questions = [
        Question(
            matrix,
            trainings(models[models["case"].isin(matrix.index)], column),
            about={"score": column},
            of_faults=unitless(column) == FALSE_COMPONENTS,
        )
        for column, matrix in matrices.items()
        if len(matrix)
    ]
    return compare_family(questions) if questions else pd.DataFrame(columns=["score", *DESCRIBED])


def unitless(column: str) -> str:
    """Name a score by its column without the unit: `surface_dice` for `surface_dice_px`."""
    return column.removesuffix("_px").removesuffix("_mm")


def compare_targets(cases: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Compare every pair of models in the Dice of each target, corrected over the pairs of all targets together.

    Args:
        cases: rows as in cases.csv; neither baseline nor ensembles are compared.
        margin: as for `compare_family`.

    Returns:
        Column target, then `questions.COLUMNS`; without the first, and without a row, where there is one target. No row
        of a target that no case holds.
    """
    questions = []
    for target, rows in each_target(cases).items():
        if target and holds_lesion(rows).any():
            trained, matrix = trainings(rows, "dice", holds_lesion(rows)), score_matrix(rows)
            models = [name for name in matrix if trained.loc[name, "kind"] in (TRAINED, GIVEN)]
            questions.append(Question(matrix[models], trained, about={TARGET: target}))
    return compare_family(questions, margin)


def ensemble_pairs(matrix: pd.DataFrame, trained: pd.DataFrame, margin: float = MARGIN) -> pd.DataFrame:
    """Compare every ensemble with its own seeds and with the other ensembles, corrected over these pairs together.

    An ensemble is one draw: how far another one of other seeds would lie from it is not known. The interval holds the
    luck of the seeds it is compared with, and nothing for the ensemble itself, so a difference is of this ensemble.

    Takes and returns what `compare_pairs` does; no row without an ensemble.
    """
    ensembles = [name for name in matrix if trained.loc[name, "kind"] == ENSEMBLE]
    own = [name for name in matrix if any(_members_of(one) == name for one in ensembles)]
    return compare_family(
        [Question(matrix[own + ensembles], trained)], margin, lambda a, b: a not in own or _members_of(b) == a
    )


def _members_of(ensemble: str) -> str:
    """Name the entrant whose seeds an ensemble averages: `unet cosine` of `unet cosine, ensemble of 3 seeds`."""
    return ensemble.split(", ensemble of ")[0]


def all_pairs(families: dict[str, pd.DataFrame], several: bool = False) -> pd.DataFrame:
    """Put the pairs of all families into one table, that of pairs.csv.

    Args:
        families: the pairs of each by its name; where they do not say which score they are of, it is Dice.
        several: whether there are several targets.

    Returns:
        `COLUMNS`, with several targets also which, or that it is the mean over them; where a family has no such number
        (equivalence is tested in Dice only), the cell is empty.
    """
    columns = ["family", TARGET, *COLUMNS[1:]] if several else COLUMNS
    parts = [
        table.assign(family=name, score=table.get("score", "dice")) for name, table in families.items() if len(table)
    ]
    if not parts:
        return pd.DataFrame(columns=columns)
    found = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    # A column without any target is of numbers, which take no text.
    return found.astype({TARGET: object}).fillna({TARGET: MEAN}) if several else found
