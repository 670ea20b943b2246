"""The figures of `--explore`: how rare lesions are, how patients and sites differ, and which sequences are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.drawing.outlines import ON_PAPER, hexadecimal
from headtohead.readers.sequence_names import sequence_title
from headtohead.saving import write_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from headtohead.exploring.measures import Measures

LESION, REST, VOLUME, HEAD = ON_PAPER[1], "0.87", ON_PAPER[4], ON_PAPER[0]
GAP = 3  # empty places between two sites
COMPLETE = "complete"


@contextmanager
def _figure(path: Path, title: str, figsize: tuple[float, float], **panels: Any) -> Iterator[np.ndarray]:
    """Give the panels of a figure, [rows, columns]; write it when they are drawn."""
    # Without pyplot, which would open windows, or choose how the figures of a notebook are shown.
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=figsize, layout=ConstrainedLayoutEngine(h_pad=0.1))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    yield figure.subplots(squeeze=False, **panels)
    write_figure(path, figure)


def draw_classes(findings: "Measures", path: Path) -> None:
    """Draw the share of lesion: in slices, in all pixels, and in the pixels of the slices that have any."""
    rows = class_rows(findings)
    with _figure(path, "How rare lesions are", figsize=(8.5, 0.5 + 0.75 * len(rows))) as panels:
        panel = panels[0, 0]
        for place, (what, lesion, rest, words, others) in enumerate(rows):
            whole = max(lesion + rest, 1)
            panel.barh(place, 1, height=0.36, color=REST)
            panel.barh(place, lesion / whole, height=0.36, color=LESION)
            above = place - 0.27
            panel.text(0, above, f"{words} {_share(lesion, whole)}", color=LESION, fontsize=9, va="bottom")
            panel.text(1, above, f"{others} {_share(rest, whole)}", color="0.3", fontsize=9, va="bottom", ha="right")
            panel.text(-0.015, place, what, fontsize=10, fontweight="bold", va="center", ha="right")
        panel.set_xlim(0, 1)
        panel.set_ylim(len(rows) - 0.75, -0.6)
        panel.axis("off")


def class_rows(findings: "Measures") -> list[tuple[str, int, int, str, str]]:
    """Count lesion against the rest: what, lesion, rest, name of lesion, of rest, for slices and for pixels."""
    slices, cases = findings.slices, findings.cases
    with_lesion = int((slices["lesion_voxels"] > 0).sum())
    lesion, voxels = int(cases["lesion_voxels"].sum()), int(cases["voxels"].sum())
    in_their_slices = int((cases["voxels"] // cases["slices"] * cases["lesion_slices"]).sum())
    return [
        ("slices", with_lesion, len(slices) - with_lesion, "with lesion", "without"),
        ("pixels", lesion, voxels - lesion, "lesion", "other"),
        ("pixels of slices\nwith lesion", lesion, in_their_slices - lesion, "lesion", "other"),
    ]


def draw_patients(findings: "Measures", path: Path) -> None:
    """Draw slices and lesion size of every case, grouped by site, within it by lesion size."""
    cases = findings.cases.sort_values(["site", "lesion_voxels"], kind="stable")
    places = place_by_site(cases["site"])
    title = "Slices and lesion of every case, by site"
    with _figure(path, title, figsize=(_width(places), 5.6), nrows=2, sharex=True) as panels:
        upper, lower = panels[:, 0]
        upper.bar(places, cases["slices"], color=REST, width=0.85, label="slices")
        upper.bar(places, cases["lesion_slices"], color=LESION, width=0.85, label="of these with lesion")
        upper.set_ylabel("slices")
        volumes = cases["lesion_voxels"] / 1000
        lower.bar(places, volumes, color=VOLUME, width=0.85)
        lower.set_ylabel("lesion, thousand voxels")
        for panel, values in ((upper, cases["slices"]), (lower, volumes)):
            label = "median of the site"
            for own in _sites(cases["site"]).values():
                ends = places[own][[0, -1]] + (-0.5, 0.5)
                panel.hlines(values[own].median(), *ends, color="0.15", lw=1.3, label=label)
                label = "_"  # once is enough in the legend
            _tidy(panel)
        _name_sites(lower, cases["site"], places)
        _legend_above(upper)


def draw_targets(findings: "Measures", path: Path) -> None:
    """Draw how large each of several targets is in every case, grouped by site as in `draw_patients`."""
    cases = findings.cases.sort_values(["site", "lesion_voxels"], kind="stable")
    places = place_by_site(cases["site"])
    with _figure(path, "Size of each target in every case, by site", figsize=(_width(places), 3.6)) as panels:
        panel = panels[0, 0]
        for target in findings.several:
            sizes = cases[f"{target.name}_voxels"]
            there = sizes.to_numpy() > 0
            colour = hexadecimal(target.colour)
            panel.plot(places[there], sizes[there], "o", color=colour, ms=4, label=target.name)
        panel.set_yscale("log")  # a core may be a hundredth of the whole
        panel.set_ylabel("voxels")
        _tidy(panel)
        _name_sites(panel, cases["site"], places)
        _legend_above(panel)


def draw_intensity(findings: "Measures", path: Path) -> None:
    """Draw where the grey levels of every case lie, by sequence and site; the darkest in the primary one first."""
    cases = findings.cases.sort_values(["site", f"{findings.task.primary}_median"], kind="stable")
    rows = len(findings.task.sequences)
    places = place_by_site(cases["site"])
    title = "Grey levels in the inner head of every case, by site"
    with _figure(path, title, figsize=(_width(places), 1.6 + 2 * rows), nrows=rows, sharex=True, sharey=True) as panels:
        for name, panel in zip(findings.task.sequences, panels[:, 0], strict=True):
            there = np.array([name not in missing.split() for missing in cases["missing"]])
            low, middle, high = (cases[f"{name}_{column}"].to_numpy() for column in ("p10", "median", "p90"))
            panel.vlines(places[there], low[there], high[there], color=HEAD, lw=2.2, alpha=0.3, label="10 to 90 %")
            panel.plot(places[there], middle[there], "o", color=HEAD, ms=3.5, label="median")
            if name == findings.task.primary:
                lesion = cases[f"lesion_{name}_median"]
                panel.plot(places, lesion, "_", color=LESION, ms=6, mew=2, label="median of the lesion")
                _legend_above(panel)
            absent = "" if there.all() else f"; missing in {(~there).sum()} of {len(there)} cases"
            panel.set_title(sequence_title(name) + absent, loc="left", fontsize=10)
            panel.set_ylabel("grey level")
            _tidy(panel)
        panels[0, 0].set_ylim(bottom=0)  # last: it ends the search for a common upper end
        _name_sites(panels[-1, 0], cases["site"], places)


def place_by_site(sites: "pd.Series") -> np.ndarray:
    """Where each case stands on an axis, ascending from 0: beside the next, and `GAP` away from the next site.

    Args:
        sites: the site of each case; those of one site together.
    """
    new = (sites != sites.shift()).to_numpy()
    return np.arange(len(sites)) + GAP * (np.cumsum(new) - 1.0)


def _sites(sites: "pd.Series") -> dict[str, np.ndarray]:
    return {str(site): (sites == site).to_numpy() for site in sites.unique()}


def _width(places: np.ndarray) -> float:
    return float(np.clip(1.5 + 0.1 * places[-1], 7, 14))


def _name_sites(panel: "Axes", sites: "pd.Series", places: np.ndarray) -> None:
    groups = _sites(sites)
    middles = [places[own][[0, -1]].mean() for own in groups.values()]
    panel.set_xticks(middles, [f"{site}\nn = {own.sum()}" for site, own in groups.items()], fontsize=9)
    panel.set_xlim(-1.5, places[-1] + 1.5)


def _legend_above(panel: "Axes") -> None:
    panel.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, fontsize=9, borderaxespad=0.2)


def draw_missing(findings: "Measures", path: Path) -> None:
    """Draw which sequences are missing at which site."""
    table = missing_by_site(findings.cases)
    colours = {COMPLETE: REST} | dict(
        zip([name for name in table if name != COMPLETE], (ON_PAPER[5], ON_PAPER[1], ON_PAPER[3]), strict=False)
    )
    with _figure(path, "Sequences per case, by site", figsize=(8.5, 1.2 + 0.42 * len(table))) as panels:
        panel = panels[0, 0]
        start = np.zeros(len(table))
        for name in table:
            bars = panel.barh(table.index, table[name], left=start, height=0.62, color=colours[name], label=name)
            panel.bar_label(bars, [str(n) if n else "" for n in table[name]], label_type="center", fontsize=9)
            start += table[name].to_numpy()
        panel.invert_yaxis()
        panel.set_xlabel("cases")
        panel.tick_params(axis="y", length=0)
        panel.spines[["top", "right", "left"]].set_visible(False)
        _legend_above(panel)


def missing_by_site(cases: "pd.DataFrame") -> "pd.DataFrame":
    """Count cases by site (rows) and by what they lack (columns: complete, then as in `without post`)."""
    import pandas as pd

    lacking = cases["missing"].map(lambda names: "without " + " and ".join(names.split()) if names else COMPLETE)
    table = pd.crosstab(cases["site"], lacking).rename_axis(columns=None)
    return table.reindex(columns=[COMPLETE, *(name for name in table if name != COMPLETE)], fill_value=0)


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.1f} %)"


def _tidy(panel: "Axes") -> None:
    panel.grid(axis="y", color="0.92", lw=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(axis="x", length=0)
    panel.spines[["top", "right"]].set_visible(False)
