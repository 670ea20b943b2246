"""The page as a program sees it: uploads in, masks out, over real connections."""

import gzip
import io
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.options.files import FileOptions
from headtohead.predicting.files.finding import find_jobs
from headtohead.predicting.files.scans import read_scan
from headtohead.predicting.predict import predict
from headtohead.predicting.predictor import Predictor
from headtohead.predicting.results.summary import rows_of
from headtohead.serving.limits import Limits

AFFINE = np.diag([1.0, 1, 4, 1])


def nifti(content: bytes) -> Any:
    return nibabel.Nifti1Image.from_bytes(content)


def box() -> np.ndarray:
    inside = np.zeros((24, 20, 6), bool)
    inside[6:14, 5:12, 2:5] = True
    return inside


def slices_of(body: bytes, found: dict[str, Any], packed: bool = False) -> np.ndarray:
    values = np.frombuffer(body, np.uint8)
    shape = (found["slices"], found["height"], found["width"])
    return (np.unpackbits(values)[: np.prod(shape)] if packed else values).reshape(shape)


def test_the_page_introduces_its_model(server: Any) -> None:
    page = server.ask("GET", "/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "Trained elsewhere. The only one." in page.text
    assert "tiny" in page.text and "Research only, not for diagnosis" in page.text
    assert "Mean Dice 0.78 [0.75, 0.81] over 22 test cases it never saw." in page.text
    assert "256 MiB" in page.text and "48 million voxels" in page.text
    for name, kind in (("style.css", "text/css"), ("script.js", "text/javascript")):
        asset = server.ask("GET", f"/{name}")
        assert asset.status == 200 and asset.headers["content-type"].startswith(kind)


def test_a_volume_is_shown_as_a_reader_holds_it(server: Any, volume: Path, volume_mask: Path) -> None:
    answered = server.drop_paths(volume, volume_mask)
    assert answered.status == 200, answered.text
    found = answered.json()
    assert (found["slices"], found["height"], found["width"]) == (6, 24, 20)  # S, then rows to P, columns to L
    assert found["name"] == "case7_flair" and found["sequences"] == ["flair"] and found["truth"]
    assert found["sides"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert found["spacing"] == [4, 2, 1] and found["pixel"] == [2, 1] and found["threshold"] == 0.5
    assert found["warnings"] == ["no T1 or T1+contrast; FLAIR was used in their place"]
    # The affine turns rows to P and columns to L: the first axis runs to the front, the second to the left.
    turned = np.moveaxis(box(), 2, 0)[:, ::-1]
    truth = slices_of(server.ask("GET", f"/{found['address']}/truth").body, found, packed=True)
    assert np.array_equal(truth, turned)
    grey = slices_of(server.ask("GET", f"/{found['address']}/pictures/flair").body, found)
    assert grey[turned].min() > 200 and grey[~turned].max() < 80  # made square and back: edges are soft


def test_sides_follow_the_affine_or_are_unknown(server: Any, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(1, 90, (12, 10, 8), np.int16)
    sagittal = nibabel.Nifti1Image(values, np.diag([5.0, 1, 1, 1]))
    nibabel.save(sagittal, tmp_path / "sagittal.nii")
    unknown = nibabel.Nifti1Image(values, None)
    unknown.header["sform_code"] = unknown.header["qform_code"] = 0
    nibabel.save(unknown, tmp_path / "unknown.nii")
    server.pages.options = FileOptions(plane="acquired")
    found = server.drop_paths(tmp_path / "sagittal.nii").json()
    assert found["sides"] == {"left": "A", "right": "P", "top": "S", "bottom": "I"}
    found = server.drop_paths(tmp_path / "unknown.nii").json()
    assert found["sides"] is None
    assert any(line.startswith("no orientation in its header: left, right and up") for line in found["warnings"])


def test_the_mask_is_that_of_predict(server: Any, volume: Path, volume_mask: Path, predictor: Predictor) -> None:
    found = server.drop_paths(volume, volume_mask).json()
    volume_mask.rename(volume.with_name("case7_mask.nii"))
    [job] = find_jobs(volume, "", predictor.facts.task, ())
    scan = read_scan(job, predictor.facts, "", "auto")
    expected = predict(scan, predictor)
    [row], mask = rows_of("case7_flair.nii.gz", expected, "tiny"), expected.labels != 0
    assert mask.any() and not mask.all()

    shown = server.ask("GET", f"/{found['address']}/mask")
    [measures] = json.loads(shown.headers["measures"])
    assert measures["volume_ml"] == row.volume_ml == mask.sum() * 8 / 1000
    assert measures["left_alone"] is None
    assert measures["dice"] == row.dice and 0.5 < measures["dice"] <= 1
    assert (measures["voxels"], measures["lesions"]) == (mask.sum(), row.lesions)
    assert slices_of(shown.body, found, packed=True).sum() == mask.sum()

    file = server.ask("GET", f"/{found['address']}/file")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''case7_flair_mask.nii.gz"
    image, source = nifti(gzip.decompress(file.body)), nibabel.load(volume)
    assert image.get_data_dtype() == np.uint8 and np.array_equal(image.affine, source.affine)
    assert image.header.get_zooms() == source.header.get_zooms()
    assert np.array_equal(np.asarray(image.dataobj), mask)


def test_a_threshold_changes_mask_and_file(server: Any, volume: Path) -> None:
    found = server.drop_paths(volume).json()
    probability = slices_of(server.ask("GET", f"/{found['address']}/probability").body, found)
    sums = []
    for threshold in ("0.02", "0.5", "0.95"):
        shown = server.ask("GET", f"/{found['address']}/mask?threshold={threshold}")
        mask = slices_of(shown.body, found, packed=True) == 1
        assert (
            mask[probability >= float(threshold) * 255].all()
            and not mask[probability < float(threshold) * 255 - 1].any()
        )
        file = nifti(gzip.decompress(server.ask("GET", f"/{found['address']}/file?threshold={threshold}").body))
        assert np.asarray(file.dataobj).sum() == mask.sum() == json.loads(shown.headers["measures"])[0]["voxels"]
        sums.append(mask.sum())
    assert sums[0] > sums[1] > sums[2]


@pytest.mark.parametrize("threshold", ["0", "1.5", "nan", "much"])
def test_a_threshold_that_is_none_is_refused(server: Any, volume: Path, threshold: str) -> None:
    found = server.drop_paths(volume).json()
    for what in ("mask", "file"):
        refused = server.ask("GET", f"/{found['address']}/{what}?threshold={threshold}")
        assert (refused.status, refused.text) == (400, "a threshold is a number above 0 and up to 1\n")


@pytest.mark.parametrize(
    ("shape", "written"), [((12, 10), (12, 10)), ((12, 10, 5, 1), (12, 10, 5, 1)), ((12, 10, 5, 3), (12, 10, 5))]
)
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_files_of_other_shapes_get_masks_of_theirs(
    server: Any, tmp_path: Path, shape: tuple[int, ...], written: tuple[int, ...], kind: Any
) -> None:
    values = np.full(shape, 50, np.int16)
    values[3:8, 4:7] = 900
    nibabel.save(kind(values, AFFINE), tmp_path / "odd.nii")
    if len(written) < len(shape):
        line = server.drop_paths(tmp_path / "odd.nii").text
        assert line.startswith("odd.nii: a 4-D file of 3 volumes; say which sequence each is, for example --channels")
        server.pages.options = FileOptions(channels="flair=1")
    found = server.drop_paths(tmp_path / "odd.nii").json()
    file = server.ask("GET", f"/{found['address']}/file")
    mask = kind.from_bytes(file.body)
    assert mask.shape == written and np.array_equal(mask.affine, AFFINE)
    assert np.asarray(mask.dataobj)[4, 5].all() and not np.asarray(mask.dataobj)[0, 0].any()


def test_sequences_on_another_grid_come_onto_that_of_flair(server: Any, volume: Path, tmp_path: Path) -> None:
    """And a T2 beside them is named as not used."""
    image = nibabel.load(volume)
    affine = image.affine @ np.diag([1.0, 1, 1.5, 1])
    for name in ("case7_t1.nii.gz", "case7_t2.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj)[:, :, ::2].copy(), affine), tmp_path / name)
    found = server.drop_paths(tmp_path / "case7_t2.nii.gz", tmp_path / "case7_t1.nii.gz", volume)
    assert found.status == 200, found.text
    assert found.json()["sequences"] == ["flair", "pre"] and found.json()["slices"] == 6
    used, resampled, missing = found.json()["warnings"]
    assert used == "not used: case7_t2.nii.gz" and missing.startswith("no T1+contrast; FLAIR was used")
    assert resampled.startswith("T1 was resampled onto the grid of case7_flair.nii.gz, of which it covers ")


def test_what_is_named_as_another_sequence_is_refused(server: Any, volume: Path) -> None:
    refused = server.drop(("case7_t2_bet.nii.gz", volume.read_bytes()))
    assert refused.status == 422 and "case7_t2_bet.nii.gz: named as T2, but the model needs FLAIR" in refused.text
    found = server.drop(("scan.nii.gz", volume.read_bytes())).json()
    assert found["warnings"][0] == "its name does not say which sequence it is: taken as FLAIR"


def test_sequences_of_one_case_go_together(server: Any, volume: Path, tmp_path: Path) -> None:
    other = tmp_path / "case7_t1.nii.gz"
    image = nibabel.load(volume)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj)[::-1].copy(), image.affine), other)
    found = server.drop_paths(other, volume).json()
    assert found["sequences"] == ["flair", "pre"]
    assert found["warnings"] == ["no T1+contrast; FLAIR was used in its place"]
    greys = [server.ask("GET", f"/{found['address']}/pictures/{name}").body for name in ("flair", "pre")]
    assert greys[0] != greys[1]
    assert server.ask("GET", f"/{found['address']}/pictures/post").status == 404
    assert server.ask("GET", f"/{found['address']}/truth").status == 404


@pytest.mark.parametrize(("kind", "written"), [("tif", "tif"), ("png", "png"), ("jpg", "png")])
def test_an_image_gives_an_image(server: Any, tmp_path: Path, kind: str, written: str) -> None:
    pixels = np.random.default_rng(1).integers(40, 60, (40, 50), np.uint8)
    pixels[10:20, 15:30] = 240
    cv2.imwrite(str(tmp_path / f"slice.{kind}"), pixels)
    found = server.drop_paths(tmp_path / f"slice.{kind}").json()
    assert (found["slices"], found["height"], found["width"], found["millilitres"]) == (1, 40, 50, None)
    assert found["sides"] is None
    assert json.loads(server.ask("GET", f"/{found['address']}/mask").headers["measures"])[0]["volume_ml"] is None
    file = server.ask("GET", f"/{found['address']}/file")
    assert file.headers["content-disposition"].endswith(f"slice_mask.{written}")
    mask = cv2.imdecode(np.frombuffer(file.body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (40, 50) and set(np.unique(mask)) == {0, 255}
    assert mask[12:18, 17:28].all() and not mask[:8].any()


def test_slices_of_a_case_are_a_volume_and_their_masks_a_zip(server: Any, phantom_root: Path) -> None:
    case = sorted(path for path in phantom_root.iterdir() if path.is_dir())[0]
    files = sorted(case.glob("*.tif"))
    found = server.drop_paths(*files).json()
    images = [file for file in files if "_mask" not in file.name]
    assert found["name"] == case.name and found["slices"] == len(images) > 3 and found["truth"]
    file = server.ask("GET", f"/{found['address']}/file")
    assert file.headers["content-disposition"].endswith(f"{case.name}_mask.zip")
    with zipfile.ZipFile(io.BytesIO(file.body)) as archive:
        assert sorted(archive.namelist()) == sorted(f"{image.stem}_mask.tif" for image in images)
        masks = {
            name: cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
            for name in archive.namelist()
        }
    inside = slices_of(server.ask("GET", f"/{found['address']}/mask").body, found, packed=True)
    for number in range(found["slices"]):
        name = f"{case.name}_{number + 1}_mask.tif"
        assert np.array_equal(masks[name] != 0, inside[number] != 0)


def test_without_a_lesion_in_the_truth_it_is_left_alone_or_not(server: Any, tmp_path: Path) -> None:
    for name in ("dark.png", "dark_mask.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((32, 32), np.uint8))
    found = server.drop_paths(tmp_path / "dark.png", tmp_path / "dark_mask.png").json()
    [measures] = json.loads(server.ask("GET", f"/{found['address']}/mask?threshold=1").headers["measures"])
    assert measures["dice"] is None and measures["left_alone"] is True and measures["voxels"] == 0
    [measures] = json.loads(server.ask("GET", f"/{found['address']}/mask?threshold=0.000001").headers["measures"])
    assert measures["dice"] is None and measures["left_alone"] is False and measures["voxels"] > 0


def test_nothing_of_an_upload_is_left(server: Any, volume: Path) -> None:
    found = server.drop_paths(volume).json()
    server.drop(("broken.nii.gz", b"no volume"))
    server.ask("GET", f"/{found['address']}/file?threshold=0.3")
    assert list(server.scratch.iterdir()) == []


def test_results_are_dropped_when_told_when_many_and_in_time(start: Callable[..., Any], volume: Path) -> None:
    server = start(Limits(kept=2))
    first, second, third = (server.drop_paths(volume).json()["address"] for _ in range(3))
    gone = server.ask("GET", f"/{first}/mask")
    assert (gone.status, gone.text) == (404, "this result has expired; drop the file again\n")
    assert server.ask("GET", f"/{second}/mask").status == 200
    assert server.ask("DELETE", f"/{second}").status == 204
    assert server.ask("GET", f"/{second}/mask").status == 404
    now = server.pages.kept.clock()
    server.pages.kept.clock = lambda: now + 31 * 60
    assert server.ask("GET", f"/{third}/file").status == 404
    assert not server.pages.kept.found


def test_one_case_at_a_time(server: Any, volume: Path, engine: Any) -> None:
    engine.wait = threading.Event()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(server.drop_paths(volume)))
    thread.start()
    assert engine.began.wait(20)
    busy = server.drop_paths(volume)
    assert (busy.status, busy.text) == (503, "busy with another image; try again in a moment\n")
    assert busy.headers["retry-after"] == "2"
    assert server.ask("GET", "/").status == 200
    engine.wait.set()
    thread.join(30)
    assert answers[0].status == 200
    assert server.drop_paths(volume).status == 200


def test_a_fault_of_ours_is_not_told_to_the_page(
    server: Any, volume: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("headtohead.serving.answering.predict", fail)
    failed = server.drop_paths(volume)
    assert (failed.status, failed.text) == (500, "internal error; the terminal has the details\n")
    assert failed.headers["x-content-type-options"] == "nosniff"
    said = capfd.readouterr().err
    assert "internal error: RuntimeError: a secret detail" in said and "Traceback" not in said
    assert list(server.scratch.iterdir()) == []
    monkeypatch.undo()
    assert server.drop_paths(volume).status == 200  # no longer busy
