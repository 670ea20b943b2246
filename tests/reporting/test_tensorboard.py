"""What TensorBoard is given beside the curves: the table of settings and scores, curves of the test, a layout."""

import re
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.util import tensor_util

from headtohead.options.table import Options, flat, replace
from headtohead.reporting.tensorboard import (
    SHOWN_SETTINGS,
    RunLogger,
    write_hparams,
    write_layout,
    write_pr_curves,
)
from headtohead.scoring.probabilities import probability_histogram
from tests.several_targets import NESTED


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"images": 0}).Reload()


def test_logger_leaves_events_in_the_run_folder_and_nothing_else(tmp_path: Path) -> None:
    logger = RunLogger(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    logger.log_metrics({"dice/val": 0.5}, step=3)
    logger.save()
    logger.finalize("success")
    names = [path.name for path in (tmp_path / "run").iterdir()]
    assert len(names) == 1 and names[0].startswith("events.out.tfevents.")
    event = read(tmp_path / "run").Scalars("dice/val")[0]
    assert (event.step, event.value) == (3, 0.5)


def test_hparams_hold_what_tells_runs_apart_and_the_test_score(tmp_path: Path) -> None:
    settings = flat(replace(Options(), model="resnext", lr_scheduler="cosine", root_dir="elsewhere"))
    write_hparams(tmp_path, settings, 0.75)
    events = read(tmp_path)
    assert events.Scalars("hparams/test_dice")[0].value == 0.75
    content = events.PluginTagToContent("hparams")
    session = content["_hparams_/session_start_info"]
    assert all(name.encode() in session for name in SHOWN_SETTINGS)
    assert {"model", "lr_scheduler", "seed"} <= set(SHOWN_SETTINGS)
    assert b"resnext" in session and b"cosine" in session
    assert b"elsewhere" not in session
    assert b"hparams/test_dice" in content["_hparams_/experiment"]


def test_an_undefined_score_is_written_too(tmp_path: Path) -> None:
    write_hparams(tmp_path, flat(Options()), float("nan"))
    assert np.isnan(read(tmp_path).Scalars("hparams/test_dice")[0].value)


def test_precision_recall_curve_is_that_of_the_voxels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((4, 30, 30)) < 0.2
    probability = np.clip(rng.normal(0.3 + 0.4 * truth, 0.2), 0, 1)
    write_pr_curves(tmp_path, {"lesion": probability_histogram(probability, truth)})
    (event,) = read(tmp_path).Tensors("test")
    tp, fp, tn, fn, precision, recall = tensor_util.make_ndarray(event.tensor_proto)
    assert len(tp) == 127
    # The first threshold is 0, the middle one of 127 is .5, and TensorBoard takes them as evenly spaced.
    for place, threshold in ((0, 0.0), (63, 0.5)):
        called = probability >= threshold
        counts = [(called & truth).sum(), (called & ~truth).sum(), (~called & ~truth).sum(), (~called & truth).sum()]
        assert [tp[place], fp[place], tn[place], fn[place]] == counts
        assert precision[place] == pytest.approx(counts[0] / called.sum())
        assert recall[place] == pytest.approx(counts[0] / truth.sum())
    assert (np.diff(recall) <= 0).all() and recall[0] == 1 and recall[-1] < 0.2


def test_precision_recall_curve_without_a_lesion(tmp_path: Path) -> None:
    write_pr_curves(tmp_path, {"lesion": probability_histogram(np.zeros((2, 2)), np.zeros((2, 2), bool))})
    (event,) = read(tmp_path).Tensors("test")
    assert np.isfinite(tensor_util.make_ndarray(event.tensor_proto)).all()


def test_layout_is_replaced_not_added_to(tmp_path: Path) -> None:
    keep = tmp_path / "events.out.tfevents.1.of.another"
    keep.write_bytes(b"")
    write_layout(tmp_path, ["lesion"])
    write_layout(tmp_path, ["lesion"])
    (layout,) = tmp_path.glob("*.layout")
    assert {path.name for path in tmp_path.iterdir()} == {keep.name, layout.name}
    keep.unlink()
    events = read(tmp_path)
    assert events.Tags()["tensors"] == ["custom_scalars__config__"]
    (event,) = events.Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(tensor_util.make_ndarray(event.tensor_proto).item())
    charts = {chart.title: list(chart.multiline.tag) for chart in layout.category[0].chart}
    assert charts == {"validation": ["dice/val"], "training": ["dice/train"]}, "tags that every run logs"


def test_each_of_several_targets_has_a_chart_of_its_own(tmp_path: Path) -> None:
    write_layout(tmp_path, NESTED.names)
    (event,) = read(tmp_path).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(tensor_util.make_ndarray(event.tensor_proto).item())
    charts = {chart.title: chart.multiline.tag[0] for category in layout.category for chart in category.chart}
    tags = ["dice/train", "dice/val", *(f"dice/val/{name}" for name in NESTED.names)]
    shown = {title: [tag for tag in tags if re.match(pattern, tag)] for title, pattern in charts.items()}
    assert shown == {
        "validation": ["dice/val"],
        "training": ["dice/train"],
        "whole tumour": ["dice/val/whole tumour"],
        "core": ["dice/val/core"],
    }


def test_a_second_test_replaces_curve_and_score_and_touches_no_other_events(tmp_path: Path) -> None:
    other = tmp_path / "events.out.tfevents.1.training.0"
    other.write_bytes(b"")
    masks = np.zeros((2, 2), bool)
    for score in (0.25, 0.75):
        write_hparams(tmp_path, flat(Options()), score)
        write_pr_curves(tmp_path, {"lesion": probability_histogram(masks + score, masks)})
    ends = sorted(path.suffix for path in tmp_path.iterdir())
    assert ends == [".0", ".hparams", ".pr"]
    other.unlink()
    assert [event.value for event in read(tmp_path).Scalars("hparams/test_dice")] == [0.75]
