"""Sorted bars of Dice, one panel an entrant."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headtohead.readers.tasks import EARLIER_BASELINE as BASELINE
from headtohead.reporting.dice_bars import BAR, FAILED
from headtohead.reporting.dice_bars import write_dice_bars as write_bars
from headtohead.statistics.matrix import score_matrix


def made_up(entrants: dict[tuple[str, str, int | None], list[float]]) -> pd.DataFrame:
    """Give cases.csv of entrants (model, schedule, seed) and their Dice of case 0, 1, ..."""
    rows = [
        {"model": model, "schedule": schedule, "seed": seed, "case": f"TCGA_CS_{case}_20000101", "dice": score}
        for (model, schedule, seed), scores in entrants.items()
        for case, score in enumerate(scores)
    ]
    return pd.DataFrame(rows).assign(tp=0, fn=9)


def drawn_bars(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """Collect height and colour of each bar of the figure that is saved next, from the left, panel by panel."""
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    bars: list[tuple[float, str]] = []
    save = Figure.savefig

    def watch(figure: Figure, *args: object, **options: object) -> None:
        for panel in figure.axes:
            drawn = sorted((bar.get_x(), bar.get_height(), to_hex(bar.get_facecolor())) for bar in panel.containers[0])
            bars.extend((height, colour.upper()) for _, height, colour in drawn)
        save(figure, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", watch)
    return bars


def write_dice_bars(cases: pd.DataFrame, path: Path) -> None:
    write_bars(score_matrix(cases), path, {})


def drawn_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the texts of the figure that is saved next."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    texts: list[str] = []
    save = Figure.savefig

    def watch(figure: Figure, *args: object, **options: object) -> None:
        texts.extend(text.get_text() for text in figure.findobj(Text))
        save(figure, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", watch)
    return texts


def test_bars_are_sorted_and_failures_coloured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = drawn_bars(monkeypatch)
    path = tmp_path / "new" / "dice.png"
    write_dice_bars(made_up({("unet", "none", 0): [0.3, 0.9, 0.5, 0.75, 0.1]}), path)
    assert bars == [(0.9, BAR), (0.75, BAR), (0.5, BAR), (0.3, FAILED), (0.1, FAILED)]
    assert path.read_bytes().startswith(b"\x89PNG")


def test_numbers_are_those_of_the_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = drawn_texts(monkeypatch)
    write_dice_bars(made_up({("unet", "cosine", 0): [0.4, 0.8, 0.9]}), tmp_path / "dice.png")
    assert "unet cosine" in texts
    assert "3 cases, 1 below 0.5" in texts
    assert any(text.startswith("mean 0.70 [") for text in texts)
    assert "median 0.80" in texts  # three values have no interval of a median
    assert "0" in texts  # the failed case, under its short name


def test_seeds_are_averaged_within_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = drawn_texts(monkeypatch)
    cases = made_up({("unet", "none", 0): [0.2, 1.0], ("unet", "none", 1): [0.6, 0.8]})
    write_dice_bars(cases, tmp_path / "dice.png")
    assert "mean 0.65" in texts
    assert "2 cases, 1 below 0.5" in texts


def test_baseline_is_grey_and_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, bars = drawn_texts(monkeypatch), drawn_bars(monkeypatch)
    cases = made_up({(BASELINE, "-", None): [0.9, 0.2, 0.1], ("unet", "none", 0): [0.7, 0.8, 0.9]})
    write_dice_bars(cases, tmp_path / "dice.png")
    assert not {colour for _, colour in bars[3:]} & {BAR, FAILED}
    assert "2" not in texts  # case 2 of the baseline would be named 2; 0 and 1 are also on the axis
    assert texts.index("unet, no schedule") < texts.index(BASELINE)
    assert "3 cases, 2 below 0.5" in texts


def test_names_are_left_out_where_they_would_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = drawn_texts(monkeypatch)
    write_dice_bars(made_up({("unet", "none", 0): [0.4] * 300}), tmp_path / "dice.png")
    assert "300 cases, 300 below 0.5" in texts
    assert "299" not in texts
    write_dice_bars(made_up({("unet", "none", 0): [0.4] * 110}), tmp_path / "dice.png")
    assert "109" in texts


def test_nothing_overlaps_with_110_cases_and_5_entrants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    boxes: list[tuple[str, np.ndarray]] = []
    save = Figure.savefig

    def watch(figure: Figure, *args: object, **options: object) -> None:
        save(figure, *args, **options)  # type: ignore[arg-type]
        figure.draw_without_rendering()  # in its own resolution, not in the file's
        for text in figure.findobj(Text):
            if text.get_text().strip() and text.get_visible():
                boxes.append((text.get_text(), text.get_window_extent().extents))

    monkeypatch.setattr(Figure, "savefig", watch)
    rng = np.random.default_rng(0)
    entrants = {(f"net{place}", "restarting_warmup", 0): rng.beta(4, 1, 110).tolist() for place in range(4)}
    write_dice_bars(made_up({**entrants, (BASELINE, "-", None): rng.beta(1, 2, 110).tolist()}), tmp_path / "dice.png")
    assert len(boxes) > 30
    for place, (name, (left, low, right, high)) in enumerate(boxes):
        for other, (other_left, other_low, other_right, other_high) in boxes[:place]:
            apart = right <= other_left or other_right <= left or high <= other_low or other_high <= low
            assert apart, f"{name} on {other}"


def test_without_a_lesion_the_panel_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = drawn_texts(monkeypatch)
    write_dice_bars(made_up({("unet", "none", 0): [float("nan")]}).assign(fn=0), tmp_path / "dice.png")
    assert "0 cases, 0 below 0.5" in texts
    assert not [text for text in texts if text.startswith("mean ")]
