"""An interrupted `--predict` goes on, but takes over nothing that something has changed for since."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.claiming import hold
from headtohead.predicting.results.journal import FILE
from headtohead.predicting.results.written import Written
from tests.predicting.interrupted import FLAGS, NAMES, asked, contents
from tests.predicting.scans import INSIDE, Predict, drawn, files_in, head, summary_of

__all__ = ["asked"]  # a fixture


class TestWhatIsNotTakenOver:
    """Four files are done, then something changes."""

    @pytest.fixture(autouse=True)
    def _interrupted(self, asked: Any, tmp_path: Path) -> None:
        assert asked(*FLAGS, stop="site/e")[0] == 130
        assert {f"{name}_mask.nii" for name in "abc"} <= files_in(tmp_path / "out")
        asked(*FLAGS, stop="site/e")  # all before it are done now, whatever was still being written
        assert asked(*FLAGS, stop="site/e")[1] == ["site/e"]

    def test_a_changed_input(self, tmp_path: Path, asked: Any) -> None:
        head(tmp_path / "in/b.nii", ~INSIDE)
        assert asked(*FLAGS) == (0, ["b", "site/e"])
        assert float(summary_of(tmp_path / "out")["b"]["dice"]) < 0.1

    @pytest.mark.parametrize("flags", [[], ["again"]])
    def test_a_changed_truth(self, tmp_path: Path, asked: Any, flags: list[str]) -> None:
        if flags:
            drawn(tmp_path / "in/b_seg.nii", np.roll(INSIDE, 5, axis=0))
            os.utime(tmp_path / "in/b_seg.nii", ns=(1, 1))
        else:
            (tmp_path / "in/b_seg.nii").unlink()
        assert asked(*FLAGS) == (0, ["b", "site/e"])
        assert bool(summary_of(tmp_path / "out")["b"]["dice"]) == bool(flags)

    @pytest.mark.parametrize("end", ["mask", "brain", "probability"])
    def test_a_removed_result(self, tmp_path: Path, asked: Any, end: str) -> None:
        before = contents(tmp_path / "out")
        (tmp_path / f"out/c_{end}.nii").unlink()
        assert asked(*FLAGS) == (0, ["c", "site/e"])
        after = contents(tmp_path / "out")
        assert all(after[name] == content for name, content in before.items() if name.endswith(".nii"))

    @pytest.mark.parametrize("more", [(), ("--overwrite",)])
    def test_a_corrected_mask_is_somebodys(
        self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
    ) -> None:
        mine = drawn(tmp_path / "out/c_mask.nii", ~INSIDE).read_bytes()
        before = contents(tmp_path / "out")
        assert asked(*FLAGS, *more) == (2, [])
        assert "may be a ground truth, which is never overwritten; move it away, or" in capsys.readouterr().err
        assert contents(tmp_path / "out") == before
        (tmp_path / "out/c_mask.nii").rename(tmp_path / "mine.nii")
        assert asked(*FLAGS) == (0, ["c", "site/e"])
        assert (tmp_path / "mine.nii").read_bytes() == mine

    @pytest.mark.parametrize(
        ("flags", "said"),
        [
            ((*FLAGS, "--tta"), "without --tta"),
            ((*FLAGS, "--plane", "coronal"), "--plane auto"),
            (FLAGS[:1], "--outputs 0:_brain.nii"),
            ((*FLAGS, "--mask_suffix", "_probability_mask.nii"), "--mask_suffix _mask.nii"),
        ],
    )
    def test_other_options(
        self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
    ) -> None:
        before = contents(tmp_path / "out")
        assert asked(*flags) == (2, [])
        error = capsys.readouterr().err
        assert f"already exists, from an interrupted command ({said}); repeat that one to go on with it" in error
        assert contents(tmp_path / "out") == before
        assert asked(*FLAGS) == (0, ["site/e"])

    def test_other_models(
        self, tmp_path: Path, predict: Predict, brightness: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert predict(*FLAGS, predictor=brightness(threshold=0.4)) == 2
        assert "(--threshold 0.5); repeat" in capsys.readouterr().err
        assert predict(*FLAGS, predictor=brightness(name="other")) == 2
        assert "(model brightness); repeat" in capsys.readouterr().err

    def test_what_an_earlier_version_left(self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
        """Its lines had one row; what it called the weights cannot be compared."""
        path = tmp_path / "out" / FILE
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            line["by"] = "earlier"
            if "settings" in line:
                line["settings"]["weights"] = "counted otherwise"
            else:
                [line["row"]] = line.pop("rows")
                del line["row"]["target"]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        before = contents(tmp_path / "out")
        assert asked(*FLAGS) == (2, [])
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and error.endswith(
            "a_mask.nii: already exists, from an interrupted command (version older than this program); repeat that "
            "one to go on with it, choose another folder with --output, or add --overwrite\n"
        )
        assert contents(tmp_path / "out") == before
        assert asked(*FLAGS, "--overwrite") == (0, list(NAMES))
        assert FILE not in files_in(tmp_path / "out")

    def test_a_list_that_was_lost_is_made_good(self, tmp_path: Path, asked: Any) -> None:
        path = tmp_path / "out/predicted.sha256"
        path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "b_mask" not in line))
        assert asked(*FLAGS) == (0, ["site/e"])
        assert all(Written(tmp_path / "out").ours(tmp_path / f"out/{name}_mask.nii") for name in NAMES)

    def test_overwriting_begins_anew_and_goes_on_itself(self, tmp_path: Path, asked: Any) -> None:
        status, again = asked(*FLAGS, "--overwrite", stop="site/e")
        assert (status, again) == (130, list(NAMES))
        asked(*FLAGS, "--overwrite", stop="site/e")
        assert asked(*FLAGS, "--overwrite") == (0, ["site/e"])
        assert FILE not in files_in(tmp_path / "out")
        assert asked(*FLAGS, "--overwrite") == (0, list(NAMES))

    def test_another_command_with_other_results_leaves_the_journal(self, tmp_path: Path, asked: Any) -> None:
        flags = ("--mask_suffix", "_other.nii")
        assert asked(*flags, stop="b")[0] == 130
        assert asked(*flags)[0] == 0
        assert asked(*FLAGS) == (0, ["site/e"])
        assert FILE not in files_in(tmp_path / "out")

    def test_one_command_at_a_time(self, tmp_path: Path, asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
        before = contents(tmp_path / "out")
        handle = hold(tmp_path / "out" / FILE, make=False)
        assert asked(*FLAGS, "--overwrite") == (2, [])
        error = capsys.readouterr().err
        assert f"error: --output {tmp_path / 'out'}: another --predict is writing there; wait until" in error
        assert len(error.splitlines()) == 1 and contents(tmp_path / "out") == before
        os.close(handle)
        assert asked(*FLAGS) == (0, ["site/e"])
