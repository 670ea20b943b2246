"""Whether the weights that a training starts from have seen its test cases: its scores would then be no test."""

from headtohead.batches.splits import Split
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.plurals import count_of
from headtohead.readers.tasks import PUBLISHED
from headtohead.trained.origin import is_made_up, kind_of
from headtohead.trained.start import LABEL, Seen, Start

SHOWN = 3  # cases named in a line


def refuse_leak(start: Start, cohort: Cohort, split: Split) -> str:
    """Refuse weights that were trained on, or chosen by, test cases of a split.

    Gives a warning where it cannot be told, or where only the names of the cases agree; else nothing.

    Raises:
        UserError: names the cases, and what to start from instead.
    """
    if start.seen is None:
        if start.data.get("key") == cohort.key:
            return f"it was trained on this data set, and nothing says on which cases of it; {FLATTERED}"
        return "" if start.data else f"nothing says which cases it was trained on; {FLATTERED}"
    seen = overlapping(start.seen, cohort, split)
    if not seen:
        return "" if start.whole else f"it started from weights of unknown training cases; {FLATTERED}"
    names = ", ".join(seen[:SHOWN]) + (" ..." if len(seen) > SHOWN else "")
    tested = count_of(len(split.cases(cohort, "test")), "test case")
    if _same_patients(start, cohort):
        raise UserError(
            f"{LABEL} {start.given}: was trained on or chosen by {len(seen)} of the {tested} of this split ({names}), "
            "so their scores would be no test; start from a run of the same split and fold, or from other weights"
        )
    return f"it was trained on cases of the same names as {len(seen)} of the {tested} ({names}); {FLATTERED}"


FLATTERED = "if test cases are among them, the scores are too good"


def overlapping(seen: Seen, cohort: Cohort, split: Split) -> list[str]:
    """Name the test cases of a split that were seen: all of a patient, or, split by slices, those with a slice seen."""
    names, patients = cohort.table["case"].astype(str), cohort.table["patient"]
    test = [int(case) for case in split.cases(cohort, "test")]
    if split.kind != "slice":
        known = set(patients[names.isin(seen.keys())])
        return [names.iloc[case] for case in test if patients.iloc[case] in known]
    found = []
    for case in test:
        name = names.iloc[case]
        tested = {
            int(number) - int(cohort.slices_of(case)[0]) + 1 for number in split.test if number in _range(cohort, case)
        }
        if name in seen and (not seen[name] or tested & seen[name]):
            found.append(name)
    return found


def _range(cohort: Cohort, case: int) -> range:
    own = cohort.slices_of(case)
    return range(int(own[0]), int(own[-1]) + 1)


def _same_patients(start: Start, cohort: Cohort) -> bool:
    """Say whether cases of one name are one patient: in one data set, a part of it, or a published one."""
    if start.data.get("key") == cohort.key:
        return True
    if kind_of(start.data, start.facts.task if start.facts else None) != cohort.data:
        return False
    if is_made_up(start.data, None) or cohort.made_up:
        return False
    names = {start.data.get("name"), str(start.data.get("root", "")).rpartition("/")[2]}
    return cohort.data in PUBLISHED or cohort.root.name in names
