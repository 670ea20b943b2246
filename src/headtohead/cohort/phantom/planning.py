"""Who the made-up patients are: names, sites, numbers of slices, missing sequences, clinical table."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from headtohead.errors import UserError

VERSION = 1  # raise it when the same parameters would draw other pixels
SITES = {"CS": 0.15, "DU": 0.40, "EZ": 0.02, "FG": 0.13, "HT": 0.30}
# Clinical columns of the real table, each with the codes drawn for it; an empty code is a missing value.
CLINICAL = {
    "RNASeqCluster": ("1", "2", "2", "3", "4", ""),
    "MethylationCluster": ("2", "3", "4", "5", "5"),
    "miRNACluster": ("1", "2", "2", "3", "4"),
    "CNCluster": ("1", "1", "2", "3"),
    "RPPACluster": ("1", "2", "3", "4", ""),
    "OncosignCluster": ("1", "2", "2", "3", ""),
    "COCCluster": ("1", "1", "2", "3"),
    "histological_type": ("1", "2", "3"),
    "neoplasm_histologic_grade": ("1", "2"),
    "tumor_tissue_site": ("1",),
    "laterality": ("1", "3"),
    "tumor_location": ("2", "2", "5", "6"),
    "gender": ("1", "2"),
    "age_at_initial_pathologic": tuple(str(age) for age in range(20, 76)),
    "race": ("2", "3", "3", "3"),
    "ethnicity": ("2", "2", "2", ""),
    "death01": ("0", "0", "0", "1"),
}


@dataclass(frozen=True)
class Parameters:
    """What decides every byte of a made-up data set."""

    n_cases: int
    seed: int
    size: int
    slices: tuple[int, int]
    version: int = VERSION

    def __post_init__(self) -> None:
        if not 1 <= self.n_cases <= 999:
            raise UserError(f"phantoms: n_cases is {self.n_cases}; give 1 to 999")
        if self.size < 32:
            raise UserError(f"phantoms: size is {self.size}; give at least 32 pixels")
        if not 4 <= self.slices[0] <= self.slices[1]:
            raise UserError(f"phantoms: slices is {self.slices}; give (fewest, most) with at least 4 slices")
        if self.seed < 0:
            raise UserError(f"phantoms: seed is {self.seed}; give 0 or more")

    def to_dict(self) -> dict[str, object]:
        """The parameters as JSON keeps them."""
        return asdict(self) | {"slices": list(self.slices)}


@dataclass(frozen=True)
class PlannedCase:
    """One case before it is drawn; `missing` is "", "post" or "pre post"."""

    patient: str
    date: str
    site: str
    slices: int
    missing: str
    seed: tuple[int, int]

    @property
    def name(self) -> str:
        """Name of the case's folder."""
        return f"{self.patient}_{self.date}"


def plan_cases(parameters: Parameters) -> list[PlannedCase]:
    """Decide site, number of slices and missing sequences of every case.

    As in the real data, one case in ten has no post-contrast sequence, and most of these no pre-contrast either.
    """
    rng = np.random.default_rng([parameters.seed, 0])
    n = parameters.n_cases
    sites = rng.choice(list(SITES), n, p=list(SITES.values()))
    counts = rng.integers(parameters.slices[0], parameters.slices[1] + 1, n)
    without_post = math.ceil(n / 10) if n >= 3 else 0
    without_both = math.ceil(0.6 * without_post)
    missing = rng.permutation(
        ["pre post"] * without_both + ["post"] * (without_post - without_both) + [""] * (n - without_post)
    )
    cases = []
    for i in range(n):
        date = f"1900{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
        patient = f"TCGA_{sites[i]}_{9001 + i}"
        seeds = (parameters.seed, i + 1)
        cases.append(PlannedCase(patient, date, str(sites[i]), int(counts[i]), str(missing[i]), seeds))
    return cases


def draw_clinical_table(cases: list[PlannedCase], seed: int) -> list[list[str]]:
    """Draw the clinical columns of the real table at random: a header, then one row a patient."""
    rng = np.random.default_rng([seed, len(cases) + 1])
    rows = [[case.patient, *(str(rng.choice(codes)) for codes in CLINICAL.values())] for case in cases]
    return [["Patient", *CLINICAL], *rows]
