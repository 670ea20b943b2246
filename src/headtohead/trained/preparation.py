"""The inputs that a net gets of a volume, as in training, and its answers brought back onto the volume's grid."""

from typing import Protocol

import cv2
import numpy as np

from headtohead.batches.recipe import RGB, InputRecipe
from headtohead.errors import UserError
from headtohead.trained.facts import ModelFacts
from headtohead.trained.volume import Volume, in_bytes, three_sequences


class Prepared(Protocol):
    """The inputs of a volume, and the inverse for their answers."""

    @property
    def n(self) -> int:
        """How many inputs there are; not always one a slice."""
        ...

    def input(self, index: int) -> np.ndarray:
        """Give one input: float32 [C, S, S], scaled."""
        ...

    def restore(self, probability: np.ndarray) -> np.ndarray:
        """Bring the probability of all inputs, float32 [n, S, S], onto the volume's grid, float32 [slices, H, W]."""
        ...


def prepare(volume: Volume, facts: ModelFacts) -> Prepared:
    """Prepare a volume for a model.

    Args:
        volume: channels as `facts.task.sequences`; a single one stands for all where the model takes more.
        facts: of the model.

    Raises:
        UserError: the model was prepared for by a version of this program that knows more than this one.
    """
    if facts.preparation == "buda_volume":
        from headtohead.trained.foreign.buda_volume import BudaVolume  # SciPy, which our own recipe does without

        return BudaVolume(volume, facts.in_channels)
    refuse_unknown(facts)
    return RecipePrepared(volume, facts.input_recipe)


def refuse_unknown(facts: ModelFacts) -> None:
    """Refuse a model whose preparation is not known here.

    Raises:
        UserError: it was prepared for by a version of this program that knows more than this one.
    """
    if facts.preparation not in ("recipe", "buda_volume"):
        raise UserError(
            f"{facts.name}: it needs the preparation {facts.preparation}, which this version does not know; update "
            "the program"
        )


class RecipePrepared:
    """A volume under the input recipe of training.

    Its inputs are the numbers that `InputRecipe.view` and `scale` give, but what describes the whole volume is measured
    once, and each slice is resized once for itself and its neighbours.
    """

    def __init__(self, volume: Volume, recipe: InputRecipe) -> None:
        """Bring the volume to what a cohort holds: three sequences in 8 bits.

        The recipe that scales slice by slice takes the volume as it is.
        """
        if recipe.normalise != "slice":
            volume = three_sequences(in_bytes(volume))
        self.volume, self.recipe = volume, recipe
        statistics = recipe.channel_statistics(recipe.measure(volume))
        greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], len(statistics), axis=1)
        self._scaled = np.ascontiguousarray(recipe.scale(greys, statistics).T)
        self._fitted: dict[int, tuple[np.ndarray, ...]] = {}

    @property
    def n(self) -> int:
        """One input a slice."""
        return len(self.volume)

    def input(self, index: int) -> np.ndarray:
        """See `Prepared`."""
        own = self._planes(index)
        around = [self._planes(place)[self.recipe.primary] for place in self.recipe.around(index, self.n)]
        planes = (*(own if self.recipe.channel_order == RGB else own[::-1]), *around)
        # All 256 grey values were scaled once: looking them up is faster than scaling every pixel.
        return np.stack([cv2.LUT(plane, scaled) for plane, scaled in zip(planes, self._scaled, strict=True)])

    def restore(self, probability: np.ndarray) -> np.ndarray:
        """See `Prepared`."""
        height, width = self.volume.shape[1:3]
        whole = np.empty((len(probability), height, width), np.float32)
        for one, place in zip(probability, whole, strict=True):
            place[:] = self.recipe.back(one, height, width)
        return whole

    def _planes(self, place: int) -> tuple[np.ndarray, ...]:
        """Give the channels of one slice on the model's grid: uint8 [S, S] each."""
        if place not in self._fitted:
            alone = self.recipe.normalise == "slice"
            fitted = self.recipe.view(self.volume, place) if alone else self.recipe.fit(self.volume[place])
            self._fitted[place] = cv2.split(fitted)  # type: ignore[assignment]
        return self._fitted[place]
