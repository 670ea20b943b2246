"""`--image_path`, from the file to the three files beside each other."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import headtohead
from headtohead.batches.datamodule import SliceDataset
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.learning.counts import to_source_grid
from headtohead.options.table import Options, from_flat, replace
from headtohead.predicting.image import predict_image
from headtohead.preparing.steps.scale import scaled
from headtohead.runs.folder import RunFolder
from headtohead.scoring.counts import count, dice
from tests.predicting.scans import listed
from tests.trained_nets import load_trained

MakeRun = Callable[..., RunFolder]
OUTPUTS = ("mask", "probability", "panel")
HEAVY = ("pytorch_lightning", "lightning", "albumentations", "matplotlib", "pandas", "torchvision", "torchmetrics")
HEAVIER = ("torch", "scipy", "nibabel", *HEAVY)


def options(folder: Path, image: Path, **changes: Any) -> Options:
    """Options of `--image_path image` with the runs of a test's folder."""
    return from_flat({"image_path": str(image), "runs_dir": str(folder / "runs"), "gpus": "cpu", **changes})


def written(folder: Path, stem: str) -> dict[str, np.ndarray]:
    """Read the three files."""
    read = {kind: cv2.imread(str(folder / f"{stem}_{kind}.png"), cv2.IMREAD_UNCHANGED) for kind in OUTPUTS}
    assert all(pixels is not None for pixels in read.values())
    return read


def lone_image(folder: Path, pixels: np.ndarray, name: str = "lone.png") -> Path:
    """Write an image into a folder of its own."""
    path = folder / "images" / name
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


NOISE = np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)


@pytest.mark.parametrize(("normalise", "neighbours"), [("inner", 1), ("zscore", 2), ("imagenet", 0)])
def test_same_as_in_the_test_of_the_run(
    make_run: MakeRun,
    tmp_path: Path,
    phantom_cohort: Cohort,
    normalise: str,
    neighbours: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # No flips, the same channel order, the same statistics and neighbours as the scores were made with.
    run = make_run(root=phantom_cohort.root, normalise=normalise, neighbours=neighbours)
    case = 2
    index = int(phantom_cohort.masks(case).sum(axis=(1, 2)).argmax())
    trained = load_trained(run.best)
    item = SliceDataset(phantom_cohort, trained.recipe)[(0, int(phantom_cohort.slices_of(case)[index]))]
    inputs = torch.from_numpy(scaled(item["image"], item["statistics"])).permute(2, 0, 1)
    with torch.inference_mode():
        logits = trained.model(inputs[None])
    expected = to_source_grid(logits.sigmoid(), *item["truth"].shape)[0, 0].numpy()

    name = phantom_cohort.table["case"].iloc[case]
    image = phantom_cohort.root / name / f"{name}_{index + 1}.tif"
    folder = predict_image(options(tmp_path, image, threshold=float(np.quantile(expected, 0.8))))
    assert folder == run.figures
    files = written(folder, image.stem)
    assert files["probability"].dtype == np.uint16
    np.testing.assert_allclose(files["probability"] / 65535, expected, atol=1e-3)
    assert set(np.unique(files["mask"])) <= {0, 255}
    assert files["mask"].any() and not files["mask"].all()
    score = dice(*count(files["mask"] > 0, item["truth"] > 0))
    assert f"Dice of this slice {score:.3f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pixels", "name"),
    [
        (NOISE, "portrait.tif"),
        (NOISE.transpose(1, 0, 2), "landscape.jpg"),
        (NOISE[:, :, 0], "grey.png"),
        (NOISE.astype(np.uint16) * 200, "deep.tif"),
        (NOISE[:1, :1], "pixel.png"),
        (NOISE[:1], "line.png"),
        (np.zeros((33, 21), np.uint8), "black.png"),
        (np.repeat(np.repeat(NOISE, 30, axis=0), 20, axis=1), "large.jpg"),
    ],
)
def test_any_image_on_its_own_grid(make_run: MakeRun, tmp_path: Path, pixels: np.ndarray, name: str) -> None:
    make_run()
    image = lone_image(tmp_path, pixels, name)
    files = written(predict_image(options(tmp_path, image, output=str(tmp_path / "out"))), image.stem)
    assert files["mask"].shape == files["probability"].shape == pixels.shape[:2]
    assert files["mask"].dtype == np.uint8


