"""The chains that are known by name: those of our own training, by its settings, and those of published protocols."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from headtohead.errors import UserError
from headtohead.options.input import InputOptions
from headtohead.options.preparation import SLICES, Amounts, standardises, volume_steps
from headtohead.preparing.chain import DEPTHS, Chain, UnknownStepError
from headtohead.preparing.intensities import EIGHT
from headtohead.preparing.step import Step
from headtohead.preparing.steps.channels import Channels
from headtohead.preparing.steps.crop import Crop, Trim
from headtohead.preparing.steps.neighbours import Neighbours
from headtohead.preparing.steps.resize import Resize
from headtohead.preparing.steps.scale import FIXED, MEASURED, Scale
from headtohead.preparing.steps.spline import Spline
from headtohead.preparing.steps.standardise import Standardise
from headtohead.preparing.steps.stretch import Stretch
from headtohead.preparing.steps.window import Window
from headtohead.records.shape import listing, mapping, whole
from headtohead.task import Task

RGB, BGR = "rgb", "bgr"
"""Orders of three sequences; the middle one has the same place in both."""

BOUNDS = mapping(
    {
        "image_size": whole(16, 2048),
        "neighbours": whole(0, 8),
        "sequences": whole(1, 32),
        "primary": whole(0, 31),
        "shown": listing(whole(0, 31), most=32),
    }
)
"""What is believed of the recipe in a file."""

BUDA, RECIPE = "buda_volume", "recipe"
"""The name of Buda's chain in files of earlier versions; that of all others was `RECIPE`."""


