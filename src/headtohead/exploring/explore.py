"""`--explore`: a page, two tables and figures about the data set."""

from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.cohort import open_data
from headtohead.cohort.cohort import SPACING
from headtohead.exploring.alike import draw_alike
from headtohead.exploring.duplicates import ALIKE, Duplicates, find_duplicates
from headtohead.exploring.figures import (
    class_rows,
    draw_classes,
    draw_intensity,
    draw_missing,
    draw_patients,
    draw_targets,
    missing_by_site,
)
from headtohead.exploring.folder import explored_folder
from headtohead.exploring.measures import UNKNOWN, Measures, measure
from headtohead.exploring.sheets import draw_lesions, draw_samples
from headtohead.options.table import Options
from headtohead.plurals import count_of
from headtohead.readers.reader import files_of
from headtohead.readers.sequence_names import sequence_title
from headtohead.saving import write_table, write_text

if TYPE_CHECKING:
    import pandas as pd

FIGURES = {
    "classes": draw_classes,
    "patients": draw_patients,
    "targets": draw_targets,
    "intensity": draw_intensity,
    "missing": draw_missing,
}
LARGEST_INNER = 0.6  # of the image: an inner head that fills more is none
DIGITS = {"inner_share": 4, "lesion_ml": 3}  # in cases.csv
MARKED = "The data are {} with one mask each: what is called lesion here is whatever the masks mark."


def explore(options: Options) -> Path:
    """Carry out `--explore`: write explore.md, slices.csv, cases.csv and the figures.

    Returns:
        Path of explore.md.

    Raises:
        UserError: the data set is missing or damaged, or the folder cannot be written to.
    """
    cohort = open_data(options.data)
    folder = explored_folder(options.prediction.output, options.comparison.runs_dir)
    findings, duplicates = measure(cohort), find_duplicates(cohort)
    write_table(folder / "slices.csv", findings.slices)
    write_table(folder / "cases.csv", findings.cases.round(DIGITS | {f"{findings.task.primary}_contrast": 4}))
    # What does not apply may be there of an earlier look at other data.
    idle = {"missing": len(findings.task.sequences) == 1, "targets": not findings.several}
    for name, draw in FIGURES.items():
        if idle.get(name):
            (folder / f"{name}.png").unlink(missing_ok=True)
        else:
            draw(findings, folder / f"{name}.png")
    alike = folder / "alike.png"
    if len(duplicates.nearest):
        draw_alike(cohort, duplicates, alike)
    else:
        alike.unlink(missing_ok=True)
    draw_samples(cohort, folder / "samples.png")
    if not draw_lesions(cohort, folder / "lesions.png"):
        (folder / "lesions.png").unlink(missing_ok=True)
    page = folder / "explore.md"
    write_text(page, write_page(findings, duplicates, cohort.key, files_of(cohort.data)))
    return page


def write_page(findings: Measures, duplicates: Duplicates, key: str, files: str = "volumes") -> str:
    """Give the text of explore.md; `key` is the cohort's, which says what data these are, `files` what files."""
    cases = findings.cases
    sites = cases["site"][cases["site"] != UNKNOWN].nunique()
    from_sites = f" from {count_of(sites, 'site')}" if sites else ""
    main = sequence_title(findings.task.primary)
    several = len(findings.task.sequences) > 1
    parts = [
        "# What the data set holds",
        f"{count_of(len(cases), 'case')} of {count_of(cases['patient'].nunique(), 'patient')}{from_sites}, "
        f"{len(findings.slices):,} slices; data {key}. "
        "Every slice is in slices.csv, every case in cases.csv.",
        *([] if several else [MARKED.format(files)]),
        *_spacing(cases),
        "## Samples",
        "Some cases in every sequence, with the outlines of their masks.",
        "![Samples in every sequence](samples.png)",
        "## Class balance",
        _table(["", "lesion", "share", "rest"], _class_lines(findings)),
        "![Share of lesion in slices and pixels](classes.png)",
        "## Patients and sites",
        _table(
            ["site", "cases", "slices", "slices with lesion", "lesion voxels", f"{main} contrast"], _sites(findings)
        ),
        "Medians over the site's cases, the range in brackets. "
        f"{main[0].upper()}{main[1:]} contrast: by how much the lesion's median is brighter than that of the "
        "inner head around it, in units of the latter's 10-90 % range.",
        *_without_lesion(cases),
        "![Slices and lesion of every case](patients.png)",
        *_targets(findings),
        *_lesions(cases),
        "## Grey levels",
        _table(["site", *(sequence_title(name) for name in findings.task.sequences)], _levels(findings)),
        "Median over the site's cases of the inner head's median, the range in brackets; cases that lack the "
        "sequence are left out.",
        *_head_not_found(cases),
        "![Grey levels by site and sequence](intensity.png)",
        *(["## Missing sequences", *_missing(findings), "![Sequences per case](missing.png)"] if several else []),
        "## Similar slices of different patients",
        *_duplicates(duplicates),
    ]
    return "\n\n".join(parts) + "\n"


def _class_lines(findings: Measures) -> list[list[str]]:
    return [
        [" ".join(what.split()), f"{lesion:,}", f"{100 * lesion / max(lesion + rest, 1):.2f} %", f"{rest:,}"]
        for what, lesion, rest, _, _ in class_rows(findings)
    ]