def test_truth_and_dice_only_where_a_mask_is(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run()
    image = lone_image(tmp_path, NOISE)
    predict_image(options(tmp_path, image))
    said = capsys.readouterr().out
    assert "Dice of this slice" not in said
    assert "a single image" in said
    assert "single/buda-none-s0-f0 (trained elsewhere; the only trained run)" in said
    cv2.imwrite(str(image.with_name("lone_mask.png")), np.full(NOISE.shape[:2], 255, np.uint8))
    predict_image(options(tmp_path, image, overwrite=True))
    assert "Dice of this slice" in capsys.readouterr().out
    cv2.imwrite(str(image.with_name("lone_mask.png")), np.zeros(NOISE.shape[:2], np.uint8))
    predict_image(options(tmp_path, image, overwrite=True, threshold=1e-6))
    assert "no lesion in the truth: false alarm" in capsys.readouterr().out


def test_threshold_of_the_model_unless_another_is_asked_for(make_run: MakeRun, tmp_path: Path) -> None:
    make_run(threshold=0.3)
    image = lone_image(tmp_path, NOISE)
    for wanted, used in ((0.0, 0.3), (0.5, 0.5), (0.6, 0.6)):
        folder = predict_image(options(tmp_path, image, threshold=wanted, overwrite=True))
        files = written(folder, "lone")
        probability = files["probability"] / 65535
        sure = np.abs(probability - used) > 1e-4
        assert np.array_equal((files["mask"] > 0)[sure], (probability >= used)[sure])


def test_says_whether_the_model_has_seen_the_slice(
    make_run: MakeRun, tmp_path: Path, phantom_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(root=phantom_root)
    image = sorted(phantom_root.glob("*/*_1.tif"))[0]
    with run.split.open("w", newline="") as file:
        csv.writer(file).writerows([("case", "slice", "part"), (image.parent.name, 1, "train")])
    predict_image(options(tmp_path, image))
    assert "a slice that the model was trained on" in capsys.readouterr().out


def test_nothing_is_overwritten_unless_asked(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    image = lone_image(tmp_path, NOISE)
    run.figures.mkdir()
    panel = run.figures / "lone_panel.png"
    panel.write_text("mine")
    with pytest.raises(UserError, match=r"lone_panel\.png: already exists; .*`output`.*`overwrite`"):
        predict_image(options(tmp_path, image))
    assert [path.name for path in run.figures.iterdir()] == ["lone_panel.png"]
    assert panel.read_text() == "mine"
    predict_image(options(tmp_path, image, overwrite=True))
    assert len(list(run.figures.iterdir())) == 3
    written(run.figures, "lone")


def test_all_or_none(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    image = lone_image(tmp_path, NOISE)
    really = cv2.imencode
    monkeypatch.setattr(
        cv2,
        "imencode",
        lambda end, pixels, how: really(end, pixels, how) if len(pixels) == len(NOISE) else (False, None),
    )
    with pytest.raises(UserError, match="cannot be written"):
        predict_image(options(tmp_path, image))
    assert list(run.figures.iterdir()) == []


def test_predicted_mask_never_lies_where_the_truth_is_looked_for(make_run: MakeRun, tmp_path: Path) -> None:
    make_run()
    image = lone_image(tmp_path, NOISE)
    with pytest.raises(UserError, match="would be taken for its truth"):
        predict_image(options(tmp_path, image, output=str(image.parent), overwrite=True))
    assert [path.name for path in image.parent.iterdir()] == ["lone.png"]
    assert image.parent.name == "images"
    masks = tmp_path / "masks"
    masks.mkdir()
    with pytest.raises(UserError, match="masks: the folder of its masks, where"):
        predict_image(options(tmp_path, image, output=str(masks), overwrite=True))
    lone_image(masks, NOISE).rename(masks / "lone.png")
    with pytest.raises(UserError, match=r"a mask; name its image, lone\.png"):
        predict_image(options(tmp_path, masks / "lone.png"))


def test_a_folder_with_the_name_of_an_output_stays(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    (run.figures / "lone_probability.png" / "kept").mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot be written to .*directory"):
        predict_image(options(tmp_path, lone_image(tmp_path, NOISE), overwrite=True))
    assert [path.name for path in run.figures.rglob("*")] == ["lone_probability.png", "kept"]


def test_output_that_is_a_file(make_run: MakeRun, tmp_path: Path) -> None:
    make_run()
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match="out: cannot be written to"):
        predict_image(options(tmp_path, lone_image(tmp_path, NOISE), output=str(tmp_path / "out")))


def test_bad_image_is_told_before_a_missing_model(tmp_path: Path) -> None:
    (tmp_path / "x.txt").touch()
    with pytest.raises(UserError, match=r"x\.txt: not an image"):
        predict_image(options(tmp_path, tmp_path / "x.txt"))
    with pytest.raises(UserError, match="no trained model in"):
        predict_image(options(tmp_path, lone_image(tmp_path, NOISE), comparison="mine"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["x_seg.nii.gz", "sub-01_dseg.nii"])
def test_a_mask_is_refused_by_the_option_that_names_it(make_run: MakeRun, tmp_path: Path, name: str) -> None:
    make_run()
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=f"^`image_path` {tmp_path / name}: named as a mask"):
        predict_image(options(tmp_path, tmp_path / name))


@pytest.mark.parametrize(("onnx", "unwanted"), [(False, HEAVY), (True, HEAVIER)])
def test_light_imports(make_run: MakeRun, tmp_path: Path, onnx: bool, unwanted: tuple[str, ...]) -> None:
    make_run(onnx=onnx)
    image = lone_image(tmp_path, NOISE)
    code = (
        "import sys; from headtohead.cli import main; "
        f"status = main(['--image_path', {str(image)!r}, '--runs_dir', {str(tmp_path / 'runs')!r}, '--gpus', 'cpu']); "
        f"print('imported:', *[name for name in {unwanted!r} if name in sys.modules]); sys.exit(status)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(headtohead.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == [
        f"results: {tmp_path / 'runs/single/buda-none-s0-f0/figures'}",
        "imported:",
    ]


def test_clean_up_of_a_slice_only_where_it_is_asked_for(make_run: MakeRun, tmp_path: Path) -> None:
    make_run()
    image = lone_image(tmp_path, NOISE)
    probability = written(predict_image(options(tmp_path, image)), "lone")["probability"] / 65535
    found = {}
    for steps in ("", "largest,dilate=1px"):
        wanted = options(tmp_path, image, threshold=float(np.quantile(probability, 0.8)), postprocessing=steps)
        wanted = replace(wanted, output=str(tmp_path / (steps or "plain")))
        found[steps] = written(predict_image(wanted), "lone")["mask"]
    plain, cleaned = found.values()
    assert not np.array_equal(plain, cleaned)
    assert cv2.connectedComponents((cleaned > 0).astype(np.uint8), connectivity=8)[0] <= 2


def test_several_models_are_averaged(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("a")
    make_run("b", seed=1)
    image, found = lone_image(tmp_path, NOISE), {}
    for name in ("a", "b", "a,b"):
        folder = predict_image(options(tmp_path, image, run_name=name, output=str(tmp_path / name)))
        found[name] = written(folder, "lone")["probability"] / 65535
    np.testing.assert_allclose(found["a,b"], (found["a"] + found["b"]) / 2, atol=1e-3)
    assert np.abs(found["a"] - found["b"]).max() > 0.01
    assert "model single/b (trained elsewhere; named by --run_name)" in capsys.readouterr().out
    predict_image(options(tmp_path, image, run_name="a,b"))
    assert (tmp_path / "runs" / "predictions" / "lone_mask.png").is_file()


def test_an_earlier_prediction_is_no_truth(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run()
    image = lone_image(tmp_path, NOISE)
    mask = image.with_name("lone_mask.png")
    cv2.imwrite(str(mask), np.full(NOISE.shape[:2], 255, np.uint8))
    listed(tmp_path, mask)
    predict_image(options(tmp_path, image))
    assert "Dice" not in capsys.readouterr().out
    with pytest.raises(UserError, match="`channels` t1=0"):
        predict_image(options(tmp_path, image, channels="t1=0", overwrite=True))
