"""report.html: the findings of a comparison as one file that opens from disk and asks the network for nothing."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from headtohead.cohort import Cohort
from headtohead.drawing.outlines import hexadecimal
from headtohead.options.comparison import baselines
from headtohead.readers.sequence_names import sequence_title
from headtohead.reporting.findings import Findings
from headtohead.reporting.page import gallery, panels, provenance, svg, wording
from headtohead.reporting.page.cost_plot import cost_plot
from headtohead.reporting.page.dot_plot import dot_plot
from headtohead.reporting.page.entrants import Entrant, entrants_of
from headtohead.reporting.page.forest_plot import forest_plot
from headtohead.reporting.page.tables import by_case, by_cohort, by_cost, by_entrant, by_pair, by_score, by_subgroup
from headtohead.saving import write_text
from headtohead.statistics.targets import TARGET
from headtohead.task import Target

HERE = Path(__file__).parent
WIDE, NARROW = 1040.0, 340.0  # each large chart is drawn for a desk and for a phone, so that its letters stay readable


def write_report(
    findings: Findings, path: Path, cohort: Cohort | None = None, masks_of: gallery.MasksOf | None = None
) -> Path:
    """Write the page.

    Everything in it that came from outside (names, commands, errors) is escaped, and a content security policy lets
    nothing run or load but what is in the file.

    Args:
        findings: what to show; the page computes nothing but positions.
        path: where to, usually `runs/<comparison>/report.html`.
        cohort: the data set, for the pictures; without it there are none, and the page says so.
        masks_of: (entrant, case) -> predicted mask bool [slices, H, W], or None where none was kept.

    Returns:
        The path. The same findings give the same bytes.

    Raises:
        UserError: a case to be shown is not in the cohort, or a mask does not fit it.
    """
    entrants = entrants_of(findings)
    pictures: dict[str, list[gallery.Card]] = {}
    if cohort is not None and masks_of is not None:
        pictures = gallery.gallery(findings, entrants, cohort, masks_of)
    style, script = (_read(name) for name in ("style.css", "script.js"))
    if findings.by_target:
        style, script = style + _read("targets.css"), script + _read("targets.js")
    # Nothing is trimmed after rendering: the policy names the style and the script by their exact text.
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("template.html.j2").render(
        findings=findings,
        entrants=entrants,
        marker=svg.marker,
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        cases=[str(case) for case in findings.matrix.index],
        **_charts(findings, entrants),
        **_tables(findings, entrants),
        gallery=pictures,
        outlines=gallery.outlines_of(entrants, findings.targets),
        pictured=_pictured(cohort),
        whole=len(findings.matrix),
        band=wording.band(findings.pairs),
        margin=f"{findings.pairs['margin'].iloc[0]:g}" if len(findings.pairs) else "",
    )
    write_text(path, page)
    return path


def _pictured(cohort: Cohort | None) -> str:
    """Name what the gallery is of."""
    named = cohort is not None and not cohort.task.unnamed
    return f"{sequence_title(cohort.task.primary)} slices" if cohort and named else "Slices"


def _charts(findings: Findings, entrants: list[Entrant]) -> dict[str, Any]:
    """All drawings, by the name the template calls them."""
    models = [entrant for entrant in entrants if not entrant.baseline]
    pairs, shown = findings.pairs, findings.targets.all if findings.by_target else ()
    with_baseline = pairs[["a", "b"]].isin(baselines(findings.matrix)).any(axis=1)
    forests = {
        # A model is far from the threshold; on one scale the differences between models could not be seen.
        f"Between {'entrants' if findings.given else 'models'}": pairs[~with_baseline],
        "Against the threshold": pairs[with_baseline],
    }
    return {
        "dots": [dot_plot(findings.matrix, findings.means, entrants, width) for width in (WIDE, NARROW)],
        "costs": [cost_plot(findings.costs, findings.means, entrants, width) for width in (WIDE, NARROW)],
        "forests": {
            title: [
                forest_plot(rows, width, f"{title}: mean differences in Dice with intervals", len(pairs))
                for width in (WIDE, NARROW)
            ]
            for title, rows in forests.items()
            if len(rows)
        },
        "dice_curves": panels.curve_panels(findings.curves, models, ["val_dice", "train_dice"], "Dice"),
        "target_curves": panels.target_panels(findings.curves, models, findings.targets.all),
        "loss_curves": panels.curve_panels(findings.curves, models, ["val_loss", "train_loss"], "Loss"),
        "rate_curves": panels.curve_panels(findings.curves, models, ["learning_rate"], "Learning rate"),
        "by_target": {one.name: _target_charts(findings, entrants, one) for one in shown},
        "subgroup_charts": panels.subgroup_panels(findings.subgroups, entrants),
    }


def _target_charts(findings: Findings, entrants: list[Entrant], target: Target) -> dict[str, Any]:
    """The drawings of one target of several."""
    found, pairs = findings.by_target[target.name], findings.target_pairs
    own = pairs[pairs[TARGET] == target.name]
    label = f"{target.name}: mean differences in Dice with intervals"
    return {
        "colour": hexadecimal(target.colour),
        "cases": int(found.matrix.notna().all(axis=1).sum()),
        "dots": [dot_plot(found.matrix, found.means, entrants, width, target.name) for width in (WIDE, NARROW)],
        "forest": [forest_plot(own, width, label, len(pairs)) for width in (WIDE, NARROW)] if len(own) else [],
    }


def _tables(findings: Findings, entrants: list[Entrant]) -> dict[str, Any]:
    shared, runs = provenance.shared_and_own(findings.provenance)
    of_dice = "paired differences in Dice, first minus second"
    return {
        "entrant_table": by_entrant.entrant_table(findings, entrants),
        "target_table": by_entrant.target_table(findings, entrants) if findings.by_target else None,
        "pair_table": by_pair.pair_table(findings.pairs, f"P{of_dice[1:]}", entrants),
        "target_pair_table": by_pair.pair_table(findings.target_pairs, f"Target by target: {of_dice}", entrants),
        "ensemble_table": by_pair.pair_table(findings.ensembles, f"Ensembles of seeds: {of_dice}", entrants),
        "agreement_table": by_entrant.agreement_table(findings, entrants),
        "without_lesion_table": by_entrant.without_lesion_table(findings, entrants),
        "secondary_table": by_pair.pair_table(findings.secondary, "Paired differences in other scores"),
        "healthy_table": by_pair.pair_table(
            findings.healthy_pairs,
            f"Paired differences on cases without a {'target' if findings.by_target else 'lesion'}",
        ),
        "cost_table": by_cost.cost_table(findings, entrants),
        "rank_table": by_entrant.rank_table(findings, entrants),
        "score_table": by_score.score_table(findings, entrants),
        "score_tables": [by_score.score_table(findings, entrants, target) for target in findings.by_target],
        "convention_table": by_score.convention_table(findings, entrants),
        "subgroup_table": by_subgroup.lay_out_subgroups(findings, entrants),
        "subgroup_pair_table": by_subgroup.subgroup_pair_table(findings, entrants),
        "external_table": by_cohort.external_table(findings.external, entrants),
        "population_table": by_cohort.population_table(findings.external),
        "case_table": by_case.case_table(findings, entrants),
        "shared": shared,
        "run_table": runs,
    }


def _policy(style: str, script: str) -> str:
    """The content security policy: no address at all, pictures from the file itself, this style and this script."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
