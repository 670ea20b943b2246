"""model.json: all that a program must know about a trained model besides its weights. Plain data; no PyTorch."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from headtohead.batches.recipe import InputRecipe
from headtohead.cohort.cohort import CHANNELS
from headtohead.errors import UserError
from headtohead.saving import write_json

FILE = "model.json"
FORMAT = 1
"""Raised whenever an older program would read the file wrongly."""


@dataclass(frozen=True)
class ModelFacts:
    """What a trained model is and expects.

    Attributes:
        name: by which a user finds it, such as `lgg_cv/buda-cosine-s0-f0`.
        model: a name of the registry.
        width: channels of its first level; 0: as published.
        in_channels: channels of its input.
        recipe: the `InputRecipe` as plain data; empty where `preparation` is another.
        preparation: how a volume becomes its input: `recipe`, or the name of a foreign protocol.
        sequences: what the channels of a case are, in order: `cohort.CHANNELS`, or `cohort.IMAGE`.
        plane: plane its slices were cut in: `axial`, or `acquired` (that of the scan).
        threshold: probability from which a pixel is lesion.
        postprocessing: steps that clean its masks, as `--postprocessing` takes them; empty: none.
        familiar: what its training cases looked like, as `predicting.trust.familiarity` measures it.
        scores: what is known of its quality: `val_dice`, and of the test `mean`, `low`, `high`, `median`, `n`.
        data: the data set: `key`, `cases`, `slices`, and its name; `parts`: the names of the cases that it was trained
            on (`train`) and chosen by (`val`), where they are known.
    """

    name: str
    model: str
    width: int
    in_channels: int
    recipe: dict[str, Any]
    preparation: str = "recipe"
    sequences: tuple[str, ...] = CHANNELS
    plane: str = "axial"
    threshold: float = 0.5
    postprocessing: str = ""
    familiar: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def input_recipe(self) -> InputRecipe:
        """The recipe that its input is prepared with."""
        return InputRecipe(**self.recipe)

    def write(self, folder: Path) -> None:
        """Write model.json into a folder."""
        write_json(folder / FILE, {"format": FORMAT, **asdict(self)})


def read_facts(folder: Path) -> ModelFacts:
    """Read model.json from a run folder or a bundle.

    Raises:
        UserError: there is none, or it is damaged or of a later version of this program.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.pop("format") != FORMAT:
            raise UserError(f"{path}: written by another version of this program; make the bundle again with this one")
        known = {one.name for one in fields(ModelFacts)}
        facts = ModelFacts(**{name: value for name, value in found.items() if name in known})
        if facts.preparation == "recipe":
            InputRecipe(**facts.recipe)
        return ModelFacts(**{**asdict(facts), "sequences": tuple(facts.sequences)})
    except FileNotFoundError:
        raise UserError(f"{folder}: no {FILE} in it, so no bundle; name a folder that --export bundle wrote") from None
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as fault:
        raise UserError(f"{path}: damaged; make the bundle again with --export bundle") from fault