def _spacing(cases: "pd.DataFrame") -> list[str]:
    if SPACING[0] not in cases:
        return []
    slices, rows, columns = (_median(cases[column], 2) for column in SPACING)
    return [
        f"As packed, where pixels are made square that are not so in a file, as fine as its finer side, slices lie "
        f"{slices} mm apart, rows {rows} mm, columns {columns} mm; a case's lesion has "
        f"{_median(cases['lesion_ml'], 1)} ml: medians over the cases, the range in brackets."
    ]


def _sites(findings: Measures) -> list[list[str]]:
    cases = findings.cases
    groups = [*cases.groupby("site"), ("all", cases)]
    return [
        [str(site), str(len(own))]
        + [_median(own[column]) for column in ("slices", "lesion_slices", "lesion_voxels")]
        + [_median(own[f"{findings.task.primary}_contrast"], 2)]
        for site, own in groups
    ]


def _targets(findings: Measures) -> list[str]:
    """The section on several targets."""
    cases, lines = findings.cases, []
    for target in findings.several:
        own = cases[cases[f"{target.name}_voxels"] > 0]
        columns = [f"{target.name}_{one}" for one in ("slices", "voxels", "ml") if f"{target.name}_{one}" in cases]
        labels = ", ".join(map(str, target.labels))
        lines.append([target.name, labels, str(len(own)), *(_median(own[column]) for column in columns)])
    if not lines:
        return []
    header = ["target", "labels", "cases", "slices", "voxels", "ml"][: len(lines[0])]
    return [
        "## Targets",
        _table(header, lines),
        "Medians over the cases that hold the target, the range in brackets. A lesion is where any of them is.",
        "![Size of each target in every case](targets.png)",
    ]


def _lesions(cases: "pd.DataFrame") -> list[str]:
    if not (cases["lesion_voxels"] > 0).any():
        return []
    return [
        "## Lesions",
        "The slice that holds most of each lesion. Look for outlines that are shifted, mirrored or empty.",
        "![The largest slice of each lesion](lesions.png)",
    ]


def _levels(findings: Measures) -> list[list[str]]:
    cases, lines = findings.cases, []
    for site, own in cases.groupby("site"):
        lacking = own["missing"].str.split()
        there = [own[[name not in missing for missing in lacking]] for name in findings.task.sequences]
        medians = [_median(some[f"{name}_median"]) for name, some in zip(findings.task.sequences, there, strict=True)]
        lines.append([str(site), *medians])
    return lines


def _without_lesion(cases: "pd.DataFrame") -> list[str]:
    names = cases.loc[cases["lesion_voxels"] == 0, "case"].tolist()
    return [f"Without any lesion: {', '.join(names)}."] if names else ["Every case has a lesion."]


def _head_not_found(cases: "pd.DataFrame") -> list[str]:
    lost = cases.loc[(cases["inner_share"] == 0) | (cases["inner_share"] > LARGEST_INNER), "case"].tolist()
    if not lost:
        return []
    return [
        f"The inner head was not found in {', '.join(lost)}: either their background is as bright as a head, or they "
        "are empty. Their grey levels, and the statistics that scale a model's input, are those of the whole image."
    ]


def _missing(findings: Measures) -> list[str]:
    cases = findings.cases
    counts = missing_by_site(cases)
    named = [f"- {case}: {missing}" for case, missing in zip(cases["case"], cases["missing"], strict=True) if missing]
    whole = int(counts["complete"].sum())
    words = f"{whole} of {len(cases)} cases are complete."
    if named:
        used = " and ".join(map(sequence_title, dict.fromkeys(findings.task.stand_ins.values())))
        words += f" In the others, {used} was used in place of the missing sequences:"
    return [words, *(["\n".join(named)] if named else [])]


def _duplicates(duplicates: Duplicates) -> list[str]:
    pairs, nearest = duplicates.pairs, duplicates.nearest
    words = (
        f"{count_of(len(pairs), 'pair')} of near-duplicates among {duplicates.compared:,} slices (perceptual hash, "
        f"then a correlation of fine detail of at least {ALIKE:g}). Mirrored or rotated copies would not be found."
    )
    if duplicates.faint:
        words += f" {duplicates.faint:,} slices have too little detail to be compared."
    parts = [words]
    if len(pairs):
        places = ["{case_a}, {slice_a}", "{case_b}, {slice_b}", "{correlation:.3f}"]
        lines = [[place.format_map(pair) for place in places] for pair in pairs.to_dict("records")]
        parts.append(_table(["case, slice", "case, slice", "correlation"], lines))
    elif len(nearest):
        parts.append(f"The most similar pair has a correlation of {nearest['correlation'].iloc[0]:.2f}.")
    if len(nearest):
        parts.append("![The most similar slices of different patients](alike.png)")
    return parts


def _median(values: "pd.Series", digits: int = 0) -> str:
    defined = values.dropna()
    if not len(defined):
        return "–"
    low, middle, high = (f"{number:,.{digits}f}" for number in (defined.min(), defined.median(), defined.max()))
    return middle if len(defined) == 1 else f"{middle} ({low} to {high})"


def _table(header: list[str], lines: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])
