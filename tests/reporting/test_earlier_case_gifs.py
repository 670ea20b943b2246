"""GIFs of all cases after a later report: what still holds stays, what shows other masks goes, foreign files stay."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headtohead.options.table import Options
from headtohead.reporting import case_gifs, pictures
from headtohead.reporting import rewriting as module
from headtohead.reporting.case_gifs import remove_earlier_case_gifs
from headtohead.reporting.report import report
from headtohead.reporting.rewriting import write_reports

ReportOptions = Callable[..., Options]


def gifs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "figures" / "cases").glob("*.gif")}


def one_frame(scans: list[Any], title: str) -> Iterator[np.ndarray]:
    """In place of all slices: where the first entrant's mask is in the middle one."""
    mask = scans[0][1].prediction[0]
    yield np.repeat(mask[len(mask) // 2, :, :, None], 3, axis=-1).astype(np.uint8) * 255


def change_masks(folder: Path) -> None:
    """What a run that was trained again leaves: other masks of its cases."""
    first, second = (folder / f"unet-none-s{seed}-f0" / "masks.npz" for seed in (0, 1))
    assert first.read_bytes() != second.read_bytes()
    first.write_bytes(second.read_bytes())


@pytest.fixture
def drawn(copied: Path, report_options: ReportOptions, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A comparison all of whose cases scroll, and a GIF that somebody put beside them. Nothing else is drawn."""
    for name in ("write_dice_bars", "write_plate", "write_plate_gif", "write_failures", "write_case_gif"):
        monkeypatch.setattr(pictures, name, lambda *_: None)
    for name in ("write_curves", "write_report"):
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(case_gifs, "frames", one_frame)
    folder = report(report_options(copied, case_gifs="all"))
    assert len(gifs(folder)) == 12
    Image.new("L", (4, 4)).save(folder / "figures" / "cases" / "mine.gif", comment=b"mine")
    return folder


def test_the_same_masks_stay_whether_their_data_are_at_hand_or_not(
    drawn: Path, copied: Path, report_options: ReportOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    before = gifs(drawn)
    report(report_options(copied))
    assert gifs(drawn) == before
    (copied / "data").rename(copied / "elsewhere")
    for which in ("few", "all"):  # without the data they could not be drawn again
        report(report_options(copied, case_gifs=which))
        assert gifs(drawn) == before
    assert "earlier masks" not in capsys.readouterr().out


def test_other_masks_are_not_shown(
    drawn: Path, copied: Path, report_options: ReportOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    before = gifs(drawn)
    change_masks(drawn)
    report(report_options(copied))
    assert gifs(drawn) == {"mine.gif": before["mine.gif"]}
    cases = drawn / "figures" / "cases"
    line = f"{cases}: removed 12 GIFs of earlier masks; --case_gifs all draws them again"
    assert line in capsys.readouterr().out.splitlines()
    report(report_options(copied, case_gifs="all"))
    assert gifs(drawn).keys() == before.keys() and gifs(drawn) != before
    report(report_options(copied, case_gifs="none"))
    assert gifs(drawn) == {"mine.gif": before["mine.gif"]}


def test_a_case_that_is_drawn_no_longer_goes_too(drawn: Path, copied: Path, report_options: ReportOptions) -> None:
    path = next(iter((drawn / "figures" / "cases").glob("TCGA*.gif")))
    path.rename(path.with_name("renamed.gif"))
    change_masks(drawn)
    report(report_options(copied, case_gifs="all"))
    assert gifs(drawn).keys() >= {path.name, "mine.gif"} and "renamed.gif" not in gifs(drawn)


def test_none_is_left_where_no_entrant_is_whole(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for record in drawn.glob("*-f0/run.json"):
        record.write_text(record.read_text().replace('"finished"', '"failed"'))
    write_reports(drawn, None)
    assert gifs(drawn).keys() == {"mine.gif"}
    assert "12 GIFs of earlier masks" in capsys.readouterr().out


def test_what_is_no_gif_of_ours(tmp_path: Path) -> None:
    assert remove_earlier_case_gifs(tmp_path / "cases", ["a"], "") == 0
    (tmp_path / "cases").mkdir()
    for name in ("a.gif", "b.gif", "a.png"):
        (tmp_path / "cases" / name).write_bytes(b"GIF89a, or not")
    assert remove_earlier_case_gifs(tmp_path / "cases", ["a"], "0123") == 1, "it has the name of a case and no mark"
    assert {path.name for path in (tmp_path / "cases").iterdir()} == {"b.gif", "a.png"}
    for path in (tmp_path / "cases").iterdir():
        path.unlink()
    (tmp_path / "cases" / "a.gif").touch()
    remove_earlier_case_gifs(tmp_path / "cases", ["a"], "")
    assert not (tmp_path / "cases").exists()
