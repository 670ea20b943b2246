"""The worst, the middling and the best cases, slice by slice, with the outlines of the truth and of every entrant."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from headtohead.cohort import Cohort
from headtohead.drawing.brightness import white_of
from headtohead.drawing.outlines import hexadecimal, lighter
from headtohead.drawing.sizes import resized, within
from headtohead.errors import UserError
from headtohead.readers.sequence_names import sequence_title
from headtohead.reporting.findings import Findings, shown_seed
from headtohead.reporting.page import svg, wording
from headtohead.reporting.page.contours import outline_path
from headtohead.reporting.page.entrants import Entrant
from headtohead.statistics.targets import each_target
from headtohead.task import Targets

MasksOf = Callable[[str, str], NDArray[np.bool_] | None]
"""(entrant, case) -> bool [K, slices, H, W], or None where no prediction was kept."""

WORST, MEDIAN, BEST = 6, 3, 3
BUDGET = 9_000_000  # characters of all pictures and outlines together, so that the page stays below 15 MB
QUALITIES = (80, 60, 40, 20)
LARGEST_SIDE = 512
TRUTH = "truth"
STRIP_HEIGHT = 22.0


@dataclass(frozen=True)
class Outline:
    """How an outline is drawn in every card."""

    key: str  # of its paths in a card's slices: `truth` or an entrant's; of several targets `truth.0`, `3.1`
    look: str  # classes of style.css: kind of dash, of one target also the colour
    colour: str  # of one of several targets, which is lighter for the truth; else empty
    hidden: bool  # whether it is off at first


@dataclass(frozen=True)
class Card:
    """One case of the gallery.

    Attributes:
        case: its name.
        facts: what is known about it, a few words each.
        scores: its Dice by entrant, with a note: whose outline is drawn, or that no mask was kept.
        width, height: of a slice, in pixels of its own grid, in which the outlines are.
        slices: of each slice its number (from 1) under `number`, its WebP in base64 under `image`, and its paths under
            the keys of the outlines.
        start: place in `slices` of the one shown first: that with most lesion.
        depth: slices of the case; more than are in `slices` where there was no room for all.
        strip: how much lesion each slice has.
    """

    case: str
    facts: list[str]
    scores: list[tuple[Entrant, str, str]]
    width: int
    height: int
    slices: list[dict[str, str]]
    start: int
    depth: int
    strip: Markup


def gallery(findings: Findings, entrants: list[Entrant], cohort: Cohort, masks_of: MasksOf) -> dict[str, list[Card]]:
    """Make the cards of the chosen cases, by group.

    Raises:
        UserError: a chosen case is not in the cohort, or a prediction has another shape than its case.
    """
    groups = choose_cases(findings, entrants)
    room = BUDGET // max(sum(map(len, groups.values())), 1)
    return {
        group: [_card(case, findings, entrants, cohort, masks_of, room) for case in cases]
        for group, cases in groups.items()
    }


def outlines_of(entrants: list[Entrant], targets: Targets) -> list[Outline]:
    """List the outlines of a slice, the truth first; of several targets in their colours, entrants told by dashes."""
    if len(targets) == 1:
        truth = Outline(TRUTH, "outline-truth", "", hidden=False)
        return [truth, *(Outline(one.key, f"{one.colour} {one.dash}", "", one.baseline) for one in entrants)]
    found = []
    for place, target in enumerate(targets.all):
        found.append(Outline(f"{TRUTH}.{place}", "", hexadecimal(lighter(target.colour)), hidden=False))
        colour = hexadecimal(target.colour)
        found += [Outline(f"{one.key}.{place}", one.dash, colour, one.baseline) for one in entrants]
    return found


def choose_cases(findings: Findings, entrants: list[Entrant]) -> dict[str, list[str]]:
    """Choose by mean Dice over the entrants; the baseline does not count, being bad on most cases.

    Of few cases fewer are shown, so that none is both among the worst and among the best.

    Returns:
        worst (worst first), median (ascending) and best (best first) -> names of cases.
    """
    judges = [entrant.name for entrant in entrants if not entrant.baseline] or list(findings.matrix.columns)
    # By name first: of equal cases the choice must not depend on how the sort works.
    means = findings.matrix[judges].mean(axis=1).dropna().sort_index()
    ranked = [str(case) for case in means.sort_values(kind="stable").index]
    third = -(-len(ranked) // 3)
    worst = ranked[: min(WORST, third)]
    best = ranked[len(worst) :][::-1][: min(BEST, third)]
    middle = ranked[len(worst) : len(ranked) - len(best)]
    # Of what lies between, those nearest to the median of all cases.
    centre = (len(ranked) - 1) / 2 - len(worst)
    nearest = sorted(sorted(range(len(middle)), key=lambda place: abs(place - centre))[: min(MEDIAN, third)])
    return {"worst": worst, "median": [middle[place] for place in nearest], "best": best}


def _card(case: str, findings: Findings, entrants: list[Entrant], cohort: Cohort, masks_of: MasksOf, room: int) -> Card:
    names = [str(name) for name in cohort.table["case"]]
    if case not in names:
        raise UserError(f"{cohort.root}: has no case {case}, which was scored; give the data set that was compared")
    number = names.index(case)
    grey = cohort.primary(number)
    truth = cohort.truth(number)
    outlines = _outlines(TRUTH, truth)
    scores = []
    for entrant in entrants:
        predicted = masks_of(entrant.name, case)
        score, note = wording.score(findings.matrix.loc[case, entrant.name]), ""
        shown = shown_seed(findings.cases, entrant.name, case)
        if predicted is None:
            note = "no mask was kept"
        elif predicted.shape != truth.shape:
            raise UserError(
                f"{case}: the mask of {entrant.name} has shape {predicted.shape}, its images {truth.shape}; "
                "score the run again with `test`"
            )
        else:
            outlines |= _outlines(entrant.key, predicted)
            note = _of_each(case, entrant, findings)
            if shown:
                own = f"mean of seeds; the outline is seed {shown[0]}: {wording.score(shown[1])}"
                note = f"{note}; {own}" if note else own
        scores.append((entrant, score, note))
    areas = truth.any(axis=0).sum(axis=(1, 2))
    fullest = int(areas.argmax()) if areas.any() else len(areas) // 2
    slices = _fit(grey, outlines, fullest, room)
    start = next(place for place, one in enumerate(slices) if one["number"] == str(fullest + 1))
    height, width = truth.shape[2:]
    return Card(case, _facts(case, findings), scores, width, height, slices, start, len(areas), _strip(areas))


def _fit(grey: NDArray[np.uint8], outlines: dict[str, list[str]], fullest: int, room: int) -> list[dict[str, str]]:
    """Choose quality, and where the lowest is not enough every n-th slice, so that a case stays within its room."""
    shown = _brightened(grey)
    step, quality = 1, 0
    while True:
        slices = [
            {"number": str(place + 1), "image": _webp(shown[place], QUALITIES[quality])}
            | {key: paths[place] for key, paths in outlines.items() if paths[place]}
            for place in range(fullest % step, len(shown), step)
        ]
        if len(slices) == 1 or sum(len(text) for one in slices for text in one.values()) <= room:
            return slices
        if quality < len(QUALITIES) - 1:
            quality += 1
        else:
            step *= 2


def _outlines(key: str, masks: NDArray[np.bool_]) -> dict[str, list[str]]:
    """The paths of each slice, by the keys of `outlines_of`."""
    keys = [key] if len(masks) == 1 else [f"{key}.{place}" for place in range(len(masks))]
    return {one: [outline_path(mask) for mask in slices] for one, slices in zip(keys, masks, strict=True)}


def _of_each(case: str, entrant: Entrant, findings: Findings) -> str:
    """The Dice of each of several targets that the truth holds."""
    matrices = {target: found.matrix for target, found in findings.by_target.items()}
    there = {target: matrix.loc[case, entrant.name] for target, matrix in matrices.items() if case in matrix.index}
    return ", ".join(f"{target} {wording.score(value)}" for target, value in there.items())


def _brightened(grey: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The slices of a case, stretched to its own white and no larger than the page can use."""
    look_up = np.clip(np.arange(256) * 255.0 / white_of(grey), 0, 255).astype(np.uint8)
    size = within(grey.shape[1:], min(LARGEST_SIDE, max(grey.shape[1:])))
    return [resized(look_up[one], size) for one in grey]