@dataclass(frozen=True)
class InputRecipe:
    """The settings from which the chain of a training follows: run.json and checkpoints hold them.

    Attributes:
        image_size: side in pixels of the square given to the model.
        normalise: `inner`, `zscore`, `unit` or `imagenet`; or what belongs to a model and cannot be asked for, a key of
            `TIED`.
        neighbours: the number of slices before and after that add their primary sequence as channels.
        channel_order: `rgb`: as the task has them. `bgr` replays a historical fault: they are reversed, their
            statistics are not.
        primary: channel of the primary sequence.
        sequences: channels that a slice has of its own. A volume of one channel is in all of them.
        depth: in which grey levels are stored: `uint8` or `uint16`.
        preparation: steps of whole volumes, as `--preparation` takes them, before those of single slices.
        shown: which of the slice's own channels the model is shown, the primary one among them; empty: all.

    Raises:
        ValueError: neighbours, but a chain that has none; or the primary channel is not shown.
    """

    image_size: int
    normalise: str
    neighbours: int
    channel_order: str = RGB
    primary: int = 1
    sequences: int = 3
    depth: str = EIGHT.name
    preparation: str = SLICES
    shown: Sequence[int] = ()

    def __post_init__(self) -> None:
        if self.neighbours and isinstance(self.normalise, str) and self.normalise in TIED:
            raise ValueError("a slice that is scaled by itself has no neighbours")
        if isinstance(self.shown, list):  # as JSON has it
            object.__setattr__(self, "shown", tuple(self.shown))
        if self.shown and self.primary not in self.shown:
            raise ValueError("shown")

    @classmethod
    def of(
        cls, inputs: InputOptions, task: Task, tied: str = "", depth: str = EIGHT.name, shown: Sequence[int] = ()
    ) -> "InputRecipe":
        """Settle the recipe of a model.

        Args:
            inputs: what the user wants.
            task: whose sequences it sees.
            tied: the scaling that belongs to the model, which then decides; empty: there is none.
            depth: of the cohort's grey levels.
            shown: the channels of the sequences that are chosen with `inputs`; empty: all.

        Raises:
            UserError: ImageNet's three colours are asked for, but there are not three channels.
        """
        # A single sequence is in all three.
        primary, sequences = (1, 3) if len(task.sequences) == 1 else (task.primary_channel, len(task.sequences))
        scaling, neighbours = (tied, 0) if tied else (inputs.normalise, inputs.neighbours)
        preparation = SLICES if tied else inputs.preparation
        if standardises(preparation):
            scaling = STANDARDISED
        if scaling == "imagenet" and sequences != 3:
            raise UserError(f"`normalise=imagenet`: knows three channels, but {task.name} has {sequences} sequences")
        order = inputs.channel_order
        return cls(inputs.image_size, scaling, neighbours, order, primary, sequences, depth, preparation, tuple(shown))

    @cached_property
    def chain(self) -> Chain:
        """The chain: steps that the case of a cohort, or one that is predicted, goes through."""
        if self.normalise in TIED:
            return Chain(TIED[self.normalise](self))
        order, wanted = self._order, volume_steps(self.preparation)
        steps = [Window(self.depth), Channels(order), *_volume_part(wanted, self.image_size)]
        if not any(isinstance(step, Spline) for step in steps):
            # What standardises comes last; a preparation without splines is resized slice by slice before it.
            steps.insert(len(steps) - self.standardised, Resize(self.image_size))
        if self.neighbours:
            steps.append(Neighbours(self.neighbours, self.primary_place))
        return Chain(tuple(steps) if self.standardised else (*steps, Scale(self.normalise, self._measured(wanted))))

    def _measured(self, wanted: Amounts) -> tuple[int, ...]:
        """By the statistics of what each channel is scaled: of a sequence, or of a channel where these come first."""
        of = (*self._own, *[self.primary] * (2 * self.neighbours))
        return tuple(map(self._order.index, of)) if wanted and self.normalise in MEASURED else of

    @property
    def _order(self) -> tuple[int, ...]:
        return self._own if self.channel_order == RGB else self._own[::-1]

    @property
    def _own(self) -> tuple[int, ...]:
        """The channels of the slice itself that the model is shown."""
        return tuple(self.shown) or tuple(range(self.sequences))

    @property
    def primary_place(self) -> int:
        """Which channel of the input holds the primary sequence of the slice itself."""
        return 0 if self.normalise in TIED else self._order.index(self.primary)

    @property
    def standardised(self) -> bool:
        """Whether the chain scales the whole volume, and nothing is left for a training to scale."""
        return standardises(self.preparation)

    @property
    def whole(self) -> bool:
        """Whether a slice can be prepared only together with all others of its case."""
        return self.preparation != SLICES

    @property
    def channels(self) -> int:
        """Input channels of the model: the slice's own, then the primary sequence of the neighbours in order."""
        return self.chain.channels

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for a checkpoint or run.json; without what earlier versions left out, where it is as then."""
        said = {one.name: value for one in fields(self) if (value := getattr(self, one.name)) != one.default}
        return said | ({"shown": list(self.shown)} if self.shown else {})


STANDARDISED = "standardised"
"""What `normalise` is of a volume that is scaled as a whole."""

TIED: dict[str, Callable[[InputRecipe], tuple[Step, ...]]] = {
    "slice": lambda recipe: (Channels((recipe.primary,)), Stretch(), Resize(recipe.image_size), Scale("unit", (0,))),
}
"""Scalings that belong to a model: that of the fetal brain masking system."""


def buda_chain(channels: int) -> Chain:
    """Give the chain of the published U-Net `buda`; one of a single channel takes the middle of three.

    Buda, Saha, Mazurowski: Association of genomic subtypes of lower-grade gliomas with shape features automatically
    extracted by a deep learning algorithm. Comput Biol Med 109:218-225, 2019, doi:10.1016/j.compbiomed.2019.05.002.
    """
    order = (1,) if channels == 1 else tuple(range(channels))
    return Chain((Channels(order), Window(), *_volume_part(volume_steps("volume"), 256)))


def _volume_part(wanted: Amounts, size: int) -> list[Step]:
    """Make the steps of a whole volume, which come after its channels: what no model is shown decides nothing."""
    steps: list[Step] = [Trim(int(ends)) for ends in wanted.get("trim", ())]
    steps += [Crop(dark) for dark in wanted.get("crop", ())]
    steps += [Spline(size, int(degree)) for degree in wanted.get("spline", ())]
    if ends := wanted.get("standardise"):
        # A file says 10, not 10.0, as that of the published net always has.
        steps.append(Standardise(*(int(end) if end.is_integer() else end for end in ends)))
    return steps


def published_chain(name: str, channels: int) -> Chain:
    """Give the chain of a published protocol by the name that earlier versions wrote.

    Raises:
        UnknownStepError: this version does not know it.
    """
    if name != BUDA:
        raise UnknownStepError(str(name)[:100])
    return buda_chain(channels)


def chain_of(found: Any) -> Chain:
    """Make a chain of what model.json says: a list of steps, or, in earlier versions, the settings of a recipe.

    Raises:
        UnknownStepError: it has a step that this version does not know.
        ValueError: it is no chain; the message names the setting.
    """
    if isinstance(found, list):
        return Chain.from_dict(found)
    try:
        recipe = InputRecipe(**found)
    except TypeError as fault:
        raise ValueError("other settings than a recipe has") from fault
    if recipe.normalise not in (*MEASURED, *FIXED, *TIED) or recipe.channel_order not in (RGB, BGR):
        raise ValueError("normalise" if recipe.channel_order in (RGB, BGR) else "channel_order")
    if recipe.depth not in DEPTHS:
        raise ValueError("depth")
    if (wrong := BOUNDS(vars(recipe))) or max([recipe.primary, *recipe.shown]) >= recipe.sequences:
        raise ValueError(wrong or "primary")
    return Chain.from_dict(recipe.chain.to_dict())
