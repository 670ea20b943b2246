"""A chain is plain data, does the same at once and slice by slice, and its inverse leads back onto the case's grid."""

import json
from typing import Any

import numpy as np
import pytest

from headtohead.preparing.chain import STEPS, Chain, Prepared, UnknownStepError
from headtohead.preparing.recipe import InputRecipe, buda_chain, chain_of
from headtohead.preparing.step import SliceStep
from headtohead.task import Case, Grid

CHAINS = {
    "ours": InputRecipe(32, "inner", 1).chain,
    "reversed": InputRecipe(48, "zscore", 2, "bgr").chain,
    "colours": InputRecipe(32, "imagenet", 0).chain,
    "four sequences": InputRecipe(32, "unit", 1, "rgb", 3, 4).chain,
    "16 bits": InputRecipe(32, "inner", 1, depth="uint16").chain,
    "fetal": InputRecipe(64, "slice", 0).chain,
    "buda": buda_chain(3),
    "buda of one channel": buda_chain(1),
}


def head(sequences: int) -> np.ndarray:
    """A bright disc with texture in dark slices: float32 [6, 40, 30, sequences]."""
    rows, columns = np.mgrid[-1:1:40j, -1:1:30j]
    disc = (rows**2 + columns**2 < 0.6) * np.random.default_rng(0).uniform(200, 900, (6, 40, 30))
    return np.stack([disc * (1 + channel) for channel in range(sequences)], axis=-1).astype(np.float32)


@pytest.mark.parametrize("name", CHAINS)
def test_it_is_plain_data(name: str) -> None:
    chain = CHAINS[name]
    assert Chain.from_dict(json.loads(json.dumps(chain.to_dict()))) == chain
    assert chain_of(chain.to_dict()) == chain


@pytest.mark.parametrize("name", CHAINS)
def test_at_once_and_slice_by_slice_it_does_the_same(name: str) -> None:
    """`prepare` makes an input when it is asked for, `apply` all of them; the inverses agree as well."""
    chain = CHAINS[name]
    volume = head(4 if name == "four sequences" else 3)
    prepared = Prepared(chain, volume)
    case, undo = chain.apply(Case("a", volume, Grid(volume.shape[:3])))
    assert case.images.shape == (prepared.n, chain.size, chain.size, chain.channels)
    for index in range(prepared.n):
        np.testing.assert_allclose(prepared.input(index), np.moveaxis(case.images[index], -1, 0), atol=1e-5)
    answers = np.random.default_rng(1).random((prepared.n, chain.size, chain.size)).astype(np.float32)
    values = undo(answers)
    assert values.shape == volume.shape[:3]
    np.testing.assert_array_equal(prepared.restore(answers), values)


@pytest.mark.parametrize("name", CHAINS)
def test_only_what_needs_the_whole_case_cannot_be_had_slice_by_slice(name: str) -> None:
    assert CHAINS[name].slicewise == (not name.startswith("buda"))
    assert CHAINS[name].takes_levels == (name not in ("fetal", "buda", "buda of one channel"))


def test_an_input_is_made_without_the_slices_far_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One image of a case of many is predicted by itself, and each slice of a volume is resized once."""
    resized: list[Any] = []
    fit = STEPS["resize"].fit  # type: ignore[attr-defined]

    def counting(step: Any, image: np.ndarray) -> np.ndarray:
        resized.append(image.shape)
        return fit(step, image)

    monkeypatch.setattr(STEPS["resize"], "fit", counting)
    prepared = Prepared(CHAINS["ours"], head(3))
    assert not resized
    prepared.input(3)
    assert len(resized) == 3
    for index in range(prepared.n):
        prepared.input(index)
    assert len(resized) == prepared.n


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (None, "not a list"),
        ([], "not a list"),
        ({"step": "resize"}, "not a list"),
        ([7], "a step has no name"),
        ([{"size": 32}], "a step has no name"),
        ([{"step": "resize", "size": 32}], "needs channels and one size"),
        ([{"step": "channels", "order": [0]}], "needs channels and one size"),
        ([{"step": "channels", "order": []}, {"step": "resize", "size": 32}], "channels: order"),
        ([{"step": "channels", "order": [-1]}, {"step": "resize", "size": 32}], "channels: order"),
        ([{"step": "channels", "order": [0.5]}, {"step": "resize", "size": 32}], "channels: order"),
        ([{"step": "channels", "order": "012"}, {"step": "resize", "size": 32}], "channels: order"),
        ([{"step": "channels", "order": [0]}, {"step": "resize"}], "resize: size"),
        ([{"step": "channels", "order": [0]}, {"step": "resize", "size": 10**9}], "resize: size"),
        ([{"step": "channels", "order": [0], "whites": [1]}, {"step": "resize", "size": 32}], "channels: other"),
        ([{"step": "scale", "by": "evil", "of": [0]}], "scale: by"),
        ([{"step": "scale", "by": ["inner"], "of": [0]}], "scale: by"),
        ([{"step": "scale", "by": "inner", "of": [0], "statistics": [[0, 0]]}], "scale: other settings"),
        ([{"step": "spline", "size": 32, "degree": 9}], "spline: degree"),
        ([{"step": "crop", "dark": float("nan")}], "crop: dark"),
        ([{"step": "crop", "dark": True}], "crop: dark"),
        ([{"step": "resize", "size": 32}] * 99, "not a list"),
    ],
)
def test_what_is_no_chain_is_refused(found: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Chain.from_dict(found)


def test_a_step_of_another_version_is_named() -> None:
    with pytest.raises(UnknownStepError, match=r"^dream$"):
        Chain.from_dict([{"step": "dream"}])


def test_every_step_of_a_file_can_be_read_back() -> None:
    """So a new step cannot be saved that is then refused."""
    used = {step.kind for chain in CHAINS.values() for step in chain.steps}
    assert used == STEPS.keys()
    assert all(issubclass(step, SliceStep) or "apply" in vars(step) for step in STEPS.values())