def _webp(image: NDArray[np.uint8], quality: int) -> str:
    written, data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    assert written
    return base64.b64encode(data.tobytes()).decode("ascii")


def _strip(areas: NDArray[np.integer]) -> Markup:
    """Bars of lesion area by slice, to stand above the slider."""
    step = 300.0 / len(areas)
    most = max(int(areas.max()), 1)
    bars = []
    for place, area in enumerate(areas.tolist()):
        height, top = STRIP_HEIGHT * area / most, STRIP_HEIGHT * (1 - area / most)
        if area:
            bars.append(svg.element("rect", x=place * step, y=top, width=max(step - 1, 0.5), height=height))
    look = {"class_": "strip", "viewBox": f"0 0 300 {STRIP_HEIGHT:g}", "preserveAspectRatio": "none"}
    return svg.element("svg", *bars, **look, aria_hidden="true")


def _facts(case: str, findings: Findings) -> list[str]:
    row = findings.cases[findings.cases["case"] == case].iloc[0]
    said = []
    if not wording.missing(row.get("site")):
        said.append(f"site {row['site']}")
    if not wording.missing(row.get("grade")):
        said.append(f"WHO grade {str(row['grade']).removesuffix('.0')}")
    for target, own in each_target(findings.tested_cases[findings.tested_cases["case"] == case]).items():
        voxels = own.iloc[0].get("lesion_voxels")
        if not wording.missing(voxels):
            said.append(f"{target or 'lesion'} {wording.count_in_words(voxels)} voxels")
    if not wording.missing(row.get("missing")):
        said += [f"no {sequence_title(sequence)}" for sequence in str(row["missing"]).split()]
    return said
