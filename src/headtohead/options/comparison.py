"""Which experiments stand side by side, and where their runs are kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from headtohead.options.checks import SEED, above, folder_name, model_setting, not_empty, run_names, variant
from headtohead.options.declaring import option
from headtohead.options.group import Group
from headtohead.options.training import SCHEDULES

SINGLE, GRID = "single", "grid"  # names of a comparison that was given none: of --train and --test, of --compare
SCORED = "scored"  # of --score
AGREED = "agreement"  # of --score without a truth
MARGIN = 0.02
ENDING = "-threshold"
UNTRAINED = "-"
"""The schedule of what learned nothing here: the baseline, and masks of other programs."""


def baseline_on(primary: str) -> str:
    """Name the threshold on a primary sequence, fit for a folder: `t1-threshold`.

    Every comparison has it besides its models. It is the model of that run and its folder.
    """
    return f"{re.sub(r'[^a-z0-9]+', '-', primary.lower()).strip('-') or 'image'}{ENDING}"


def is_baseline(model: str) -> bool:
    """Say whether a model or an entrant is the threshold that every comparison has besides."""
    return model.endswith(ENDING)


def is_given(model: str, schedule: str) -> bool:
    """Say whether an entrant is a folder of masks that `score` was given: nothing was trained here."""
    return schedule == UNTRAINED and not is_baseline(model)


def baselines(names: Iterable[str]) -> list[str]:
    """Pick the baseline out of the names of models or entrants; nothing where it was not scored."""
    return [name for name in names if is_baseline(name)]


@dataclass(frozen=True)
class ComparisonOptions(Group):
    """Comparison and run folders."""

    models: tuple[str, ...] = option(
        ("unet", "resnext"), "models of --compare, as --model takes them", metavar="A,B", check=not_empty
    )
    schedules: tuple[str, ...] = option(("none", "cosine"), "schedules of --compare", metavar="A,B", choices=SCHEDULES)
    seeds: tuple[int, ...] = option((0,), "seeds of --compare", metavar="0,1", check=SEED)
    model_settings: tuple[str, ...] = option(
        (),
        "options of one model only: resnext.image_size=96,resnext.num_epochs=10; of a net of a library, a file or a "
        "package, its own arguments too: smp:FPN:resnet18.encoder_depth=4",
        metavar="MODEL.OPTION=VALUE,...",
        check=model_setting,
    )
    variants: tuple[str, ...] = option(
        (),
        "further entrants of --compare: a model under settings of its own, and its name: "
        "with_t1ce=segnet.inputs=flair+t1+t1ce+t2",
        metavar="NAME=MODEL.OPTION=VALUE,...",
        check=variant,
    )
    entrant: str = option(
        "",
        "name under which a run stands in tables; default: its model",
        metavar="NAME",
        check=lambda value: folder_name(value) if value else "",
    )
    margin: float = option(
        MARGIN,
        "difference in mean Dice that is too small to matter, declared before the results are seen: models are called "
        "equivalent only after two one-sided tests at this margin",
        check=above(0, 1),
    )
    case_gifs: str = option(
        "few",
        "GIFs of cases; few: worst, median and best, in figures/, and those of figures/cases/ that are current; all: "
        "every case as well, in figures/cases/; none: no GIFs, and figures/cases/ is removed",
        choices=("few", "all", "none"),
    )
    comparison: str = option(
        "",
        "name of the comparison: the folder below --runs_dir; default: single, for --compare grid, "
        "for --score scored (without --truth the only one), for --report the only one, for --image_path any",
        metavar="NAME",
        check=lambda value: folder_name(value) if value else "",
    )
    run_name: str = option(
        "",
        "name of the run folder; default <model>-<schedule>-s<seed>-f<fold>; "
        "with --predict and --image_path, a,b,c averages several",
        metavar="NAME",
        check=run_names,
    )
    runs_dir: str = option("runs", "folder of all comparisons", metavar="DIR", check=not_empty)
    overwrite: bool = option(False, "replace existing runs or files instead of keeping them")

    @property
    def home(self) -> Path:
        """The comparison's folder, `runs/<comparison>`; without a name, that of experiments run one by one."""
        return Path(self.runs_dir) / (self.comparison or SINGLE)
