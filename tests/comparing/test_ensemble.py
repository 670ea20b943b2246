"""The seeds of a model averaged: two seeds of a net of two channels, one epoch each."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from headtohead.cohort import Cohort
from headtohead.comparing import ensemble
from headtohead.comparing.experiment import open_experiment
from headtohead.comparing.grid import compare, experiments_of
from headtohead.comparing.trainer import build_trainer
from headtohead.learning.averaging import SMALLEST, AveragedNets
from headtohead.options.table import Options
from headtohead.runs.finding import trained_runs
from headtohead.runs.folder import RunFolder
from headtohead.runs.reading import read_ledger
from headtohead.scoring.prediction_files import read_mask
from headtohead.task.targets import CLASSES, REGIONS
from tests.trained_nets import load_trained

NAME = "buda-none-ensemble-f0"
GRID = {"comparison": "seeds", "seeds": (0, 1)}


def always(logit: float) -> dict[str, torch.Tensor]:
    """Weights of `net` that say one logit of every pixel."""
    return {"weight": torch.zeros(1, 1, 1, 1), "bias": torch.tensor([logit])}


@pytest.fixture
def net() -> nn.Module:
    return nn.Conv2d(1, 1, kernel_size=1)


def test_probabilities_are_averaged_not_logits(net: nn.Module):
    weights = [always(float(np.log(p / (1 - p)))) for p in (0.1, 0.8)]
    found = AveragedNets(net, weights, REGIONS)(torch.zeros(2, 1, 4, 4)).sigmoid().detach()
    assert found.shape == (2, 1, 4, 4)
    assert found.numpy() == pytest.approx(0.45, abs=1e-5)


def test_certain_probabilities_stay_finite(net: nn.Module):
    assert torch.isfinite(AveragedNets(net, [always(200.0)] * 2, REGIONS)(torch.zeros(1, 1, 2, 2))).all()


def test_of_classes_the_softmax_is_averaged():
    net, logits = nn.Conv2d(1, 3, kernel_size=1), torch.tensor([[0.0, 1.0, -2.0], [3.0, 0.0, 200.0]])
    weights = [{"weight": torch.zeros(3, 1, 1, 1), "bias": row} for row in logits]
    found = AveragedNets(net, weights, CLASSES)(torch.zeros(1, 1, 2, 2)).softmax(dim=1).detach()
    expected = logits.softmax(dim=1).mean(dim=0)
    assert found[0, :, 0, 0].numpy() == pytest.approx(expected.numpy(), abs=1e-5)
    assert torch.isfinite(AveragedNets(net, weights[1:], CLASSES)(torch.zeros(1, 1, 2, 2))).all()


def test_autocast_keeps_no_weights_of_the_seed_before(net: nn.Module):
    """Its cache would let every seed but the first predict with the weights of the first."""
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        found = AveragedNets(net, [always(-4.0), always(4.0)], REGIONS)(torch.zeros(1, 1, 2, 2))
    assert found.numpy() == pytest.approx(0, abs=1e-3)


def test_members_predict_as_they_do_alone_and_one_net_is_held_for_all(compared: Path, wanted: Options):
    """More seeds than one take no more memory: their weights lie on disk until they are used."""
    one = open_experiment(experiments_of(wanted)[0])
    paths = [RunFolder(compared / f"buda-none-s{seed}-f0").best for seed in (0, 1)]
    alone = [load_trained(path).model for path in paths]
    module, _ = build_trainer(one, fitting=False)
    averaged = AveragedNets(module.model, [ensemble._weights(path) for path in paths], REGIONS).eval()
    assert len(list(averaged.parameters())) == len(list(alone[0].parameters()))
    image = torch.rand(2, one.recipe.channels, 32, 32)
    with torch.inference_mode():
        mean = torch.stack([net(image).float().sigmoid() for net in alone]).mean(dim=0)
        assert torch.equal(averaged(image), torch.logit(mean, eps=SMALLEST))


def test_an_ensemble_is_an_entrant_with_a_run_folder_that_names_its_members(compared: Path, phantom_cohort: Cohort):
    record = RunFolder(compared / NAME).record()
    assert record["status"] == "finished"
    assert set(record["members"]) == {"buda-none-s0-f0", "buda-none-s1-f0"}
    assert record["experiment"]["schedule"] == "none, ensemble of 2 seeds"
    own, member = (pd.read_csv(compared / name / "cases.csv") for name in (NAME, "buda-none-s0-f0"))
    assert list(own["case"]) == list(member["case"])
    case = str(own["case"][0])
    about = phantom_cohort.table.set_index("case").loc[case]
    mask = read_mask(compared / NAME / "masks.npz", case, tuple(about[["slices", "height", "width"]]))
    assert mask.sum() == own["tp"][0] + own["fp"][0]
    assert "none, ensemble of 2 seeds" in (compared / "results.md").read_text().replace("no schedule", "none")
    assert "buda none, ensemble of 2 seeds" in set(pd.read_csv(compared / "results.csv")["entrant"])
    page = (compared / "report.html").read_text()
    assert "no schedule, ensemble of 2 seeds" in page


def test_it_is_no_trained_model(compared: Path):
    runs = trained_runs(compared.parent, compared.name)
    assert {run.path.name for run in runs} == {"buda-none-s0-f0", "buda-none-s1-f0"}


def test_it_is_kept_until_a_member_changes(copied_grid: Options, monkeypatch: pytest.MonkeyPatch):
    scored = []
    monkeypatch.setattr(ensemble, "_score", lambda experiment, members, folder: scored.append(len(members)) or {})
    compare(copied_grid)
    assert not scored
    member = RunFolder(Path(copied_grid.comparison.runs_dir) / "seeds" / "buda-none-s1-f0")
    member.note(ended="2026-01-01T00:00:00+00:00")
    compare(copied_grid)
    assert scored == [2]


def test_one_that_cannot_be_scored_is_an_error_after_the_report(copied_grid: Options):
    folder = Path(copied_grid.comparison.runs_dir) / "seeds"
    RunFolder(folder / "buda-none-s1-f0").note(ended="later")
    RunFolder(folder / "buda-none-s1-f0").best.write_bytes(b"broken")
    with pytest.raises(Exception, match=r"the seeds were not averaged: buda-none-ensemble-f0: .*best\.ckpt"):
        compare(copied_grid)
    assert [run.name for run in read_ledger(folder).failed] == [NAME]


def test_members_that_another_command_trains_again_are_left_to_it(
    copied_grid: Options, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    folder = copied_grid.comparison.home
    averaged = ensemble._score
    RunFolder(folder / NAME).note(members={})  # it is to be averaged again

    def overtaken(*given: Any) -> Any:
        RunFolder(folder / "buda-none-s1-f0").best.unlink()
        return averaged(*given)

    monkeypatch.setattr(ensemble, "_score", overtaken)
    compare(copied_grid)
    assert f"{NAME}: left to the command that trains buda-none-s1-f0 again" in capsys.readouterr().out
