"""What the numbers of a comparison are, and over what."""

from headtohead.options.comparison import baseline_on
from headtohead.plurals import count_of
from headtohead.readers.reader import files_of
from headtohead.reporting.notes.seeds import several_seeds, uneven_seeds
from headtohead.reporting.notes.split import no_leak
from headtohead.runs.ledger import Ledger
from headtohead.scoring.lesions import size_in_words
from headtohead.statistics.matrix import holds_lesion
from headtohead.statistics.targets import TARGET, each_target, over_targets
from headtohead.statistics.words import listed


def footnotes_of(ledger: Ledger) -> list[str]:
    """Everything else that a number of the table does not say by itself, one paragraph each."""
    notes = [_what_is_shown(ledger)] if ledger.finished else ["No experiment is finished yet."]
    notes += _of_given(ledger) + _of_targets(ledger) + several_seeds(ledger) + _of_volumes(ledger)
    notes += uneven_seeds(ledger)
    notes += _without_lesion(ledger) + _how_counted(ledger) + no_leak(ledger)
    for run in ledger.failed:
        notes.append(f"{run.name} failed: {run.record.get('error') or 'no reason is recorded'}")
    if ledger.unfinished:
        names = ", ".join(run.name for run in ledger.unfinished)
        notes.append(f"Not finished: {names}; rerun the same command to resume.")
    notes += [f"{note}." for note in ledger.notes]
    return [" ".join(note.split()) for note in notes]  # an error's message may have lines of its own


def _what_is_shown(ledger: Ledger) -> str:
    runs = [run for run in ledger.counted if run.is_model]
    thresholds = ", ".join(sorted({str(run.record.get("threshold")) for run in runs}))
    how = f"threshold {thresholds}" if ledger.task.targets.thresholded else "the most probable target of each voxel"
    at_threshold = f", {how}" if runs else ""
    seeds = sorted({run.experiment["seed"] for run in runs if not run.is_ensemble})
    averaged = f" Seeds {', '.join(map(str, seeds))} are averaged within a case first." if len(seeds) > 1 else ""
    and_seeds = ", widened by the seeds" if len(seeds) > 1 else ""
    return (
        f"Mean Dice per case (3-D, all test slices of a case together, on the source grid{at_threshold}) with its 95 % "
        f"interval (BCa bootstrap over cases{and_seeds}); n = "
        f"{count_of(_number_of(ledger, lesion=True), 'test case')}.{averaged}"
    )


def _of_targets(ledger: Ledger) -> list[str]:
    """Name the primary score, whose cases each target has, and the families of tests; nothing of one target."""
    cases = ledger.comparable
    if TARGET not in cases:
        return []
    held = {name: rows.loc[holds_lesion(rows), "case"].nunique() for name, rows in each_target(cases).items()}
    return [
        f"The primary score, declared for all tasks of several targets, is the mean over the targets that the truth of "
        f"a case holds ({listed(list(held))}). Ranks, subgroups, ensembles and scores other than Dice are of it.",
        "Each target also stands by itself, over the cases whose truth holds it: "
        f"{', '.join(f'{name} {count}' for name, count in held.items())} of {cases['case'].nunique()} test cases.",
        "Holm's correction is over all tests of a family. Primary: every pair of entrants. Targets: every pair of "
        "models in the Dice of every target. Ensembles: their pairs. Secondary: every pair of models in every other "
        "score. Without a target: every pair twice for each target that some case lacks.",
    ]


def _of_volumes(ledger: Ledger) -> list[str]:
    """Say what lesion, baseline and distance mean where the data are files with one image each."""
    if not ledger.finished or not ledger.task.unnamed:
        return []
    marked = (
        "one mask each: lesion means whatever the masks mark" if len(ledger.task.targets) == 1 else "one image each"
    )
    files, baseline = files_of(ledger.finished[0].fact("data", "kind")), baseline_on(ledger.task.primary)
    unit = "pixels" if "hd95_px" in ledger.comparable else "mm"
    if all(run.is_given for run in ledger.finished):
        named = [target.name for target in ledger.task.targets.all]
        lesion = f"; lesion means {named[0]}" if len(named) == 1 and named != ["lesion"] else ""
        return [f"The data are {files}{lesion}; distances are in {unit}."]
    return [
        f"The data are {files} with {marked}, {baseline} is a threshold on the only image, and distances are in {unit}."
    ]


def given_of(ledger: Ledger) -> dict[str, str]:
    """Name the entrants of masks that were not made here, each with where its masks are from."""
    folders = {run.entrant[0]: run.fact("masks", "folder") for run in ledger.counted if run.is_given}
    return {name: f"masks from {folder}" if folder else "masks as given" for name, folder in folders.items()}


def _of_given(ledger: Ledger) -> list[str]:
    """Say which entrants are masks that were not made here, and where these are from."""
    if not (found := given_of(ledger)):
        return []
    named = listed([f"{name} ({source})" for name, source in found.items()])
    return [
        f"Not made here: {named}. Nothing is known here of how they were made, nor whether with test cases in view: no "
        "seeds, no training, and an interval over cases only."
    ]


def _without_lesion(ledger: Ledger) -> list[str]:
    healthy = _number_of(ledger, lesion=False)
    if not healthy:
        return []
    what = "target" if TARGET in ledger.comparable else "lesion"
    return [
        f"{healthy} further test {'case has' if healthy == 1 else 'cases have'} no {what} and so no Dice: they "
        "are scored apart, left alone or not."
    ]


def _number_of(ledger: Ledger, lesion: bool) -> int:
    """How many test cases have a lesion, that is, a target, or have none."""
    cases = over_targets(ledger.comparable)
    return int(cases.loc[holds_lesion(cases) == lesion, "case"].nunique())


def _how_counted(ledger: Ledger) -> list[str]:
    """What lesion counts and surface distances of results.csv mean, where there are any."""
    columns = ledger.comparable.columns
    units = [unit for unit in ("px", "mm") if f"hd95_{unit}" in columns]
    if not units or "lesions" not in columns:
        return []
    steps = " A step between slices counts as one pixel in hd95 and surface Dice." if units == ["px"] else ""
    return [
        f"Lesions, and false components, are connected components of {size_in_words(units[0])}; smaller ones are "
        f"neither.{steps} A lesion of which nothing was predicted has surface Dice 0 and the volume's diagonal as hd95."
    ]
