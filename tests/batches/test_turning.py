"""The eight ways of a square: all different, equally likely, and the same again for the same slice."""

import numpy as np

from headtohead.batches.turning import WAYS, draw_turn, turn

SQUARE = np.arange(3 * 3, dtype=np.uint8).reshape(3, 3)


def test_the_ways_are_all_flips_and_quarter_turns_of_a_square() -> None:
    flips = {tuple(np.rot90(one, way).ravel()) for one in (SQUARE, SQUARE[:, ::-1]) for way in range(4)}
    assert {tuple(turn(SQUARE, way).ravel()) for way in range(WAYS)} == flips
    assert (turn(SQUARE, 0) == SQUARE).all()


def test_channels_move_together() -> None:
    stacked = np.dstack([SQUARE, 10 + SQUARE])
    for way in range(WAYS):
        turned = turn(stacked, way)
        assert (turned[..., 0] == turn(SQUARE, way)).all()
        assert (turned[..., 1] == 10 + turned[..., 0]).all()


def test_what_is_turned_is_a_copy() -> None:
    turned = turn(SQUARE, 0)
    turned[:] = 0
    assert SQUARE.any()


def test_each_way_is_drawn_as_often_as_the_four_historical_flips_draw_it() -> None:
    """Left-right, up-down, a quarter turn 0 to 3 times, transposition: each half of the time."""
    rng, seen = np.random.default_rng(0), dict.fromkeys((tuple(turn(SQUARE, way).ravel()) for way in range(WAYS)), 0)
    n = 8000
    for _ in range(n):
        square = SQUARE
        flips = (np.fliplr, np.flipud, lambda one: np.rot90(one, rng.integers(4)), np.transpose)
        for flip in flips:
            square = flip(square) if rng.random() < 0.5 else square
        seen[tuple(square.ravel())] += 1
    counts = np.bincount([draw_turn(0, number) for number in range(n)], minlength=WAYS)
    for found in (np.array(list(seen.values())), counts):
        assert np.abs(found / n - 1 / WAYS).max() < 0.02


def test_seed_and_slice_decide() -> None:
    ways = [[draw_turn(seed, number) for number in range(50)] for seed in (0, 0, 1)]
    assert ways[0] == ways[1] != ways[2]
