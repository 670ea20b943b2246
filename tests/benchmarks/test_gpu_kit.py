"""The kit for a GPU: what is packed here is there again, byte for byte, or the command says what is wrong."""

import json
import shutil
import tarfile
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.gpu import pieces, results, stages, wheels
from headtohead.cohort import Cohort
from headtohead.errors import UserError
from headtohead.preparing.recipe import InputRecipe
from headtohead.readers.lgg import list_cases, read_case

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT / "benchmarks" / "gpu"
SIDE = 32


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def packed(phantom_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four made-up patients in pieces. Read only."""
    folder = tmp_path_factory.mktemp("kit")
    for case in sorted(path for path in phantom_root.iterdir() if path.is_dir())[:4]:
        shutil.copytree(case, folder / "cohort" / case.name)
    for name in ("data.csv", "phantoms.json"):
        shutil.copy(phantom_root / name, folder / "cohort")
    pieces.pack(folder / "cohort", folder / "pieces", 60_000)
    return folder


def test_pieces_are_small_and_unpack_in_any_order_to_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    made = sorted((packed / "pieces").glob("piece-*.zip"))
    assert len(made) > 2
    assert all(piece.stat().st_size < 80_000 for piece in made)
    assert sum(piece.stat().st_size for piece in made) < sum(map(len, contents(packed / "cohort").values()))
    arriving = tmp_path / "arriving"
    arriving.mkdir()
    shutil.copy(packed / "pieces" / pieces.MANIFEST, arriving)
    for place, piece in enumerate(reversed(made)):
        shutil.move(shutil.copy(piece, tmp_path), arriving)
        missing = pieces.unpack(arriving, tmp_path / "data")
        assert missing == [one.name for one in made][: len(made) - place - 1]
        (arriving / piece.name).unlink()  # the next transfer does not bring it again
    assert contents(tmp_path / "data") == contents(packed / "cohort")


def test_what_is_no_plain_tiff_is_packed_as_it_is(packed: Path, tmp_path: Path) -> None:
    shutil.copytree(packed / "cohort", tmp_path / "cohort")
    image = next(path for path in (tmp_path / "cohort").glob("*/*.tif") if "mask" not in path.name)
    cv2.imwrite(str(image), cv2.imread(str(image)), [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_LZW])
    pieces.pack(tmp_path / "cohort", tmp_path / "pieces", 10**7)
    assert pieces.unpack(tmp_path / "pieces", tmp_path / "data") == []
    assert contents(tmp_path / "data") == contents(tmp_path / "cohort")


def test_a_damaged_piece_is_refused_by_name(packed: Path, tmp_path: Path) -> None:
    shutil.copytree(packed / "pieces", tmp_path / "pieces")
    piece = tmp_path / "pieces" / "piece-1.zip"
    piece.write_bytes(piece.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=r"piece-1\.zip: not the piece that pieces\.json names; copy it again"):
        pieces.unpack(tmp_path / "pieces", tmp_path / "data")


def test_a_changed_data_set_is_refused(packed: Path, tmp_path: Path) -> None:
    pieces.unpack(packed / "pieces", tmp_path / "data")
    (tmp_path / "data" / "data.csv").write_text("Patient\n")
    with pytest.raises(UserError, match="not what was packed"):
        pieces.unpack(packed / "pieces", tmp_path / "data")


def test_reduced_images_show_a_net_the_same_pixels_under_another_key(
    packed: Path, phantom_cohort: Cohort, tmp_path: Path
) -> None:
    made = pieces.pack(packed / "cohort", tmp_path / "pieces", 10**7, SIDE)
    pieces.unpack(tmp_path / "pieces", tmp_path / "data")
    assert made.key != made.original == pieces.Manifest.read(packed / "pieces").key
    recipe = InputRecipe(SIDE, "inner", 1)
    for before, after in zip(list_cases(packed / "cohort"), list_cases(tmp_path / "data"), strict=True):
        images, reduced = read_case(before).images, read_case(after).images
        assert reduced.shape == images.shape
        assert np.array_equal(read_case(before).labels, read_case(after).labels)
        for index in range(len(images)):
            assert np.array_equal(recipe.chain.view(reduced, index), recipe.chain.view(images, index))
    assert "reduced to 32x32" in results.summary(tmp_path, tmp_path / "pieces" / pieces.MANIFEST)


def test_stages_stand_in_the_order_of_the_issue_and_in_the_readme(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stages.ORDER == ("speed", "lgg", "historical", "folds", "predict")
    assert stages.main([]) == 2
    said, page = capsys.readouterr().err, (KIT / "README.md").read_text()
    for name in stages.STAGES:
        assert f"  {name} " in said
        assert f"`{name}`" in page or f"run.sh {name}" in page
    assert all((ROOT / config).is_file() for config in stages.COMPARISONS.values())


def test_a_stage_out_of_time_says_so_and_stops_its_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORK", "OUT", "RUNS", "LOGS", "CARRIED"):
        monkeypatch.setattr(stages, name, tmp_path / name)
    monkeypatch.setattr(stages, "DEADLINE", 0.0)
    monkeypatch.setitem(stages.STAGES, "speed", lambda _: stages.program(["sleep", "600"]))
    assert stages.main(["speed"]) == stages.AGAIN
    assert "rerun the same command" in capsys.readouterr().out
    assert (tmp_path / "OUT" / results.ARCHIVE).is_file()  # what was finished comes back


def test_every_requirement_is_expected_there_or_carried() -> None:
    required = {wheels.name_of(line): line for line in wheels.listed(ROOT / "requirements.txt")}
    carried = {wheels.name_of(line): line for line in wheels.listed(KIT / "wheels.txt")}
    present = {wheels.name_of(line) for line in wheels.listed(KIT / "present.txt")}
    assert set(required) <= present | set(carried) | wheels.NOT_NEEDED
    assert not present & set(carried)
    assert {name: line for name, line in carried.items() if name in required}.items() <= required.items()
    for name in carried:  # and what those need in turn
        needs = [
            one for one in metadata.requires(name) or [] if "extra ==" not in one and "python_version <" not in one
        ]
        assert {wheels.name_of(need) for need in needs} <= present | set(carried), name


def test_results_come_back_without_weights_within_the_limit_and_go_on_elsewhere(tmp_path: Path) -> None:
    runs, there = tmp_path / "runs", tmp_path / "there"
    noise = np.random.default_rng(0).bytes(400_000)
    for name, status in (("done", "finished"), ("killed", "running")):
        (runs / "lgg" / name / "checkpoints").mkdir(parents=True)
        (runs / "lgg" / name / "run.json").write_text(json.dumps({"status": status}))
        (runs / "lgg" / name / "checkpoints" / "best.ckpt").write_bytes(noise)
        (runs / "lgg" / name / "model.onnx").write_bytes(noise)
    (runs / "lgg" / "big.gif").write_bytes(noise)
    (runs / "lgg" / "small.png").write_bytes(noise[:50_000])
    results.collect(runs, tmp_path / "logs", tmp_path / "none.json", tmp_path / "out", 500_000)
    archive = tmp_path / "out" / results.ARCHIVE
    assert archive.stat().st_size < 500_000
    with tarfile.open(archive) as packed:
        assert set(packed.getnames()) == {
            "gpu/summary.md",
            "runs/lgg/done/run.json",
            "runs/lgg/killed/run.json",
            "runs/lgg/small.png",
        }
    results.restore(archive, there)
    assert (there / "lgg" / "done" / "run.json").is_file()
    assert not (there / "lgg" / "killed" / "run.json").exists()  # its weights stayed behind: it is trained anew
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(UserError, match="damaged"):
        results.restore(archive, tmp_path / "again")
